//! Reports that cannot be written, and keys that cannot sign: one clear error, and no half report.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use super::given::ID;
use crate::harness::{World, secret::assert_withheld};

#[tokio::test]
async fn a_full_disk_leaves_no_half_report() {
    let world = World::with_campaign("report-full", 1_000).await;
    let out = world.path("out");
    assert_eq!(world.campaign(&["report", ID, "--out", &out]).await.code, 0);
    let before = fs::read(world.file("out").join("digest")).unwrap();
    let full = |out: &str| {
        // A file that may not grow is a disk that is full, for whoever writes it. In blocks of 512 bytes.
        let script = "trap '' XFSZ; ulimit -f 300; exec \"$0\" campaign report \"$1\" --out \"$2\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_revoker"), ID, out]);
        command
            .env_clear()
            .env("REVOKER_AMQP_URL", &world.broker.url);
        command.env("REVOKER_PREFIX", &world.broker.prefix);
        command.output().unwrap()
    };
    let fresh = world.path("fresh");
    for (folder, left) in [(&out, 3), (&fresh, 0)] {
        let output = full(folder);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        let wanted = format!("error: cannot write {folder}/evidence.ndjson, ");
        assert!(
            err.starts_with(&wanted) && err.lines().count() == 1,
            "{err}"
        );
        // The old report is as it was, and the new one is not there at all.
        assert_eq!(fs::read_dir(folder).unwrap().count(), left);
    }
    assert_eq!(fs::read(world.file("out").join("digest")).unwrap(), before);
}

#[tokio::test]
async fn keys_that_cannot_sign_are_told_before_anything_is_read() {
    let world = World::new("report-keys").await;
    let open = world.key("open", &["-t", "ed25519", "-N", ""]);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o640)).unwrap();
    let nonsense = world.file("nonsense");
    fs::write(
        &nonsense,
        "-----BEGIN OPENSSH PRIVATE KEY-----\nbm9uc2Vuc2Ugbm9uc2Vuc2U=\n",
    )
    .unwrap();
    fs::set_permissions(&nonsense, fs::Permissions::from_mode(0o600)).unwrap();
    let cases = [
        (
            world.key("locked", &["-t", "ed25519", "-N", "a passphrase"]),
            "has a passphrase",
        ),
        (
            world.key("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
            "only Ed25519",
        ),
        (
            world.key("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
            "no OpenSSH private key",
        ),
        (nonsense, "no OpenSSH private key"),
        (open, "(mode 640); run chmod 600"),
        (world.file("nowhere"), "cannot be opened"),
    ];
    for (key, wanted) in cases {
        let ended = world
            .signing(&key, &["report", ID, "--out", &world.path("out")])
            .await;
        assert_eq!(ended.code, 64, "{ended:?}");
        assert!(ended.err.contains(wanted), "{wanted}: {ended:?}");
        assert!(ended.err.contains("REVOKER_SIGN_KEY_FILE"), "{ended:?}");
        let secret = fs::read_to_string(&key).unwrap_or_default();
        for line in secret.lines().filter(|line| !line.starts_with("--")) {
            assert_withheld("standard error", &ended.err, line);
        }
        assert!(!world.file("out").exists());
    }
}
