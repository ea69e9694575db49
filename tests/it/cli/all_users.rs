//! Every user of a project, one a line, from the pretend API and from servers that do not end.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use revoker::{
    cli::{
        Failure,
        all_users::{Bounds, Pace, write_all, write_all_within},
    },
    revoke::{
        SecretSource, Settings,
        client::Client,
        sandbox::{self, PROJECT_ID_DEFAULT, Plan, SECRET_DEFAULT, Sandbox, Seed},
        users::SEARCHES_PER_MINUTE,
    },
};
use serde_json::json;
use tokio::time::Instant;

use crate::revoke::server::{Server, http};

const USERS: u32 = 2500;

async fn sandbox() -> Sandbox {
    let settings = sandbox::Settings {
        preload: Seed {
            users: USERS,
            sessions_per_user: Some(0),
            ..Seed::default()
        },
        ..sandbox::Settings::default()
    };
    Sandbox::start(settings).await.unwrap()
}

fn client(url: String) -> Client {
    Client::new(Settings {
        project_id: PROJECT_ID_DEFAULT.into(),
        secret: SecretSource::Fixed(SECRET_DEFAULT.into()),
        base_url: url,
        tls: revoker::tls::Files::default(),
        call_timeout: Duration::from_secs(30),
    })
    .unwrap()
}

/// Patience for the shortest of all.
fn bounds(failing_max: Duration) -> Bounds {
    Bounds {
        failing_max,
        ..Bounds::default()
    }
}

fn plan(sandbox: &Sandbox, plan: serde_json::Value) {
    let plan: Plan = serde_json::from_value(plan).unwrap();
    sandbox.set_plan(&plan).unwrap();
}

#[tokio::test]
async fn every_user_is_written_once() {
    let sandbox = sandbox().await;
    let (client, mut sink, mut progress) = (client(sandbox.url()), Vec::new(), Vec::new());
    let written = write_all(&client, &mut sink, |so_far, total| {
        progress.push((so_far, total));
    });
    assert_eq!(written.await.unwrap(), u64::from(USERS));
    let total = Some(u64::from(USERS));
    assert_eq!(progress, [(1000, total), (2000, total), (2500, total)]);
    let text = String::from_utf8(sink).unwrap();
    assert!(text.ends_with('\n'));
    let ids: BTreeSet<&str> = text.lines().collect();
    assert_eq!((text.lines().count(), ids.len()), (2500, 2500));
    assert!(
        ids.iter()
            .all(|id| id.starts_with("user-test-") && id.len() == 46)
    );
    assert_eq!(sandbox.stats().calls.search, 3);
}

#[tokio::test]
async fn a_limit_and_failures_that_pass_lose_nobody() {
    let sandbox = sandbox().await;
    let cursor = {
        let page = client(sandbox.url()).search_users(None, 1000).await;
        page.unwrap().next_cursor.unwrap()
    };
    plan(
        &sandbox,
        json!({"retry_after": 1, "by_id": {
            "": {"fault": "500", "times": 2},
            &*cursor: {"fault": "429", "times": 1},
        }}),
    );
    let (client, mut sink, began) = (client(sandbox.url()), Vec::new(), Instant::now());
    let written = write_all(&client, &mut sink, |_, _| {});
    assert_eq!(written.await.unwrap(), u64::from(USERS));
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "Retry-After is kept"
    );
    assert_eq!(String::from_utf8(sink).unwrap().lines().count(), 2500);
    let stats = sandbox.stats();
    assert_eq!((stats.answers[&500], stats.answers[&429]), (2, 1));
    assert_eq!(stats.calls.search, 1 + 3 + 3);
}

