//! The sandbox and the worker as processes of their own: started with settings of the demo's making
//! only, logging to files, and stopped again.

use std::{
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{Arguments, PROJECT_ID, SECRET, progress::say, sandbox::Sandbox};

/// How long a process may take until it answers.
const START_MAX: Duration = Duration::from_secs(30);
/// How long a process may take to end once asked to.
const STOP_MAX: Duration = Duration::from_secs(10);
/// Lines of each log that are shown after a failure.
const LOG_LINES: usize = 15;

/// The processes of one demo.
pub(crate) struct Processes {
    amqp_url: String,
    prefix: String,
    revoker: PathBuf,
    folder: PathBuf,
    sandbox: Option<Child>,
    worker: Option<Child>,
}

impl Processes {
    /// None started yet.
    pub(crate) fn new(arguments: &Arguments) -> Self {
        Self {
            amqp_url: arguments.amqp_url.clone(),
            prefix: arguments.prefix.clone(),
            revoker: arguments.revoker.clone(),
            folder: arguments.folder.clone(),
            sandbox: None,
            worker: None,
        }
    }

    /// Starts `revoker sandbox` and waits until it answers.
    pub(crate) async fn start_sandbox(&mut self) -> anyhow::Result<Sandbox> {
        let address = free_address()?;
        let mut command = Command::new(&self.revoker);
        command.args(["sandbox", "--listen", &address]).args([
            "--project-id",
            PROJECT_ID,
            "--secret",
            SECRET,
        ]);
        let child = self.spawn(command, "sandbox")?;
        let sandbox = Sandbox::new(format!("http://{address}"))?;
        let child = self.sandbox.insert(child);
        wait_until(child, "the sandbox", async || sandbox.is_up().await).await?;
        Ok(sandbox)
    }

    /// Starts `revoker run` and waits until it is ready; returns the URL of its admin port.
    pub(crate) async fn start_worker(
        &mut self,
        api_url: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        let address = free_address()?;
        let mut command = Command::new(&self.revoker);
        command
            .arg("run")
            .env("REVOKER_AMQP_URL", &self.amqp_url)
            .env("REVOKER_PREFIX", &self.prefix)
            .env("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID)
            .env("REVOKER_STYTCH_SECRET", SECRET)
            .env("REVOKER_STYTCH_BASE_URL", api_url)
            .env("REVOKER_ADMIN_ADDR", &address)
            .envs(settings.iter().copied());
        let child = self.spawn(command, "worker")?;
        let url = format!("http://{address}");
        let ready = format!("{url}/readyz");
        let client = reqwest::Client::builder().no_proxy().build()?;
        let child = self.worker.insert(child);
        wait_until(child, "the worker", async || {
            let answer = client.get(&ready).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await?;
        Ok(url)
    }

    /// Starts a process that sees none of the caller's settings, in a process group of its own so
    /// that Ctrl-C at a terminal reaches the demo first.
    fn spawn(&self, mut command: Command, name: &str) -> anyhow::Result<Child> {
        let log = File::create(self.folder.join(format!("{name}.log")))?;
        for (variable, _) in std::env::vars_os() {
            let inherited = variable.to_string_lossy().starts_with("REVOKER_");
            let ours = command
                .as_std()
                .get_envs()
                .any(|(ours, _)| ours == variable);
            if inherited && !ours {
                command.env_remove(&variable);
            }
        }
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.revoker.display()))?;
        if let Some(pid) = child.id() {
            std::fs::write(self.folder.join(format!("{name}.pid")), pid.to_string())?;
        }
        Ok(child)
    }

    /// Ends the worker as an orchestrator would.
    pub(crate) async fn stop_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            end(worker).await;
        }
    }

    /// Ends what runs.
    pub(crate) async fn stop(&mut self) {
        self.stop_worker().await;
        if let Some(sandbox) = self.sandbox.take() {
            end(sandbox).await;
        }
    }

    /// The last lines of each log, after a failure.
    pub(crate) fn show_logs(&self) {
        for name in ["sandbox", "worker"] {
            let path = self.folder.join(format!("{name}.log"));
            let Ok(log) = std::fs::read_to_string(&path) else {
                continue;
            };
            say(&format!("the end of {}:", path.display()));
            let lines: Vec<_> = log.lines().collect();
            for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
                say(&format!("  {line}"));
            }
        }
    }

    /// What was left running. The broker's password, if it has one, is not shown.
    pub(crate) fn print_kept(&self, api_url: &str, admin_url: &str) {
        let broker = self.amqp_url.rsplit('@').next().unwrap_or_default();
        say(&format!("left running: sandbox  {api_url}/sandbox/stats"));
        say(&format!("              worker   {admin_url}/metrics"));
        say(&format!(
            "              broker   {broker} (names start with {})",
            self.prefix
        ));
        say(&format!("              logs     {}", self.folder.display()));
    }
}

/// A loopback address that was free just now.
fn free_address() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free loopback port")?;
    Ok(listener.local_addr()?.to_string())
}

async fn wait_until(
    child: &mut Child,
    who: &str,
    is_ready: impl AsyncFn() -> bool,
) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_ready().await {
        if let Some(status) = child.try_wait()? {
            bail!("{who} ended at its start ({status})");
        }
        if began.elapsed() > START_MAX {
            bail!("{who} was not ready within {} s", START_MAX.as_secs());
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Asks a process to end, and ends it if it does not. The shell sends the signal: the standard
/// library knows no other than SIGKILL.
async fn end(mut child: Child) {
    if let Some(pid) = child.id() {
        let kill = format!("kill -TERM {pid}");
        let _ = Command::new("sh").args(["-c", &kill]).status().await;
    }
    if timeout(STOP_MAX, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
