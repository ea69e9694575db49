//! The world of one test: names, folder, pretend API and broker of its own.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    Node, Sandbox, broker::Broker, proxy::Proxy, scratch, shared_amqp_url, worker, worker::Worker,
};

/// Everything a test has, but its workers.
pub(crate) struct World {
    /// The pretend API.
    pub(crate) sandbox: Sandbox,
    /// Our own way to the broker.
    pub(crate) broker: Broker,
    /// The broker's nodes, when they are the test's own.
    nodes: Vec<Node>,
    /// What stands before several.
    _front: Option<Proxy>,
    logs: AtomicU32,
    /// Last, so that it outlives the processes that write into it.
    folder: Folder,
}

/// A folder that goes with its value.
struct Folder(PathBuf);

impl World {
    /// A world on the shared broker, with a prefix of its own.
    pub(crate) async fn new(name: &str) -> Self {
        Self::with(name, shared_amqp_url(), &[]).await
    }

    /// The same, with arguments for the sandbox, such as `--latency 50ms`.
    pub(crate) async fn with_sandbox(name: &str, arguments: &[&str]) -> Self {
        Self::with(name, shared_amqp_url(), arguments).await
    }

    /// A world with a broker of its own, which may be killed, starved and reconfigured.
    pub(crate) async fn with_own_node(name: &str) -> Self {
        Self::with_configured_node(name, "").await
    }

    /// The same, with lines of `rabbitmq.conf` for the broker.
    pub(crate) async fn with_configured_node(name: &str, configuration: &str) -> Self {
        Self::with_plugins(name, configuration, "").await
    }

    /// The same, with plugins of RabbitMQ's, separated by commas.
    pub(crate) async fn with_plugins(name: &str, configuration: &str, plugins: &str) -> Self {
        let node = Node::start(name, configuration, plugins).await;
        let mut world = Self::with(name, node.url.clone(), &[]).await;
        world.nodes.push(node);
        world
    }

    /// A world of its own names beside this one, on the same broker.
    pub(crate) async fn beside(&self, name: &str) -> Self {
        Self::with(name, self.broker.url.clone(), &[]).await
    }

    /// A world with three nodes of its own as one cluster. Who connects reaches the first that listens.
    pub(crate) async fn with_own_cluster(name: &str) -> Self {
        let first = Node::start(name, "", "").await;
        let nodes = vec![
            first.start_beside(name).await,
            first.start_beside(name).await,
            first,
        ];
        let urls: Vec<_> = nodes.iter().map(|node| node.url.as_str()).collect();
        let front = Proxy::to_first(&urls).await;
        let mut world = Self::with(name, front.url.clone(), &[]).await;
        world.nodes = nodes;
        world._front = Some(front);
        world
    }

    async fn with(name: &str, amqp_url: String, sandbox: &[&str]) -> Self {
        let prefix = format!("live-{name}-{:08x}", fastrand::u32(..));
        let folder = scratch("worlds").join(&prefix);
        std::fs::create_dir(&folder).unwrap();
        Self {
            sandbox: Sandbox::start(&folder, sandbox).await,
            broker: Broker::new(amqp_url, prefix),
            nodes: Vec::new(),
            _front: None,
            logs: AtomicU32::new(0),
            folder: Folder(folder),
        }
    }

    /// A worker of this world, to be given settings and started.
    pub(crate) fn worker(&self) -> worker::Settings<'_> {
        worker::Settings::new(self)
    }

    /// Declares exchanges and queues, by a worker that is started and ended again, so that events can
    /// be published before any worker runs.
    pub(crate) async fn declare(&self) {
        let mut worker: Worker = self.worker().start().await;
        let (status, _) = worker.terminate().await;
        assert!(status.success(), "the declaring worker ended with {status}");
    }

    /// The broker of this test's own.
    pub(crate) fn node(&self) -> &Node {
        self.nodes.first().expect("this world has nodes of its own")
    }

    /// All nodes of this test's own.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// A file of this world, such as one that holds a secret.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    pub(super) fn next_log(&self, name: &str) -> PathBuf {
        let n = self.logs.fetch_add(1, Ordering::Relaxed);
        self.file(&format!("{name}-{n}.log"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Nodes of our own go with their folders.
        if self.nodes.is_empty() {
            self.broker.delete_all();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
