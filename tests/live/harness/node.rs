//! A private RabbitMQ node of a test's own, through the script that starts the shared one.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::scratch;

/// A node; stopped with its value.
pub(crate) struct Node {
    /// Its AMQP URL, the same after a restart.
    pub(crate) url: String,
    folder: PathBuf,
}

impl Node {
    /// Starts one, with lines of `rabbitmq.conf` beside the usual ones and with these plugins, separated by
    /// commas, and waits until it answers: some ten seconds.
    pub(crate) async fn start(name: &str, configuration: &str, plugins: &str) -> Self {
        let mut node = Self::named(name);
        std::fs::create_dir_all(&node.folder).unwrap();
        std::fs::write(node.folder.join("more.conf"), configuration).unwrap();
        std::fs::write(node.folder.join("more.plugins"), plugins).unwrap();
        node.url = node.run("start", &[]).await;
        node
    }

    /// Starts another and makes it a cluster with this one: some twenty seconds.
    pub(crate) async fn start_beside(&self, name: &str) -> Self {
        let mut node = Self::named(name);
        let beside = self.folder.to_str().expect("our own path is UTF-8");
        node.url = node.run("join", &[beside]).await;
        node
    }

    fn named(name: &str) -> Self {
        Self {
            url: String::new(),
            folder: scratch("nodes").join(format!("{name}-{:08x}", fastrand::u32(..))),
        }
    }

    /// What it calls itself in a cluster.
    pub(crate) fn name(&self) -> String {
        let ports = std::fs::read_to_string(self.folder.join("ports")).unwrap();
        let name = ports.lines().find_map(|l| l.strip_prefix("NODE_NAME="));
        name.expect("a started node has a name").to_owned()
    }

    /// A file that its tools can see, wherever they run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
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
    pub(crate) async fn ctl(&self, arguments: &[&str]) -> String {
        self.run("ctl", arguments).await
    }

    /// Where it lives.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
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
