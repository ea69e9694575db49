//! Wrong settings: `wrong.txt` sets one thing wrong a line and gives the exact text; here is what a
//! line cannot say.

use revoker::config::RunArgs;

use super::{LIVE, file, with};

/// What is said about these settings, one line a problem.
pub(super) fn problems(changed: &[(&str, &str)]) -> Vec<String> {
    match RunArgs::from_variables(&with(changed)).settings() {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn check(name: &str, value: &str, text: &str) {
    let flag = name.to_lowercase().replace('_', "-");
    let variable = format!("REVOKER_{name}");
    let expected = format!("{variable} (--{flag}) {text}");
    assert_eq!(
        problems(&[(&variable, value)]),
        [expected],
        "{name}={value}"
    );
}

#[test]
fn one_wrong_setting_a_line() {
    let lines = include_str!("wrong.txt").lines();
    let mut checked = 0;
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [name, value, text] = line.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("not name | value | text: {line}");
        };
        check(name, value, text);
        assert!(!text.contains("hunter2"), "{text}");
        checked += 1;
    }
    assert_eq!(checked, 44);
}

#[test]
fn long_values_are_cut_and_control_characters_escaped() {
    let cut = format!("is \"{}\"…; give on or off", "x".repeat(64));
    check("OUTCOMES", &"x".repeat(100), &cut);
    check(
        "OUTCOMES",
        "a\x1b[31m",
        r#"is "a\u{1b}[31m"; give on or off"#,
    );
}

#[test]
fn a_live_project_needs_its_own_host_and_a_key_ring() {
    let live = ("REVOKER_STYTCH_PROJECT_ID", LIVE);
    assert_eq!(
        problems(&[live, ("REVOKER_STYTCH_BASE_URL", "https://TEST.stytch.com")]),
        [
            "REVOKER_STYTCH_BASE_URL (--stytch-base-url) is https://test.stytch.com, but the project is a live one; leave it out, or give the other project",
            "REVOKER_SEAL_KEY_FILE (--seal-key-file) is not set, and a live project needs it; write one with revoker keygen --output FILE",
        ]
    );
}

#[test]
fn the_secret_comes_from_one_place() {
    let empty = file("empty.secret", " \n", 0o600);
    let from = |secret, file| {
        problems(&[
            ("REVOKER_STYTCH_SECRET", secret),
            ("REVOKER_STYTCH_SECRET_FILE", file),
        ])
    };
    assert_eq!(
        from("hunter2", "/any"),
        [
            "REVOKER_STYTCH_SECRET (--stytch-secret) and REVOKER_STYTCH_SECRET_FILE are both set; keep one of them"
        ]
    );
    let lines = file("lines.secret", "hunter2\nhunter3\n", 0o600);
    assert_eq!(
        from("", lines.to_str().unwrap()),
        [format!(
            "REVOKER_STYTCH_SECRET_FILE (--stytch-secret-file) names the file {lines:?}, which holds more than one line; put the credential alone there"
        )]
    );
    assert_eq!(
        from("", empty.to_str().unwrap()),
        [format!(
            "REVOKER_STYTCH_SECRET_FILE (--stytch-secret-file) names the file {empty:?}, which is empty; put the credential there"
        )]
    );
}

#[test]
fn key_ring() {
    let cases = [
        (
            "open.keys",
            "",
            0o640,
            ", which others than its owner may use (mode 640); run chmod 600 on it",
        ),
        (
            "none.keys",
            "# a comment\n\n",
            0o600,
            ": holds no key; write one with revoker keygen",
        ),
        (
            "broken.keys",
            "#\nrevoker-key-v1:hunter2\n",
            0o400,
            ": line 2 is not a key; a key line is revoker-key-v1: and 43 characters, written by revoker keygen",
        ),
    ];
    for (name, content, mode, text) in cases {
        let path = file(name, content, mode);
        check(
            "SEAL_KEY_FILE",
            path.to_str().unwrap(),
            &format!("names the file {path:?}{text}"),
        );
    }
}

#[test]
fn all_at_once() {
    let wrong = [
        ("REVOKER_AMQP_URL", "amqp://u:hunter2@far/v"),
        ("REVOKER_STYTCH_PROJECT_ID", "hunter2"),
        ("REVOKER_STYTCH_SECRET", ""),
        ("REVOKER_SLOTS", "many"),
        ("REVOKER_LOG", "loud"),
    ];
    let problems = RunArgs::from_variables(&with(&wrong))
        .settings()
        .unwrap_err();
    assert_eq!(problems.0.len(), wrong.len());
    let text = problems.to_string();
    assert!(
        text.starts_with("5 settings are wrong\n  REVOKER_AMQP_URL (--amqp-url) would send"),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}
