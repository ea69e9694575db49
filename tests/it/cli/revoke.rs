//! Break-glass: the program itself against the pretend API, from its arguments to its exit code.

mod stops;
mod wrong;

use revoker::revoke::{
    Api, Call,
    client::Client,
    sandbox::{PROJECT_ID_DEFAULT, Plan, SECRET_DEFAULT, Sandbox, Seed, Settings},
};
use serde_json::{Value, json};

use super::{Ended, revoker};

/// What lies before every run.
const OLD: &str = "2026-01-01T00:00:00Z";
/// What lies after every run.
const NEW: &str = "2100-01-01T00:00:00Z";
const TOKEN: &str = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q";

fn session(n: u32) -> String {
    format!("session-test-00000000-0000-4000-8000-{n:012}")
}

fn user(n: u32) -> String {
    format!("user-test-00000000-0000-4000-8000-{n:012}")
}

async fn start() -> Sandbox {
    Sandbox::start(Settings::default()).await.unwrap()
}

/// Sessions of a user.
fn open(sandbox: &Sandbox, user_n: u32, sessions: u32, started_at: &str) -> Vec<String> {
    let seed = Seed {
        user_ids: vec![user(user_n)],
        sessions_per_user: Some(sessions),
        started_at: started_at.parse().ok(),
        ..Seed::default()
    };
    sandbox.seed(&seed).unwrap().session_ids
}

fn plan(sandbox: &Sandbox, plan: Value) {
    let plan: Plan = serde_json::from_value(plan).unwrap();
    sandbox.set_plan(&plan).unwrap();
}

/// What the user's sessions are now.
async fn listed(sandbox: &Sandbox, user_n: u32) -> Vec<String> {
    let client = Client::new(revoker::revoke::Settings {
        project_id: PROJECT_ID_DEFAULT.into(),
        secret: revoker::revoke::SecretSource::Fixed(SECRET_DEFAULT.into()),
        base_url: sandbox.url(),
        tls: revoker::tls::Files::default(),
        call_timeout: std::time::Duration::from_secs(30),
    });
    let reply = client
        .unwrap()
        .call(&Call::ListSessions(user(user_n)))
        .await;
    reply.sessions.into_iter().map(|s| s.session_id).collect()
}

/// Runs `revoker revoke` against this URL. No credential is in anything that it writes.
async fn revoke_at(url: String, args: &[&str], input: &str) -> Ended {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let input = input.to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        let mut all = vec!["revoke"];
        all.extend(args.iter().map(String::as_str));
        let variables = [
            ("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID_DEFAULT),
            ("REVOKER_STYTCH_SECRET", SECRET_DEFAULT),
            ("REVOKER_STYTCH_BASE_URL", &url),
        ];
        revoker(&all, &variables, &input)
    });
    let ended = ended.await.unwrap();
    for secret in [SECRET_DEFAULT, TOKEN, "Basic ", "c2VjcmV0LXRlc3Q"] {
        assert!(
            !ended.1.contains(secret) && !ended.2.contains(secret),
            "{ended:?}"
        );
    }
    // Of nobody is it said that he is logged out: that is more than Stytch says.
    assert!(!format!("{ended:?}").contains("logged out"), "{ended:?}");
    ended
}

async fn revoke(sandbox: &Sandbox, args: &[&str]) -> Ended {
    revoke_at(sandbox.url(), args, "").await
}

