//! `revoker check --production`, and that no process of ours leaves a core dump.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use revoker::{
    cli::check::{
        production::judge,
        report::{Line, Verdict},
    },
    config::Hardening,
};

use crate::{
    cli::revoker,
    config::{PROJECT, file},
};

fn verdicts(lines: &[Line]) -> Vec<Verdict> {
    lines.iter().map(|line| line.verdict).collect()
}

#[test]
fn nothing_soft_is_one_line() {
    let none = Hardening::default();
    assert_eq!(verdicts(&judge(&none, true)), [Verdict::Ok]);
    assert_eq!(verdicts(&judge(&none, false)), [Verdict::Failed]);
}

/// Nothing listens at these addresses, and what is said of production does not wait for it.
#[test]
fn production_is_judged_by_settings_alone() {
    let secret = file("soft.secret", "hunter2", 0o640);
    let variables = [
        ("REVOKER_AMQP_URL", "amqp://guest:hunter2@127.0.0.1:1/"),
        ("REVOKER_STYTCH_PROJECT_ID", PROJECT),
        ("REVOKER_STYTCH_SECRET_FILE", secret.to_str().unwrap()),
        ("REVOKER_STYTCH_BASE_URL", "http://127.0.0.1:1"),
        ("REVOKER_CALL_TIMEOUT", "1s"),
    ];
    let (code, plain, _) = revoker(&["check"], &variables, "");
    assert_eq!((code, plain.contains("production")), (69, false), "{plain}");
    assert!(plain.contains("mode 640"), "{plain}");
    let (code, out, _) = revoker(&["check", "--production"], &variables, "");
    let of = |verdict: &str| {
        let start = format!("{verdict:<11}  production");
        out.lines().filter(|line| line.starts_with(&start)).count()
    };
    assert_eq!((code, of("failed"), of("ok")), (1, 6, 2), "{out}");
    for text in [
        "holds the password",
        "logs in as guest",
        "is declare",
        "is a test project",
        "mode 640",
        "is not set, so that credentials are sealed",
        "do: put it into a file, and name that in REVOKER_AMQP_PASSWORD_FILE",
    ] {
        assert!(out.contains(text), "no {text:?} in\n{out}");
    }
    assert!(!out.contains("hunter2"));
}

#[test]
fn no_process_of_ours_dumps_its_memory() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_revoker"))
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let values: Vec<&str> = core.split_whitespace().skip(4).collect();
    assert_eq!(values[..2], ["0", "0"], "{core}");
}
