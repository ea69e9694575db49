//! Certificates of a test's own: an authority, and what it vouches for, in time or long ago.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use super::scratch;

/// What the broker's certificate is for.
const ADDRESS: &str = "IP:127.0.0.1";
/// How long each is valid.
const DAYS: &str = "1";
/// When one is made that has expired.
const LONG_AGO: &str = "-2d";

/// A folder with `ca.pem`, `server.pem` and `server.key`, and what is issued beside them, which goes with
/// its value.
pub(crate) struct Certificates(PathBuf);

impl Certificates {
    /// Makes them, valid from now on.
    pub(crate) fn new() -> Self {
        // Beside the nodes: one that lives in another system's folder sees nothing else.
        let name = format!("certificates-{:016x}", fastrand::u64(..));
        let folder = scratch("nodes").join(name);
        fs::create_dir(&folder).unwrap();
        let made = Self(folder);
        let authority = ["-subj", "/CN=authority", "-days", DAYS];
        made.key_and("ca", &["-x509", "-out", "ca.pem"], &authority);
        made.issue("server", ADDRESS);
        made
    }

    /// A certificate and its key under this name, which is its common name, too, and for these names.
    pub(crate) fn issue(&self, name: &str, alternative: &str) {
        let subject = format!("/CN={name}");
        let request = format!("{name}.csr");
        self.key_and(name, &["-out", &request], &["-subj", &subject]);
        self.sign(name, alternative, None);
    }

    /// The same, valid until yesterday.
    pub(crate) fn issue_expired(&self, name: &str, alternative: &str) {
        self.issue(name, alternative);
        self.sign(name, alternative, Some(LONG_AGO));
    }

    /// The broker's is valid from now on.
    pub(crate) fn renew(&self) {
        self.sign("server", ADDRESS, None);
    }

    /// The broker's was valid until yesterday.
    pub(crate) fn expire(&self) {
        self.sign("server", ADDRESS, Some(LONG_AGO));
    }

    /// One of the files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn key_and(&self, name: &str, what: &[&str], whose: &[&str]) {
        let key = format!("{name}.key");
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
        let key = ["-nodes", "-keyout", &key];
        run(openssl(&self.0)
            .arg("req")
            .args(what)
            .args(curve)
            .args(key)
            .args(whose));
    }

    fn sign(&self, name: &str, alternative: &str, when: Option<&str>) {
        let extensions = format!("subjectAltName={alternative}");
        fs::write(self.path("extensions"), extensions).unwrap();
        let (request, certificate) = (format!("{name}.csr"), format!("{name}.pem"));
        let mut openssl = openssl(&self.0);
        if let Some(when) = when {
            // There is no flag for a validity in the past.
            openssl
                .env("LD_PRELOAD", libfaketime())
                .env("FAKETIME", when);
        }
        openssl.args(["x509", "-req", "-in", &request, "-out", &certificate]);
        openssl.args(["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]);
        run(openssl.args(["-extfile", "extensions", "-days", DAYS]));
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.current_dir(folder);
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("openssl must be there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// The folder above it is named after the machine's architecture.
pub(crate) fn libfaketime() -> PathBuf {
    let mut folders = fs::read_dir("/usr/lib").unwrap();
    let found = folders.find_map(|folder| {
        let path = folder.ok()?.path().join("faketime/libfaketime.so.1");
        path.exists().then_some(path)
    });
    found.expect("libfaketime must be there: run these tests with `tests/run`")
}

/// A free port, below the range that outgoing connections take theirs from.
pub(crate) fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("some port is free")
}