/// How it ends when all answers are one fault.
async fn ends(fault: &str, unavailable: bool, said: &str) {
    let sandbox = sandbox().await;
    plan(&sandbox, json!({"answer_all": fault}));
    let bounds = bounds(Duration::from_millis(600));
    let mut sink = Vec::new();
    let client = client(sandbox.url());
    let ended = write_all_within(&client, &mut sink, |_, _| panic!("no page"), bounds).await;
    let error = ended.unwrap_err();
    assert_eq!(
        matches!(error, Failure::Unavailable(_)),
        unavailable,
        "{fault}: {error}"
    );
    let text = error.to_string();
    assert!(
        text.contains(said) && text.contains("0 came"),
        "{fault}: {text}"
    );
    assert!(!text.contains(SECRET_DEFAULT) && sink.is_empty());
}

#[tokio::test]
async fn what_does_not_pass_ends() {
    ends("500", true, "Stytch failed (HTTP 500 internal_server_error").await;
    ends("429", true, "Stytch limits our rate").await;
    ends("reset", true, "Stytch cannot be reached").await;
    ends("401", false, "REVOKER_STYTCH_SECRET").await;
    ends("bad_request", false, "refuses this call").await;
    ends("user_not_found", false, "refuses this call").await;
}

/// A page with this cursor, of one user whose number counts up unless told otherwise.
fn page(n: usize, same: bool, users: bool, cursor: &str) -> String {
    let n = if same { 0 } else { n };
    let users = match users {
        true => json!([{"user_id": format!("user-test-{n}")}]),
        false => json!([]),
    };
    json!({"status_code": 200, "request_id": "request-id-test-9", "results": users,
        "results_metadata": {"next_cursor": cursor, "total": -1}})
    .to_string()
}

/// How it ends when the server makes every page by its number, and how many users were written by then.
async fn endless(page: fn(usize) -> String, said: &str, written: usize) {
    let asked = AtomicUsize::new(0);
    let answer = move |_: &str| {
        http(
            "200 OK",
            "connection: close\r\n",
            &page(asked.fetch_add(1, Ordering::Relaxed)),
        )
    };
    let server = Server::start(answer).await;
    let (client, mut sink) = (client(server.url.clone()), Vec::new());
    let ended = write_all(&client, &mut sink, |_, total| assert_eq!(total, None));
    let text = ended.await.unwrap_err().to_string();
    assert!(
        text.contains(said) && text.contains("request-id-test-9"),
        "{text}"
    );
    assert_eq!(
        String::from_utf8(sink).unwrap().lines().count(),
        written,
        "{said}"
    );
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let again = "the cursor of an earlier page again";
    endless(|n| page(n, false, true, "always"), again, 1).await;
    endless(|n| page(n, false, true, ["a", "b", "c"][n % 3]), again, 3).await;
    let empty = "a page without a user";
    endless(|n| page(n, false, n < 2, &format!("c{n}")), empty, 2).await;
    let same = "the same page twice";
    endless(|n| page(n, true, true, &format!("c{n}")), same, 1).await;
}

/// A full disk.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("no space"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_written_is_no_success() {
    let sandbox = sandbox().await;
    let ended = write_all(&client(sandbox.url()), &mut Full, |_, _| {}).await;
    let text = ended.unwrap_err().to_string();
    assert_eq!(text, "cannot write the list of users: no space");
}

/// However fast the answers come, and wherever the minute begins.
#[tokio::test]
async fn no_minute_has_more_searches_than_stytch_documents() {
    let minute = Duration::from_secs(60);
    for took in [0, 1, 300, 499, 501, 700] {
        let (mut pace, mut now, mut due) = (Pace::default(), Instant::now(), Vec::new());
        for _ in 0..1000 {
            let at = pace.next(now);
            assert!(at >= now);
            due.push(at);
            now = at + Duration::from_millis(took);
        }
        let in_minute = |from: &Instant| {
            due.iter()
                .filter(|at| (*from..*from + minute).contains(*at))
                .count()
        };
        let most = due.iter().map(in_minute).max().unwrap();
        assert!(
            most <= SEARCHES_PER_MINUTE as usize,
            "{most} with answers after {took} ms"
        );
        assert!(took > 499 || most > 120, "{most}: slower than it must be");
        assert!(
            due[20] - due[0] <= Duration::from_millis(20 * took),
            "a few pages need no wait"
        );
    }
}
