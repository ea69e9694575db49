//! `revoker publish --verify`: a publisher's hello world, through a real worker and back.

use serde_json::json;

use crate::harness::{Event, World, once::Ended, user::User};

/// Runs it with the settings of a worker of this world, and these changes.
async fn verify(world: &World, arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut all = world.worker();
    for (name, value) in settings {
        all = all.set(name, value);
    }
    let arguments = [&["publish", "--verify"], arguments].concat();
    all.once(&arguments).await
}

/// Exit code and the beginning of what standard error says.
fn check(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{ended:?}");
    for part in says {
        assert!(ended.err.contains(part), "no {part:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_worker_answers_in_both_lanes() {
    let world = World::new("verify").await;
    let mut worker = world.worker().start().await;
    let prefix = &world.broker.prefix;
    let ended = verify(&world, &["--publisher", "accounts.eu"], &[]).await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    let ways = format!("published to {prefix}.urgent as accounts.eu, taken by a worker");
    assert!(ended.out.starts_with("verified "), "{ended:?}");
    assert!(ended.out.contains(&ways), "{ended:?}");

    let arguments = ["--lane", "bulk", "--json", "--publisher", "accounts.eu"];
    let ended = verify(&world, &arguments, &[]).await;
    let told = ended.json();
    assert_eq!((ended.code, &told["outcome"]), (0, &json!("verified")));
    assert!(told["seconds"].as_f64().unwrap() > 0.0);
    // Its outcome stands in the audit trail, and its queue is gone.
    let outcomes = world.broker.outcomes().await;
    let its = outcomes.iter().find(|o| told["event_id"] == o.event_id());
    let its = its.expect("it is recorded");
    assert_eq!(its.routing_key, "bulk.verified.accounts.eu");

    // Another project's publisher learns that this worker is not its own.
    let other = "project-test-22222222-2222-4222-8222-222222222222";
    let ended = verify(&world, &[], &[("REVOKER_STYTCH_PROJECT_ID", other)]).await;
    let says = [
        "error: the worker did not take ",
        "wrong_project: ",
        "revoker dead-letters show ",
    ];
    check(&ended, 1, &says);
    world.check_unharmed(&mut worker).await;
}

/// Tells somebody else's outcome, and one of this publisher's that is not for the event that was asked about.
async fn tell_others(world: &World) {
    let others = [
        ("urgent.verified.other", "somebodys"),
        ("urgent.verified.cli", "earlier"),
    ];
    loop {
        for (key, id) in others {
            let outcome = json!({
                "type": "session.revoke.outcome.v1", "event_id": id, "publisher": "cli",
                "outcome": "verified", "completed_at": jiff::Timestamp::now(),
            });
            let event = Event::raw(outcome.to_string()).in_exchange("outcomes");
            world.broker.publish_one(&event.by(key)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn nobody_answers() {
    let world = World::new("unanswered").await;
    let prefix = &world.broker.prefix;
    let ended = verify(&world, &["--timeout", "1s"], &[]).await;
    let no_queue = format!("error: no queue takes what is published to {prefix}.urgent, ");
    check(&ended, 1, &[&no_queue, "start a worker"]);

    world.declare().await;
    let others = tell_others(&world);
    let ended = tokio::select! {
        ended = verify(&world, &["--timeout", "3s"], &[]) => ended,
        () = others => unreachable!("they are told without end"),
    };
    let says = [
        "error: RabbitMQ has ",
        "no outcome came within 3s",
        "revoker status",
        "REVOKER_OUTCOMES",
    ];
    check(&ended, 69, &says);
    assert_eq!(world.broker.depth("urgent").await, Some(1));

    // A publisher with no right to listen has published nothing.
    let user = User::new("publisher").await;
    user.permit_each("^$", ".*", "^$").await;
    let url = user.of(&world.broker).url;
    let ended = verify(&world, &[], &[("REVOKER_AMQP_URL", &url)]).await;
    check(
        &ended,
        1,
        &[
            "nothing was published: our user may not listen",
            "ACCESS_REFUSED",
        ],
    );
    assert_eq!(world.broker.depth("urgent").await, Some(1));
}
