//! All is well: both lanes, every kind of target, and what is told of each.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, event::jwt_of, wait};

/// Sessions a user has.
const USER_SESSIONS: usize = 3;

#[tokio::test]
async fn every_kind_of_target_in_both_lanes() {
    let world = World::new("happy").await;
    let mut worker = world.worker().start().await;
    for lane in ["urgent", "bulk"] {
        every_kind(&world, lane).await;
    }
    let completed = "revoker_events_completed_total";
    wait::until("all are counted", PATIENCE, async || {
        worker.metrics().await.sum(completed, &[]) >= 10.0
    })
    .await;

    let metrics = worker.metrics().await;
    for lane in ["urgent", "bulk"] {
        let sum = |name: &str, label: &str, value: &str| {
            metrics.sum(name, &[("lane", lane), (label, value)])
        };
        assert_eq!(sum(completed, "outcome", "revoked"), 4.0, "{lane}");
        assert_eq!(sum(completed, "outcome", "verified"), 1.0, "{lane}");
        assert_eq!(
            sum("revoker_events_received_total", "delivery", "first"),
            5.0,
            "{lane}"
        );
        let exposures = metrics.sum("revoker_exposure_seconds_count", &[("lane", lane)]);
        assert_eq!(exposures, 4.0, "{lane}");
        assert_eq!(
            metrics.sum("revoker_inflight_events", &[("lane", lane)]),
            0.0
        );
    }
    for (name, value) in [
        (completed, 10.0),
        ("revoker_events_received_total", 10.0),
        ("revoker_dead_letters_total", 0.0),
        ("revoker_retries_total", 0.0),
        ("revoker_outcomes_unrecorded_total", 0.0),
    ] {
        assert_eq!(metrics.sum(name, &[]), value, "{name}");
    }
    assert_eq!(metrics.state(), "running");
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(0));
}

/// One event of each kind: the session is gone from the pretend API's lists, and there is one outcome.
async fn every_kind(world: &World, lane: &str) {
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let api = &world.sandbox;
    let [by_id, by_token, by_jwt] = {
        let (token_session, token) = api.seed_token().await;
        let ids = api.seed_sessions(2).await;
        let jwt = json!({ "session_jwt": jwt_of(&ids[1]) });
        [
            (ids[0].clone(), Event::session(&ids[0]), "session"),
            (
                token_session,
                Event::new(json!({ "session_token": token })),
                "token",
            ),
            (ids[1].clone(), Event::new(jwt), "session"),
        ]
    };
    let (user_id, older) = api.seed_user(USER_SESSIONS, hour_ago).await;
    let by_user = Event::user(&user_id).in_exchange(lane).by("accounts");
    let verify = Event::verify().in_exchange(lane).by("accounts");
    // Started after the event: the user has logged in again, and stays so.
    let hour_ahead = Timestamp::now() + SignedDuration::from_hours(1);
    let newer = api.seed_more(&user_id, 1, hour_ahead).await;

    let by_session = [by_id, by_token, by_jwt];
    let mut expected = vec![
        (by_user, "revoked", Some("user")),
        (verify, "verified", None),
    ];
    for (_, event, kind) in &by_session {
        let event = event.clone().in_exchange(lane).by("accounts");
        expected.push((event, "revoked", Some(kind)));
    }
    let events: Vec<_> = expected.iter().map(|(event, ..)| event.clone()).collect();
    world.broker.publish(&events).await;

    let outcomes = wait::value("an outcome for each", PATIENCE, async || {
        let mut outcomes = world.broker.outcomes().await;
        outcomes.retain(|o| o.routing_key.starts_with(lane));
        (outcomes.len() >= events.len()).then_some(outcomes)
    })
    .await;
    assert_eq!(outcomes.len(), events.len(), "{outcomes:?}");
    for (event, outcome, kind) in &expected {
        let own: Vec<_> = outcomes
            .iter()
            .filter(|o| o.event_id() == event.id)
            .collect();
        assert_eq!(own.len(), 1, "{own:?}");
        assert_eq!(own[0].routing_key, format!("{lane}.{outcome}.accounts"));
        assert_eq!(own[0].body["type"], "session.revoke.outcome.v1");
        assert_eq!(own[0].body["target_kind"].as_str(), *kind);
    }
    let of_user = outcomes
        .iter()
        .find(|o| o.body["target_kind"] == "user")
        .unwrap();
    assert_eq!(of_user.body["sessions"], USER_SESSIONS);
    assert_eq!(of_user.body["sessions_newer"], 1);

    let sessions = api.sessions().await;
    let gone = by_session.iter().map(|(id, ..)| id).chain(&older);
    for id in gone {
        assert!(sessions[id].revoked_at_ms.is_some(), "{id} lives");
        assert_eq!(sessions[id].revoke_calls, 1, "{id}");
    }
    assert_eq!(api.listed(&user_id).await, newer);
}
