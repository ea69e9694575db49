//! The sandbox's own routes and its settings.

use std::net::SocketAddr;

use revoker::{
    cli::sandbox::run,
    revoke::sandbox::{Sandbox, Seed, SeedError, Settings},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    client::{get, post, revoke, send},
    flags::args,
    session, start, user, world,
};

async fn ledger(sandbox: &Sandbox, query: &str) -> Vec<Value> {
    let got = send(sandbox.addr(), &get(&format!("/sandbox/sessions{query}"))).await;
    got.body
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

#[tokio::test]
async fn the_ledger_and_the_counts_say_what_was_done() {
    let sandbox = start(Settings {
        preload: world(2500),
        ..Settings::default()
    })
    .await;
    let unknown = session(999_999);
    for id in [&session(2), &session(2), &session(2400), &unknown] {
        send(sandbox.addr(), &revoke(id)).await;
    }
    send(sandbox.addr(), &get("/nowhere")).await;

    let revoked = ledger(&sandbox, "?state=revoked").await;
    let seen: Vec<_> = revoked
        .iter()
        .map(|line| (&line["session_id"], &line["revoke_calls"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!(session(2)), &json!(2)),
            (&json!(session(2400)), &json!(1))
        ]
    );
    assert!(
        revoked
            .iter()
            .all(|line| line["revoked_at_ms"].as_i64() > Some(1_700_000_000_000))
    );
    let live = ledger(&sandbox, "?state=live").await;
    assert_eq!(live.len(), 2498);
    assert!(live.iter().all(|line| line["revoked_at_ms"].is_null()));
    assert_eq!(ledger(&sandbox, "").await.len(), 2500);
    assert_eq!(
        send(sandbox.addr(), &get("/sandbox/sessions?state=dead"))
            .await
            .status,
        400
    );

    let stats = send(sandbox.addr(), &get("/sandbox/stats")).await.json();
    assert_eq!(
        stats["calls"],
        json!({"revoke": 4, "list": 0, "whoami": 0, "search": 0, "other": 1})
    );
    assert_eq!(stats["answers"], json!({"200": 2, "404": 3}));
    assert_eq!(
        stats["errors"],
        json!({"route_not_found": 1, "session_not_found": 2})
    );
    assert_eq!(
        stats["revokes"],
        json!({"revoked": 2, "gone": 1, "unknown": 1})
    );
    assert_eq!(stats["sessions"], json!({"total": 2500, "live": 2498}));
}

#[tokio::test]
async fn seeding_is_deterministic() {
    let made = |seed| async move {
        let sandbox = start(Settings {
            seed,
            ..Settings::default()
        })
        .await;
        // Traffic between the two must not change the ids.
        let request_id = send(sandbox.addr(), &revoke(&session(1)))
            .await
            .field("request_id");
        let seed = Seed {
            users: 2,
            sessions_per_user: Some(3),
            sessions: 4,
            ..Seed::default()
        };
        (sandbox.seed(&seed).expect("a small seed"), request_id)
    };
    let first = made(1).await;
    assert_eq!((first.0.user_ids.len(), first.0.session_ids.len()), (2, 10));
    assert_eq!(first, made(1).await);
    assert_ne!(first, made(2).await);
}

#[tokio::test]
async fn seeding_is_bounded_and_all_or_nothing() {
    let sandbox = start(Settings {
        preload: world(1),
        ..Settings::default()
    })
    .await;
    let huge = Seed {
        users: u32::MAX,
        sessions_per_user: Some(u32::MAX),
        ..Seed::default()
    };
    let not_user = Seed {
        user_ids: vec![session(1)],
        ..Seed::default()
    };
    let not_session = Seed {
        tokens: [("t".to_owned(), user(1))].into(),
        ..Seed::default()
    };
    for (seed, error) in [
        (huge, SeedError::TooMany),
        (
            Seed {
                users: 2_000_000,
                sessions_per_user: Some(0),
                ..Seed::default()
            },
            SeedError::TooMany,
        ),
        (
            Seed {
                sessions: 2_000_000,
                ..Seed::default()
            },
            SeedError::TooMany,
        ),
        (not_user, SeedError::NotAUserId),
        (not_session, SeedError::NotASessionId),
    ] {
        assert_eq!(sandbox.seed(&seed), Err(error));
    }
    assert_eq!(sandbox.stats().sessions.total, 1);
    let bad = send(sandbox.addr(), &post("/sandbox/seed", r#"{"user":1}"#)).await;
    assert_eq!(bad.status, 400);
    let long = send(sandbox.addr(), &post("/sandbox/seed", " ".repeat(70_000))).await;
    assert_eq!(long.status, 413);
}

#[tokio::test]
async fn a_session_that_exists_keeps_its_state_when_it_is_seeded_again() {
    let sandbox = start(Settings {
        preload: world(2),
        ..Settings::default()
    })
    .await;
    send(sandbox.addr(), &revoke(&session(1))).await;
    let made = sandbox.seed(&world(2)).expect("a small seed");
    assert_eq!(made.session_ids, [session(1), session(2), session(1)]);
    let sessions = sandbox.stats().sessions;
    assert_eq!((sessions.total, sessions.live), (2, 1));
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let sandbox = start(Settings::default()).await;
    let addr = sandbox.addr();
    sandbox.stop().await;
    TcpListener::bind(addr).await.expect("the port is free");
}

#[tokio::test]
async fn other_addresses_than_loopback_need_leave() {
    let listen: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let error = Sandbox::start(Settings {
        listen,
        ..Settings::default()
    })
    .await;
    assert!(error.is_err_and(|error| error.to_string().contains("loopback")));
    assert!(
        run(args(&["--listen", "0.0.0.0:0"]).expect("right flags"))
            .await
            .is_err()
    );
    assert!(
        Sandbox::start(Settings {
            listen,
            allow_remote: true,
            ..Settings::default()
        })
        .await
        .is_ok()
    );
}
