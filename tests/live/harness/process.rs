//! A process of the real binary that sees none of the caller's settings, and ends with its value.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

/// Lines of the log that are shown after a failure.
const LOG_LINES: usize = 25;

/// A running process.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `revoker` with these arguments and settings only; what it writes goes to `log`.
    pub(crate) fn spawn<'s>(
        arguments: &[&str],
        settings: impl IntoIterator<Item = (&'s str, &'s str)>,
        log: PathBuf,
    ) -> Self {
        let file = File::create(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("REVOKER_") {
                command.env_remove(&variable);
            }
        }
        let child = command
            .args(arguments)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .expect("the binary under test must start");
        Self { child, log }
    }

    /// Its id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Sends a signal, such as `TERM`. The shell does: the standard library knows SIGKILL only.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(
            sent.success(),
            "SIG{name} could not be sent to {}",
            self.pid()
        );
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) async fn exit(&mut self, longest: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                began.elapsed() < longest,
                "the process did not end within {} s",
                longest.as_secs()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill9(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
        if let (true, Ok(log)) = (std::thread::panicking(), std::fs::read(&self.log)) {
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
            eprintln!("the end of {}:\n{}", self.log.display(), last.join("\n"));
        }
    }
}
