//! The shared broker's administration: further users, as publishers are in production, and rabbitmqctl.

use std::process::Command;

use super::broker::Broker;

/// A user, deleted with its value.
pub(crate) struct User {
    /// Its name.
    pub(crate) name: String,
    password: String,
}

impl User {
    /// A user who may do everything.
    pub(crate) async fn new(name: &str) -> Self {
        let name = format!("{name}-{:08x}", fastrand::u32(..));
        let password = format!("{:016x}", fastrand::u64(..));
        let user = Self { name, password };
        user.add().await;
        user.permit(".*").await;
        user
    }

    /// Makes it, at first and after a [`User::delete`]; it may do nothing, and not even connect to a vhost.
    pub(crate) async fn add(&self) {
        ctl(&["add_user", &self.name, &self.password]).await;
    }

    /// Deletes it: the broker closes its connections.
    pub(crate) async fn delete(&self) {
        ctl(&["delete_user", &self.name]).await;
    }

    /// May configure, write to and read from what matches only.
    pub(crate) async fn permit(&self, names: &str) {
        ctl(&["set_permissions", &self.name, names, names, names]).await;
    }

    /// Gives it this password in place of the one that [`Self::of`] uses.
    pub(crate) async fn change_password(&self, password: &str) {
        ctl(&["change_password", &self.name, password]).await;
    }

    /// Ends what connections it has.
    pub(crate) async fn disconnect(&self) {
        ctl(&["close_all_user_connections", &self.name, "by a test"]).await;
    }

    /// May configure, write to and read from what matches each.
    pub(crate) async fn permit_each(&self, configure: &str, write: &str, read: &str) {
        ctl(&["set_permissions", &self.name, configure, write, read]).await;
    }

    /// Its password, to be looked for.
    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The same broker and names, for this user.
    pub(crate) fn of(&self, broker: &Broker) -> Broker {
        let (_, address) = broker.url.split_once('@').expect("the URL names a user");
        let url = format!("amqp://{}:{}@{address}", self.name, self.password);
        Broker::new(url, broker.prefix.clone())
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = script(&["delete_user", &self.name]).output();
    }
}

/// `rabbitmqctl` against the shared node. A second or two each.
pub(crate) async fn ctl(arguments: &[&str]) {
    let mut script = script(arguments);
    let done = tokio::task::spawn_blocking(move || script.output());
    let output = done.await.unwrap().expect("the script must run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "rabbitmqctl: {errors}");
}

/// The shared node's management API.
pub(crate) fn management_url() -> String {
    let node = std::env::var("LIVE_NODE_DIR").expect("LIVE_NODE_DIR must name the node's folder");
    let told = std::fs::read_to_string(format!("{node}/env")).unwrap();
    let url = told
        .lines()
        .find_map(|line| line.strip_prefix("MANAGEMENT_URL="));
    url.expect(
        "the shared node must have the management API: run these tests with `tests/run live`",
    )
    .to_owned()
}

fn script(arguments: &[&str]) -> Command {
    let node = std::env::var("LIVE_NODE_DIR").expect("LIVE_NODE_DIR must name the node's folder");
    let root = env!("CARGO_MANIFEST_DIR");
    let mut script = Command::new(format!("{root}/deploy/rabbitmq/private-node"));
    script.arg("ctl").arg(node).args(arguments);
    script
}
