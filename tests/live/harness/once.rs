//! A subcommand that ends by itself, run with a worker's settings.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::worker::Settings;

/// How it ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Ended {
    /// Standard output, read as one line of JSON.
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_str(&self.out);
        json.unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }
}

impl Settings<'_> {
    /// Runs it to its end, with these settings and nothing of the caller's environment.
    pub(crate) async fn once(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.envs(self.variables());
        let ended = tokio::task::spawn_blocking(move || command.output());
        let output = ended
            .await
            .unwrap()
            .expect("the binary under test must start");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended {
            code: output.status.code().expect("it ends by itself"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}
