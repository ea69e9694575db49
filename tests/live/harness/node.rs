//! A private RabbitMQ node of a test's own, through the script that starts the shared one.

use std::{path::PathBuf, process::Command};

use super::scratch;

/// A node; stopped with its value.
pub(crate) struct Node {
    /// Its AMQP URL, the same after a restart.
    pub(crate) url: String,
    folder: PathBuf,
}

impl Node {
    /// Starts one, with lines of `rabbitmq.conf` beside the usual ones, and waits until it answers:
    /// some ten seconds.
    pub(crate) async fn start(name: &str, configuration: &str) -> Self {
        let folder = scratch("nodes").join(format!("{name}-{:08x}", fastrand::u32(..)));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("more.conf"), configuration).unwrap();
        let mut node = Self {
            url: String::new(),
            folder,
        };
        node.url = node.run("start", &[]).await;
        node
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill9(&self) {
        self.run("kill9", &[]).await;
    }

    /// Starts it again, with the same data and ports, and waits until it answers.
    pub(crate) async fn restart(&self) {
        self.run("restart", &[]).await;
    }

    /// `rabbitmqctl` against it. A second or two each.
    pub(crate) async fn ctl(&self, arguments: &[&str]) {
        self.run("ctl", arguments).await;
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.folder.join("log/node.log")).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    async fn run(&self, command: &str, arguments: &[&str]) -> String {
        let mut script = self.script(command);
        script.args(arguments);
        // A thread of its own: the script may take long, and the test goes on meanwhile.
        let done = tokio::task::spawn_blocking(move || script.output());
        let output = done.await.unwrap().expect("the script must run");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "private-node {command}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn script(&self, command: &str) -> Command {
        let root = env!("CARGO_MANIFEST_DIR");
        let mut script = Command::new(format!("{root}/deploy/rabbitmq/private-node"));
        script.arg(command).arg(&self.folder);
        script
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.script("stop").output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
