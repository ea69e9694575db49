//! Tests of the command line: the tree, exit codes, and what the small subcommands write.

mod all_users;
mod campaign;
mod check;
mod dead_letters;
mod explain;
mod lint;
mod patience;
mod revoke;
mod status;

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::CommandFactory;
use revoker::{cli::Cli, settle::seal::KeyRing};

use crate::config::{LIVE, PROJECT};

#[test]
fn the_command_tree_is_valid() {
    Cli::command().debug_assert();
}

/// Exit code, standard output, standard error.
type Ended = (i32, String, String);

/// Runs the program with these arguments and variables, and nothing of the caller's environment.
fn revoker(args: &[&str], variables: &[(&str, &str)], input: &str) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_revoker"))
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments may be gone before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn exit_codes() {
    let cases: &[(&[&str], i32)] = &[
        (&["--help"], 0),
        (&["--version"], 0),
        (&["run", "--help"], 0),
        (&["completions", "bash"], 0),
        (&["completions", "nosh"], 64),
        (&[], 64),
        (&["ruin"], 64),
        (&["run", "--no-such-flag"], 64),
        (&["run"], 64),
        (&["keygen", "--rotate", "/nowhere/keys"], 1),
        (&["publish", "--user-id", "user-test-1"], 64),
        (&["check"], 64),
        (&["revoke", "--user", "user-test-1"], 64),
        (&["status", "--worker", "127.0.0.1:0"], 64),
        (&["status", "--worker", "ftp://127.0.0.1:9477"], 64),
        (&["status", "--watch", "0"], 64),
        (&["status", "--admin-addr", "here"], 64),
    ];
    for (args, code) in cases {
        let ended = revoker(args, &[], "");
        assert_eq!(ended.0, *code, "{args:?}: {ended:?}");
    }
}

#[test]
fn wrong_settings_are_told_at_once_and_without_secrets() {
    let variables = [
        ("REVOKER_AMQP_URL", "amqp://u:hunter2@far/v"),
        ("REVOKER_STYTCH_SECRET", "hunter2"),
        ("REVOKER_SLOTS", "0"),
    ];
    let (code, stdout, stderr) = revoker(&["run", "--attempts", "0"], &variables, "");
    assert_eq!((code, stdout.as_str()), (64, ""));
    assert!(
        stderr.starts_with("error: 4 settings are wrong\n"),
        "{stderr}"
    );
    for name in ["AMQP_URL", "STYTCH_PROJECT_ID", "SLOTS", "ATTEMPTS"] {
        assert!(
            stderr.contains(&format!("\n  REVOKER_{name} (--")),
            "{name}: {stderr}"
        );
    }
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn help_shows_no_secret() {
    let variables = [
        ("REVOKER_AMQP_URL", "amqp://u:hunter2@h"),
        ("REVOKER_STYTCH_SECRET", "hunter2"),
        ("REVOKER_RABBITMQ_MANAGEMENT_URL", "https://u:hunter2@h"),
    ];
    for subcommand in ["run", "publish", "check", "status"] {
        let (_, stdout, _) = revoker(&[subcommand, "--help"], &variables, "");
        assert!(
            stdout.contains("REVOKER_AMQP_URL") && !stdout.contains("hunter2"),
            "{stdout}"
        );
    }
}

#[test]
fn a_flag_wins_over_its_variable() {
    let variables = [("REVOKER_SLOTS", "many"), ("REVOKER_ATTEMPTS", "many")];
    let (_, _, stderr) = revoker(&["run", "--slots", "5"], &variables, "");
    assert!(
        stderr.contains("REVOKER_ATTEMPTS") && !stderr.contains("REVOKER_SLOTS"),
        "{stderr}"
    );
}

/// A path in the tests' own folder where nothing is yet.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

/// The key lines of a ring, whose mode is right.
fn keys(path: &Path) -> Vec<String> {
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = fs::read_to_string(path).unwrap();
    KeyRing::parse(&text).unwrap();
    text.lines()
        .filter(|line| line.starts_with("revoker-key-v1:"))
        .map(str::to_owned)
        .collect()
}

fn keygen(flag: &str, path: &Path) -> Ended {
    revoker(&["keygen", flag, path.to_str().unwrap()], &[], "")
}

#[test]
fn keygen_prints_a_key() {
    let (code, line, _) = revoker(&["keygen"], &[], "");
    assert_eq!((code, line.len()), (0, "revoker-key-v1:".len() + 43 + 1));
    KeyRing::parse(&line).unwrap();
}

#[test]
fn keygen_writes_rotates_and_appends() {
    let path = fresh("keygen.keys");
    assert_eq!(keygen("--output", &path).0, 0);
    let first = keys(&path);
    assert_eq!(first.len(), 1);

    let (code, _, stderr) = keygen("--output", &path);
    assert_eq!(code, 1, "never overwrites: {stderr}");
    assert_eq!(keys(&path), first);

    // Mode and comments: the first is mended, the second kept.
    fs::write(&path, format!("# kept\n{}\n", first[0])).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, stdout, stderr) = keygen("--rotate", &path);
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains("revoker-key-v1"), "{stdout}");
    let rotated = keys(&path);
    assert_eq!((rotated.len(), &rotated[1]), (2, &first[0]));
    assert!(fs::read_to_string(&path).unwrap().contains("# kept\n"));

    assert_eq!(keygen("--append", &path).0, 0);
    assert_eq!(keys(&path)[..2], rotated);
    assert_eq!(keys(&path).len(), 3);
}

