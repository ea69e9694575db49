//! What is refused before any call: wrong ids, wrong times, too many; each without its value.

use revoker::revoke::sandbox::PROJECT_ID_DEFAULT;

use super::{TOKEN, revoke_at, session, start, user};
use crate::{cli::revoker, config::LIVE};

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";

/// Refused with this text, the arguments' values withheld, and nothing called.
async fn check(args: &[&str], input: &str, said: &[&str]) {
    let sandbox = start().await;
    let (code, stdout, stderr) = revoke_at(sandbox.url(), args, input).await;
    assert_eq!((code, stdout.as_str()), (64, ""), "{args:?}: {stderr}");
    for said in said {
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let values = args
        .iter()
        .filter(|arg| arg.len() > 20 && !arg.starts_with("--"));
    for value in values.copied().chain([JWT]) {
        assert!(!stderr.contains(value), "{args:?}: {stderr}");
    }
    let calls = sandbox.stats().calls;
    assert_eq!(
        (calls.revoke, calls.list, calls.other),
        (0, 0, 0),
        "{args:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thing_under_the_wrong_name_is_refused() {
    let (session, user, other) = (session(1), user(1), user(2));
    let live = [&session, &user].map(|id| id.replace("-test-", "-live-"));
    let (long, from_stdin) = ("u".repeat(20_000), ["--session-token-file", "-"]);
    let keep = |id| ["--user", &user, "--keep-session-id", id];
    #[rustfmt::skip]
    let rows: [(&[&str], &str, &[&str]); 15] = [
        (&["--user", &session], "", &["--user does not look like a user id", "use --session"]),
        (&["--session", &user], "", &["--session does not look like a session id", "use --user"]),
        (&["--session", TOKEN], "", &["value withheld", "goes in --session-token-file"]),
        (&["--user", TOKEN], "", &["value withheld", "goes in --session-token-file"]),
        (&["--session", JWT], "", &["value withheld", "a session JWT is not taken here"]),
        (&["--session", &live[0]], "", &["--session belongs to another project", "is a test one"]),
        (&["--user", &live[1]], "", &["--user belongs to another project"]),
        (&from_stdin, &session, &["--session-token-file looks like a session id, use --session"]),
        (&from_stdin, "short", &["--session-token-file must be 20 to 512"]),
        (&from_stdin, "", &["--session-token-file must be"]),
        (&["--session-token-file", TOKEN], "", &["names no file (name withheld"]),
        (&keep(&other), "", &["--keep-session-id does not look like", "it looks like a user id"]),
        (&keep(&live[0]), "", &["--keep-session-id belongs to another project"]),
        (&["--user", &user, "--cutoff", "2026-11-22T06:30:00"], "", &["--cutoff has no time zone"]),
        (&["--user", &long], "", &["--user is far too long for an id (value withheld)"]),
    ];
    for (args, input, said) in rows {
        check(args, input, said).await;
    }
}

/// Whoever has twenty ids wants to hear of all that are wrong, and which they are.
#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_told_at_once_and_nothing_is_done() {
    let args = [
        "--user",
        &user(1),
        &session(1),
        &session(2),
        "--session",
        &session(3),
        &user(2),
        "--cutoff",
        "soon",
    ];
    let said = [
        "nothing was revoked: --session number 2 ",
        "--user number 2 ",
        "--user number 3 ",
        "--cutoff ",
    ];
    check(&args, "", &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_checked() {
    check(&[], "", &["--session", "--user"]).await;
    check(
        &["--session", &session(1), "--cutoff", "2026-11-22T06:30:00Z"],
        "",
        &["--user"],
    )
    .await;
    check(
        &["--session", &session(1), "--keep-session-id", &session(2)],
        "",
        &["--user"],
    )
    .await;
    check(
        &["--user", &user(1), "--timeout", "2h"],
        "",
        &["from 0s to 1h"],
    )
    .await;
    let many: Vec<String> = (0..101).map(user).collect();
    let args: Vec<&str> = ["--user"]
        .into_iter()
        .chain(many.iter().map(String::as_str))
        .collect();
    check(&args, "", &["101 targets are too many, the limit is 100"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_unknown_format_is_sent_with_a_warning() {
    let sandbox = start().await;
    let args = ["--user", "customer-4711", &user(1)];
    let (code, stdout, stderr) = revoke_at(sandbox.url(), &args, "").await;
    // The pretend API knows its own ids only.
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.starts_with("warning: --user number 1 has a format"),
        "{stderr}"
    );
    assert!(stdout.contains("customer-4711: FAILED before its sessions were listed: Stytch refuses this call (HTTP 400 invalid_user_id"), "{stdout}");
    assert!(
        stdout.contains(&format!("{}: Stytch knows no such user", user(1))),
        "{stdout}"
    );
}

#[test]
fn only_the_settings_of_stytch_are_asked_for() {
    let (code, _, stderr) = revoker(&["revoke", "--user", &user(1)], &[], "");
    assert_eq!(code, 64);
    assert!(
        stderr.starts_with("error: 2 settings are wrong\n"),
        "{stderr}"
    );
    let variables = [
        ("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID_DEFAULT),
        ("REVOKER_STYTCH_SECRET", "hunter2"),
        ("REVOKER_STYTCH_BASE_URL", "http://far.example"),
        ("REVOKER_AMQP_URL", "not looked at"),
    ];
    let (code, _, stderr) = revoker(&["revoke", "--user", &user(1)], &variables, "");
    assert_eq!(code, 64);
    assert!(
        stderr.contains("REVOKER_ALLOW_PLAINTEXT=far.example") && !stderr.contains("hunter2"),
        "{stderr}"
    );
    let (_, stdout, _) = revoker(&["revoke", "--help"], &variables, "");
    assert!(
        stdout.contains("REVOKER_STYTCH_SECRET") && !stdout.contains("hunter2"),
        "{stdout}"
    );
    assert!(!stdout.contains("AMQP"), "{stdout}");

    let variables = [
        ("REVOKER_STYTCH_PROJECT_ID", LIVE),
        ("REVOKER_STYTCH_SECRET", "hunter2"),
    ];
    let (code, _, stderr) = revoker(&["revoke", "--user", &user(1)], &variables, "");
    assert_eq!(code, 64);
    assert!(stderr.contains("is a live one"), "{stderr}");
}
