//! What `tests/contract/install` has installed, and programs that are run with it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// The interpreter that the distribution's client library belongs to.
pub(super) const PYTHON: &str = "/usr/bin/python3";
/// What a program may take: three tries of five seconds, and a compiler before them.
const LONGEST: Duration = Duration::from_secs(180);

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ran {
    /// Exit code.
    pub(super) code: i32,
    /// Standard output.
    pub(super) out: String,
    /// Standard error.
    pub(super) err: String,
}

/// A file of the repository.
pub(super) fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// A file of what was installed.
pub(super) fn installed(file: &str) -> PathBuf {
    let folder = std::env::var("LIVE_CONTRACT_DIR").expect(
        "LIVE_CONTRACT_DIR must name what tests/contract/install made: run these tests with `tests/run contract`",
    );
    Path::new(&folder).join(file)
}

/// A file of the repository beside Node's packages: that is where Node looks for them.
pub(super) fn beside_packages(file: &str) -> PathBuf {
    let name = Path::new(file).file_name().expect("it is a file");
    let there = installed("node").join(name);
    // Tests run side by side: each sees the whole of it.
    let whole = there.with_extension(format!("{:08x}", fastrand::u32(..)));
    std::fs::copy(repository(file), &whole).expect("the Node packages must be installed");
    std::fs::rename(&whole, &there).unwrap();
    there
}

/// Runs a program to its end.
pub(super) async fn run(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // A proxy must not stand between processes on one machine.
    command
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} must start: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = timeout(LONGEST, child.wait_with_output()).await;
    let output = output
        .unwrap_or_else(|_| panic!("{command:?} did not end"))
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}
