//! The examples that people copy, as programs to be run.
//!
//! That in Rust is compiled into these tests, and called as its own main calls it: a program of its own would
//! be one more to link.

use std::path::PathBuf;

use tokio::process::Command;

use super::installed::{PYTHON, Ran, beside_packages, installed, repository, run};
use crate::harness::{broker::Broker, is_full, sandbox::new_id, user::management_url};
use Client::{Go, Java, Node, Python, Rust, Shell};

#[path = "../../../deploy/examples/publish/publish.rs"]
#[allow(
    dead_code,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a program, of which the tests call what its main does"
)]
mod rust;

/// Where the distribution has the libraries of the longer form.
const JARS: &str = "/usr/share/java/amqp-client.jar:/usr/share/java/slf4j-api.jar";
const GO_PATH: &str = "/usr/share/gocode";

/// An example.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Client {
    Python,
    Node,
    Rust,
    Shell,
    Java,
    Go,
}

/// Those whose compilers are large only in the longer form.
pub(super) fn clients() -> Vec<Client> {
    let mut clients = vec![Python, Node, Rust, Shell];
    if is_full() {
        clients.extend([Java, Go]);
    }
    clients
}

impl Client {
    /// Runs it as a publisher would, against the exchange of this name.
    pub(super) async fn publish(self, url: &str, target: &str, exchange: &str) -> Ran {
        let example = |file: &str| -> PathBuf { repository("deploy/examples/publish").join(file) };
        let mut command = match self {
            Rust => return in_process(url, target, exchange).await,
            Python => with(PYTHON, &[example("publish.py")]),
            Node => with(
                "node",
                &[beside_packages("deploy/examples/publish/publish.mjs")],
            ),
            Java => with(
                "java",
                &["-cp".into(), JARS.into(), example("Publish.java")],
            ),
            Go => {
                let mut command = with("go", &["run".into(), example("publish.go")]);
                // The distribution's packages are no modules.
                command.envs([("GO111MODULE", "off"), ("GOPATH", GO_PATH), ("GOFLAGS", "")]);
                command.env("GOCACHE", installed("go"));
                command
            }
            Shell => {
                let mut command = with("bash", &[example("publish.sh")]);
                command.env("MANAGEMENT_URL", url);
                command.args([target, "/", exchange]);
                return run(command, "").await;
            }
        };
        command.args([url, target, exchange]);
        run(command, "").await
    }

    /// The URL that it takes: of the broker, or of its management API.
    pub(super) fn url(self, broker: &Broker) -> String {
        match self {
            Shell => format!("{}/api", management_url()),
            Python | Node | Rust | Java | Go => broker.url.clone(),
        }
    }

    /// How it ends when nothing was accepted for good.
    pub(super) async fn check_refused(self, url: &str, exchange: &str, says: &[&str]) {
        let ran = self.publish(url, &new_id("user"), exchange).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{self:?}: {ran:?}");
        for part in says {
            assert!(
                ran.err.contains(part),
                "{self:?} does not say {part:?}: {ran:?}"
            );
        }
        let again = ran.err.contains("not confirmed");
        assert!(!again, "{self:?} has tried it again: {ran:?}");
    }
}

pub(super) fn with(program: &str, arguments: &[PathBuf]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

async fn in_process(url: &str, target: &str, exchange: &str) -> Ran {
    let ended = rust::run(url, target, exchange).await;
    Ran {
        code: i32::from(ended.is_err()),
        out: ended
            .as_ref()
            .map_or_else(|_| String::new(), |id| format!("published {id}\n")),
        err: ended.err().unwrap_or_default(),
    }
}
