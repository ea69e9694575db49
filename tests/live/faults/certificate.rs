//! Certificates of a test's own: an authority, and what it vouches for, in time or long ago.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::clock_jumps::libfaketime;
use crate::harness::scratch;

/// What the certificates are for.
const SUBJECT: &str = "subjectAltName=IP:127.0.0.1";
/// How long each is valid.
const DAYS: &str = "1";

/// A folder with `ca.pem`, `server.pem` and `server.key`, which goes with its value.
pub(super) struct Certificates(PathBuf);

impl Certificates {
    /// Makes them, valid from now on.
    pub(super) fn new() -> Self {
        // Beside the nodes: one that lives in another system's folder sees nothing else.
        let name = format!("certificates-{:016x}", fastrand::u64(..));
        let folder = scratch("nodes").join(name);
        fs::create_dir(&folder).unwrap();
        let made = Self(folder);
        let authority = ["-subj", "/CN=authority", "-days", DAYS];
        made.key_and("ca", &["-x509", "-out", "ca.pem"], &authority);
        made.key_and("server", &["-out", "server.csr"], &["-subj", "/CN=broker"]);
        fs::write(made.path("extensions"), SUBJECT).unwrap();
        made.renew();
        made
    }

    /// The broker's is valid from now on.
    pub(super) fn renew(&self) {
        self.sign(None);
    }

    /// The broker's was valid until yesterday.
    pub(super) fn expire(&self) {
        self.sign(Some("-2d"));
    }

    /// One of the files.
    pub(super) fn path(&self, name: &str) -> PathBuf {
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

    fn sign(&self, when: Option<&str>) {
        let mut openssl = openssl(&self.0);
        if let Some(when) = when {
            // There is no flag for a validity in the past.
            openssl
                .env("LD_PRELOAD", libfaketime())
                .env("FAKETIME", when);
        }
        openssl.args(["x509", "-req", "-in", "server.csr", "-out", "server.pem"]);
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