#[test]
fn keygen_leaves_what_is_no_key_ring_alone() {
    let path = fresh("keygen-broken.keys");
    fs::write(&path, "hunter2\n").unwrap();
    for flag in ["--rotate", "--append", "--output"] {
        let (code, _, stderr) = keygen(flag, &path);
        assert_eq!(code, 1, "{flag}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "hunter2\n");
    }
}

#[test]
fn keygen_rotates_through_a_symbolic_link() {
    let (path, link) = (fresh("keygen-real.keys"), fresh("keygen-link.keys"));
    keygen("--output", &path);
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(keygen("--rotate", &link).0, 0);
    assert!(link.is_symlink());
    assert_eq!(keys(&path).len(), 2);
}

#[test]
fn completions_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, _) = revoker(&["completions", shell], &[], "");
        assert_eq!(code, 0);
        assert!(
            [
                "publish", "keygen", "amqp-url", "check", "status", "watch", "revoke"
            ]
            .iter()
            .all(|word| script.contains(word)),
            "{shell}"
        );
    }
}

/// A broker where nobody listens: port 1 of this machine.
const NOBODY: (&str, &str) = ("REVOKER_AMQP_URL", "amqp://u:hunter2@127.0.0.1:1/v");
const SESSION: &str = "session-test-22222222-2222-4222-8222-222222222222";

#[test]
fn publish_refuses_what_the_worker_would_refuse() {
    let stated = |project| [NOBODY, ("REVOKER_STYTCH_PROJECT_ID", project)];
    let good = [
        "publish",
        "--session-id",
        SESSION,
        "--reason",
        "admin_action",
    ];
    let bad = [
        "publish",
        "--session-id",
        SESSION,
        "--reason",
        "Admin action!",
    ];
    let (code, _, stderr) = revoker(&bad, &[NOBODY], "");
    assert_eq!(code, 64);
    assert!(
        stderr.starts_with("error: the event would be refused: bad_format: reason must be"),
        "{stderr}"
    );

    let (code, _, stderr) = revoker(&good, &stated(LIVE), "");
    assert_eq!(code, 64);
    assert!(stderr.contains("wrong_environment"), "{stderr}");

    // Accepted: it gets as far as the broker that is not there.
    for (variables, project) in [(vec![NOBODY], "none"), (stated(PROJECT).to_vec(), PROJECT)] {
        let (code, _, stderr) = revoker(&good, &variables, "");
        assert_eq!(code, 69, "{project}: {stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}

#[test]
fn publish_reads_events_and_credentials_from_standard_input() {
    let token = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q";
    let event = format!(
        r#"{{"type":"session.revoke.v1","id":"e1","occurred_at":"2026-01-01T00:00:00Z","reason":"policy","session_id":"{}"}}"#,
        SESSION.replace("test", "live"),
    );
    let by_token = [
        "publish",
        "--session-token-file",
        "-",
        "--reason",
        "device_lost",
    ];
    let cases: &[(&[&str], &str, i32)] = &[
        (&["publish", "-"], &event, 69),
        (&["publish", "-"], "{", 64),
        (&["publish", "-", "--reason", "policy"], &event, 64),
        (&["publish", "-", "--session-id", SESSION], &event, 64),
        (&by_token, &format!("{token}\n"), 69),
        (&by_token, "to ken", 64),
    ];
    for (args, input, expected) in cases {
        let (code, _, stderr) = revoker(args, &[NOBODY], input);
        assert_eq!(code, *expected, "{args:?}: {stderr}");
        assert!(
            !stderr.contains(token) && !stderr.contains("to ken"),
            "{stderr}"
        );
    }
}
