//! The screen and its JSON, for a look that is made up.

use revoker::cli::status::{
    Look, broker::Broker, json, screen::screen, verdict::Verdict, worker::InHand,
};
use serde_json::Value;

use super::{NOW, ago, away, healthy, held, look, queues, worker};

const SCREEN: &str = "\
NOT WELL   2026-11-22T06:30:05Z   revoker VERSION
  ! worker 10.0.0.7:9477: credentials for 1m 4s: why it is credentials; what to do; next probe in 26s
  ! worker 10.0.0.8:9477: not reachable (Connection refused); is it running?
  - 43 dead letters in revocation.dead: sessions that were told to die and may live

WORKER         STATE          FOR    READY  URGENT IN HAND    BULK IN HAND  ALLOWED/S  LAST REVOKED
10.0.0.7:9477  credentials    1m 4s  yes    3, oldest 1m 10s             0       99.2  1m 5s ago
10.0.0.8:9477  not reachable

QUEUE                  READY  CONSUMERS
revocation.urgent          0          2
revocation.bulk       12,345          2
2 retry queues             7             come back by themselves
revocation.unhandled       0          2
revocation.dead           43          0
";

fn in_trouble() -> Look {
    let held_up = worker("10.0.0.7:9477", |view| {
        view.shown = held("credentials", 64, Some(26));
        let urgent = InHand {
            events: 3,
            oldest: Some(ago(70)),
            last_revocation: Some(ago(65)),
        };
        view.lanes.insert("urgent", urgent);
    });
    let broker = queues([Some((0, 2)), Some((12_345, 2)), Some((0, 2))], 43);
    look(vec![held_up, away("10.0.0.8:9477")], broker)
}

#[test]
fn the_screen_says_first_what_is_wrong() {
    let look = in_trouble();
    let shown = screen(&look, &Verdict::of(&look));
    let wanted = SCREEN.replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(shown, wanted, "{shown}");
}

#[test]
fn without_rabbitmq_the_screen_shows_what_a_worker_last_read() {
    for (broker, why) in [
        (Broker::NotAsked, "REVOKER_AMQP_URL is not set"),
        (
            Broker::Problem {
                text: "away".into(),
                unreachable: true,
            },
            "RabbitMQ does not tell the queues. Worker new:1 read this 4s ago:\n",
        ),
    ] {
        let old = worker("old:1", |view| view.depths_at = Some(ago(100)));
        let look = look(vec![old, worker("new:1", |_| {})], broker);
        let shown = screen(&look, &Verdict::of(&look));
        assert!(shown.contains(why), "{shown}");
        assert!(
            shown.ends_with("urgent       3\nbulk    12,345\n"),
            "{shown}"
        );
    }
    let nobody = look(vec![away("a:1")], Broker::NotAsked);
    let shown = screen(&nobody, &Verdict::of(&nobody));
    assert!(shown.ends_with("No worker tells either.\n"), "{shown}");
}

#[test]
fn json_holds_the_same() {
    let look = in_trouble();
    let line = json(&look, &Verdict::of(&look));
    assert_eq!(line.matches('\n').count(), 1);
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["well"], false);
    assert_eq!(json["at"], NOW);
    assert_eq!(json["troubles"][1]["unreachable"], true);
    let first = &json["workers"][0]["view"];
    assert_eq!(first["shown"]["state"], "credentials");
    assert_eq!(first["lanes"]["urgent"]["events"], 3);
    assert_eq!(json["workers"][1]["address"], "10.0.0.8:9477");
    let problem = json["workers"][1]["problem"].as_str().unwrap();
    assert!(problem.starts_with("not reachable"), "{problem}");
    assert_eq!(json["broker"]["queues"][1]["standing"]["messages"], 12_345);
}

#[test]
fn what_a_server_says_cannot_steer_the_terminal() {
    let worker = worker("a:1", |view| {
        view.shown.state = "out\x1b[2Jage".into();
        view.shown.reason = format!("x\x07\r\n{}", "y".repeat(5000));
    });
    let look = look(vec![worker], healthy());
    let shown = screen(&look, &Verdict::of(&look));
    let strange = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(strange), "{shown:?}");
    assert!(shown.len() < 2000, "{}", shown.len());
}
