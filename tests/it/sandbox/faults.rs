//! Each fault as a client sees it, and which request gets one.

use std::{collections::BTreeMap, time::Duration};

use revoker::revoke::sandbox::{Fault, Faults, Plan, Sandbox, Settings};
use tokio::time::Instant;

use super::{
    client::{End, Got, get, list, post, revoke, send},
    session, start, user, world,
};

async fn plan(sandbox: &Sandbox, json: &str) -> Got {
    send(sandbox.addr(), &post("/sandbox/faults", json)).await
}

/// Lets every call meet the fault, and compares what a revoke of session 1 sees of it, and whether
/// the session lives on.
async fn check(fault: &str, status: u16, error_type: &str, end: End, survives: bool) -> Got {
    let sandbox = start(Settings {
        preload: world(1),
        ..Settings::default()
    })
    .await;
    let set = plan(&sandbox, &format!(r#"{{"rates":{{"{fault}":1}}}}"#)).await;
    assert_eq!(set.status, 200, "{fault}: {set:?}");
    let got = send(sandbox.addr(), &revoke(&session(1))).await;
    assert_eq!(
        (got.status, &*got.field("error_type"), got.end),
        (status, error_type, end),
        "{fault}: {got:?}"
    );
    let stats = sandbox.stats();
    assert_eq!(stats.sessions.live, u64::from(survives), "{fault}");
    assert_eq!(stats.faults.values().sum::<u64>(), 1, "{fault}");
    assert_eq!(
        stats.answers.values().sum::<u64>(),
        u64::from(status != 0),
        "{fault}"
    );
    got
}

#[tokio::test]
async fn each_fault_is_seen_by_a_client() {
    check("500", 500, "internal_server_error", End::Whole, true).await;
    check("503", 503, "server_unavailable", End::Whole, true).await;
    check("401", 401, "unauthorized_credentials", End::Whole, true).await;
    check("429", 429, "too_many_requests", End::Whole, true).await;
    check("captcha_failed", 429, "captcha_failed", End::Whole, true).await;
    let credentials = "invalid_project_id_authentication";
    check(credentials, 400, credentials, End::Whole, true).await;
    check("hang", 0, "", End::Open, true).await;
    check("reset", 0, "", End::Reset, true).await;
    check("lost", 0, "", End::Reset, false).await;
    let half = check("half-body", 200, "", End::BrokenOff, true).await;
    assert!(
        half.body.starts_with(r#"{"status_code":200,"#) && !half.body.contains('}'),
        "{half:?}"
    );
    check("slow-body", 200, "", End::Open, false).await;
    check("huge-body", 200, "", End::TooLong, true).await;
    for (fault, status) in [("html-200", 200), ("502", 502)] {
        let page = check(fault, status, "", End::Whole, true).await;
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
    }
    let false_200 = check("false-200", 200, "internal_server_error", End::Whole, true).await;
    assert_eq!(false_200.field("status_code"), "500");
    let redirect = check("redirect", 302, "", End::Whole, true).await;
    assert!(redirect.header("location").is_some());
}

#[tokio::test]
async fn retry_after_comes_with_429_only_when_it_is_set() {
    let sandbox = start(Settings {
        preload: world(1),
        ..Settings::default()
    })
    .await;
    for (json, expected) in [
        (r#"{"answer_all":"429"}"#, None),
        (r#"{"answer_all":"429","retry_after":2}"#, Some("2")),
        (r#"{"answer_all":"429-bare","retry_after":2}"#, None),
        (r#"{"answer_all":"503","retry_after":2}"#, None),
    ] {
        assert_eq!(plan(&sandbox, json).await.status, 200);
        let got = send(sandbox.addr(), &revoke(&session(1))).await;
        assert_eq!(got.header("retry-after"), expected, "{json}");
    }
}

#[tokio::test]
async fn faults_by_id_hit_that_id_alone_for_so_many_times() {
    let sandbox = start(Settings {
        preload: world(2),
        ..Settings::default()
    })
    .await;
    let json = format!(
        r#"{{"by_id":{{"{}":{{"fault":"500","times":2}},"{}":{{"status":418,"error_type":"teapot"}},"a-token_0":"503"}},"rates":{{}}}}"#,
        session(1),
        user(1),
    );
    assert_eq!(plan(&sandbox, &json).await.status, 200);
    let token = post("/v1/sessions/revoke", r#"{"session_token":"a-token_0"}"#);
    let id = revoke(&session(1));
    for (request, status) in [
        (&token, 503),
        (&id, 500),
        (&revoke(&session(2)), 200),
        (&id, 500),
        (&list(&user(1)), 418),
        (&id, 200),
    ] {
        assert_eq!(
            send(sandbox.addr(), request).await.status,
            status,
            "{}",
            request.body
        );
    }
}

#[tokio::test]
async fn answer_all_comes_before_authentication_and_ends_with_the_next_plan() {
    let sandbox = start(Settings {
        preload: world(1),
        ..Settings::default()
    })
    .await;
    plan(&sandbox, r#"{"answer_all":"401"}"#).await;
    assert_eq!(
        send(sandbox.addr(), &get("/v1/debug/whoami")).await.status,
        401
    );
    assert_eq!(
        send(sandbox.addr(), &get("/v1/elsewhere")).await.status,
        404
    );
    plan(&sandbox, "{}").await;
    assert_eq!(
        send(sandbox.addr(), &get("/v1/debug/whoami")).await.status,
        200
    );
}

#[tokio::test]
async fn a_refused_plan_says_why_and_leaves_the_old_one() {
    let sandbox = start(Settings::default()).await;
    plan(&sandbox, r#"{"answer_all":"503"}"#).await;
    for (json, hint) in [
        ("", "EOF"),
        (r#"{"answer_al":"503"}"#, "unknown field"),
        (r#"{"answer_all":"5000"}"#, "fault"),
        (
            r#"{"answer_all":{"status":200,"error_type":"x"}}"#,
            "400 to 599",
        ),
        (r#"{"rates":{"500":1.5}}"#, "share"),
        (r#"{"rates":{"500":0.6,"503":0.6}}"#, "more than 1"),
        (r#"{"rates":{"oops":0.1}}"#, "half-body"),
        (r#"{"by_id":{"x":"oops"}}"#, "by_id"),
        (r#"{"limit":{"per_second":0}}"#, "at least 1"),
    ] {
        let got = plan(&sandbox, json).await;
        assert_eq!(got.status, 400, "{json}");
        assert!(got.field("error").contains(hint), "{json}: {got:?}");
    }
    assert_eq!(
        send(sandbox.addr(), &get("/v1/debug/whoami")).await.status,
        503
    );
}

#[tokio::test]
async fn latency_holds_api_answers_back() {
    let latency = Duration::from_millis(80);
    let sandbox = start(Settings {
        latency,
        ..Settings::default()
    })
    .await;
    let began = Instant::now();
    send(sandbox.addr(), &get("/v1/debug/whoami")).await;
    assert!(began.elapsed() >= latency);
}

/// The faults that `ids` draw at a seed, each asked `times` times.
fn drawn<'a>(
    seed: u64,
    ids: impl Iterator<Item = &'a String>,
    times: u64,
) -> BTreeMap<(String, u64), Option<Fault>> {
    let rates = [("500", 0.2), ("429", 0.1), ("hang", 0.05)];
    let plan = Plan {
        rates: rates.map(|(word, share)| (word.to_owned(), share)).into(),
        ..Plan::default()
    };
    let mut faults = Faults::new(&plan, seed).expect("a right plan");
    let pairs = ids.flat_map(|id| (0..times).map(move |nth| (id.clone(), nth)));
    pairs
        .map(|(id, nth)| ((id.clone(), nth), faults.pick(&id, nth)))
        .collect()
}

#[test]
fn faults_follow_from_the_seed_in_whatever_order_requests_come() {
    let ids: Vec<_> = (0..1000).map(session).collect();
    let there = drawn(7, ids.iter(), 20);
    assert_eq!(there, drawn(7, ids.iter().rev(), 20));
    assert_ne!(there, drawn(8, ids.iter(), 20));
    let hit = |nth| there[&(session(0), nth)].is_some();
    assert!(
        (0..20).any(hit) && !(0..20).all(hit),
        "a draw for each request"
    );
    for (word, share) in [("500", 0.2), ("429", 0.1), ("hang", 0.05)] {
        let fault = Some(word.parse().expect("a fault"));
        let hits = there.values().filter(|drawn| **drawn == fault).count();
        let seen = hits as f64 / there.len() as f64;
        assert!((seen - share).abs() < 0.01, "{word}: {seen} of {share}");
    }
}