/// The one JSON object on standard output.
fn object(ended: &Ended) -> Value {
    assert_eq!(ended.1.lines().count(), 1, "{ended:?}");
    serde_json::from_str(&ended.1).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Compares the members that are given.
fn holds(got: &Value, wanted: Value) {
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(got[name], *value, "{name} of {got:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_old_sessions_end_and_newer_and_kept_ones_stay() {
    let sandbox = start().await;
    let old = open(&sandbox, 1, 3, OLD);
    let new = open(&sandbox, 1, 1, NEW);
    open(&sandbox, 2, 1, OLD);
    let kept = old[1].as_str();
    let args = ["--user", &user(1), "--keep-session-id", kept, "--json"];
    let ended = revoke(&sandbox, &args).await;
    assert_eq!((ended.0, ended.2.as_str()), (0, ""), "{ended:?}");
    let report = object(&ended);
    let one = &report["results"][0];
    holds(
        one,
        json!({
            "target_kind": "user", "target": user(1), "result": "revoked", "sessions": 2, "error": null,
            "sessions_newer": 1, "sessions_left": 0, "newest_started_at": NEW,
        }),
    );
    let time = |name: &str| {
        one[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(
        time("safe_at").duration_since(time("revoked_at")).as_secs(),
        300
    );
    assert!(time("cutoff") <= time("revoked_at"));
    assert!(
        one["request_id"]
            .as_str()
            .unwrap()
            .starts_with("request-id-test-"),
        "{one}"
    );
    holds(
        &report,
        json!({
            "targets": 1, "sessions": 2, "ended": 1, "failed": 0, "not_tried": 0, "interrupted": false,
            "safe_at": one["safe_at"],
        }),
    );
    assert_eq!(listed(&sandbox, 1).await, [kept.to_owned(), new[0].clone()]);
    assert_eq!(listed(&sandbox, 2).await.len(), 1, "somebody else's");

    // The same in words, of what is left: the one that was kept.
    let (code, stdout, _) = revoke(&sandbox, &["--user", &user(1)]).await;
    assert_eq!(code, 0);
    let said = format!(
        "{}: 1 session revoked, 1 newer session left alive (the newest started {NEW}); request-id-test-",
        user(1)
    );
    assert!(stdout.starts_with(&said), "{stdout}");
    assert!(
        stdout.contains("\nJWTs that were issued before can validate locally until "),
        "{stdout}"
    );
    let (code, stdout, _) = revoke(&sandbox, &["--user", &user(1)]).await;
    assert_eq!(code, 0);
    assert!(
        stdout.contains(": no session that started until 2"),
        "{stdout}"
    );
    assert!(
        stdout.contains(", 1 newer session left alive") && !stdout.contains("JWT"),
        "{stdout}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cutoff_decides_what_is_old() {
    let sandbox = start().await;
    open(&sandbox, 1, 2, "2026-05-05T05:05:05Z");
    for (cutoff, left) in [
        ("2026-05-05T05:05:04.999Z", 2),
        ("2026-05-05T07:05:05+02:00", 0),
    ] {
        let (code, stdout, _) = revoke(&sandbox, &["--user", &user(1), "--cutoff", cutoff]).await;
        assert_eq!(
            (code, listed(&sandbox, 1).await.len()),
            (0, left),
            "{cutoff}: {stdout}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stytch_does_not_know_is_told_as_such() {
    let sandbox = start().await;
    let known = open(&sandbox, 1, 1, OLD);
    let args = ["--session", &known[0]];
    let (code, stdout, _) = revoke(&sandbox, &args).await;
    assert_eq!(code, 0);
    assert!(
        stdout.starts_with(&format!("{}: revoked; request-id-test-", known[0])),
        "{stdout}"
    );

    let (code, stdout, stderr) = revoke(&sandbox, &args).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.contains(": Stytch knows no such session; ") && !stdout.contains("JWT"),
        "{stdout}"
    );
    let (code, stdout, _) = revoke(&sandbox, &["--user", &user(9)]).await;
    assert_eq!(code, 0);
    assert!(
        stdout.contains(": Stytch knows no such user; ") && !stdout.contains("JWT"),
        "{stdout}"
    );

    let args = [
        "--session",
        &known[0],
        "--user",
        &user(9),
        "--user",
        &user(1),
        "--json",
    ];
    let report = object(&revoke(&sandbox, &args).await);
    let words: Vec<_> = (0..3)
        .map(|n| report["results"][n]["result"].clone())
        .collect();
    assert_eq!(
        words,
        ["session_not_found", "user_not_found", "nothing_to_revoke"]
    );
    holds(&report, json!({"ended": 3, "sessions": 0, "safe_at": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_targets_go_in_order_each_once() {
    let sandbox = start().await;
    let sessions = open(&sandbox, 1, 3, OLD);
    open(&sandbox, 2, 2, OLD);
    let seed = Seed {
        tokens: [(TOKEN.to_owned(), session(7))].into(),
        ..Seed::default()
    };
    sandbox.seed(&seed).unwrap();
    let args = [
        "--user",
        &user(2),
        &user(1),
        "--session-token-file",
        "-",
        "--session",
        &sessions[0],
        "--session",
        &sessions[1],
        &sessions[0],
        "--json",
    ];
    let ended = revoke_at(sandbox.url(), &args, &format!(" {TOKEN}\n")).await;
    assert_eq!(ended.0, 0, "{ended:?}");
    let report = object(&ended);
    let results = report["results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|one| {
            (
                one["target_kind"].as_str().unwrap(),
                one["target"].as_str(),
                one["sessions"].as_u64().unwrap(),
            )
        })
        .collect();
    let (first, second) = (Some(sessions[0].as_str()), Some(sessions[1].as_str()));
    let users = [user(2), user(1)];
    assert_eq!(
        told,
        [
            ("session", first, 1),
            ("session", second, 1),
            ("token", None, 1),
            ("user", Some(&*users[0]), 2),
            ("user", Some(&*users[1]), 1),
        ]
    );
    assert_eq!(sandbox.stats().sessions.live, 0);

    let (code, stdout, _) = revoke(&sandbox, &["--user", &user(1), &user(9)]).await;
    assert_eq!(code, 0);
    let sum =
        "in all: 0 sessions revoked; of 2 targets, 2 have nothing left to revoke, 0 may have\n";
    assert!(stdout.ends_with(sum), "{stdout}");
}
