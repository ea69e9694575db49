//! `campaign report` and `verify-report`: what the streams hold is what the report says.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::{Value, json};

use super::given::{ID, manifest, outcome, state, user};
use crate::harness::{PATIENCE, World, secret::assert_withheld, wait};

/// The exit code of a broker that does not answer.
const EXIT_UNAVAILABLE: i32 = 69;

/// Whether ssh-keygen takes the signature of a report's digest.
fn ssh_keygen_accepts(world: &World, report: &str, allowed: &str) -> bool {
    let mut command = Command::new("ssh-keygen");
    command.args([
        "-Y",
        "verify",
        "-f",
        allowed,
        "-I",
        "revoker",
        "-n",
        "revoker-report",
    ]);
    command.arg("-s").arg(world.file(report).join("digest.sig"));
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = pipes.spawn().unwrap();
    let digest = fs::read(world.file(report).join("digest")).unwrap();
    child.stdin.take().unwrap().write_all(&digest).unwrap();
    child.wait().unwrap().success()
}

#[tokio::test]
async fn a_complete_campaign_is_proven_anchored_and_signed() {
    let world = World::with_campaign("report-whole", 3).await;
    let more = [
        state(),
        outcome(1, json!({"outcome": "dead_lettered", "attempts": 6})),
        outcome(2, json!({"campaign_id": "another"})),
        outcome(2, json!({"publisher": "forger"})),
    ];
    world.broker.publish(&more).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");

    let ended = world.signing(&key, &["report", ID, "--out", &out]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .out
            .starts_with("campaign leak-2026: 3 of 3 proven (100 %)\n"),
        "{ended:?}"
    );
    let summary = fs::read_to_string(world.file("out").join("summary.md")).unwrap();
    for part in [
        "**3 of 3 proven (100 %).** Complete.",
        "Signed with SHA256:",
        "Anchored in",
        "| the keys leaked |",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let secret = fs::read_to_string(&key).unwrap();
    let secret: String = secret
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    for (place, seen) in [
        ("standard output", &ended.out),
        ("standard error", &ended.err),
        ("the summary", &summary),
    ] {
        // Its middle: the public key stands at its beginning, too.
        assert_withheld(place, seen, &secret[160..260]);
    }
    assert!(ssh_keygen_accepts(&world, "out", &allowed));

    let both = world
        .campaign(&[
            "verify-report",
            &out,
            "--allowed-signers",
            &allowed,
            "--json",
        ])
        .await;
    assert_eq!(both.code, 0, "{both:?}");
    let told = both.json();
    let of = |name: &str| &told[name];
    assert_eq!(
        (of("anchored"), of("complete"), of("lines")),
        (&json!(true), &json!(true), &json!(6))
    );
    assert!(
        of("signed_by").is_string() && told["sums"]["refused"] == 1,
        "{told}"
    );
    let file = format!("{out}/evidence.ndjson");
    let signed = world
        .offline(&["verify-report", &file, "--allowed-signers", &allowed])
        .await;
    assert_eq!(signed.code, 0, "{signed:?}");
    let neither = world.offline(&["verify-report", &out]).await;
    assert_eq!(neither.code, 1);
    assert!(
        neither.err.contains("give a broker or --allowed-signers"),
        "{neither:?}"
    );

    // Another one in its place leaves nothing of it.
    let again = world
        .campaign(&["report", ID, "--out", &out, "--json"])
        .await;
    assert_eq!(
        (again.code, &again.json()["signed_by"]),
        (0, &Value::Null),
        "{again:?}"
    );
    assert!(!world.file("out").join("digest.sig").exists());
    let anchored = world.campaign(&["verify-report", &out]).await;
    assert_eq!(anchored.code, 0, "{anchored:?}");
}

#[tokio::test]
async fn an_incomplete_campaign_says_who_is_missing() {
    let world = World::new("report-part").await;
    world.declare().await;
    world.begin(manifest(5, 0)).await;
    let outcomes = [
        outcome(1, json!({})),
        outcome(2, json!({"outcome": "dead_lettered"})),
        outcome(3, json!({"cutoff": "2026-11-28T09:00:00Z"})),
        outcome(4, json!({"outcome": "already_gone"})),
        outcome(9, json!({})),
    ];
    world.broker.publish(&outcomes).await;
    let list: String = [1, 2, 3, 4, 4, 5, 2]
        .map(|n| format!("{},x@y.z\n", user(n)))
        .concat();
    fs::write(world.file("list.csv"), format!("user_id,mail\n{list}")).unwrap();
    let (out, list) = (world.path("out"), world.path("list.csv"));

    let ended = world
        .campaign(&["report", ID, "--out", &out, "--input", &list, "--json"])
        .await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("is not complete: 60.00 %"), "{ended:?}");
    let told = ended.json();
    let expected = json!({"targets": 5, "part": 1, "missing": 3, "strangers": 1});
    assert_eq!(
        (&told["list"], &told["percent"]),
        (&expected, &json!("60.00 %"))
    );
    let missing = fs::read_to_string(world.file("out").join("missing.csv")).unwrap();
    let expected: String = [2, 3, 5].map(|n| format!("{}\n", user(n))).concat();
    assert_eq!(missing, format!("user_id\n{expected}"));
    // Not complete, and yet the report that was written.
    let verified = world.campaign(&["verify-report", &out]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(
        verified
            .out
            .contains("NOT COMPLETE: 3 of 5 proven (60.00 %)"),
        "{verified:?}"
    );

    let unknown = world.campaign(&["report", "no-such", "--out", &out]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(
        unknown.err.contains("no campaign no-such is known"),
        "{unknown:?}"
    );
    let foreign = "project-live-22222222-2222-4222-8222-222222222222";
    let settings = world.worker().set("REVOKER_STYTCH_PROJECT_ID", foreign);
    let other = settings
        .once(&["campaign", "report", ID, "--out", &out])
        .await;
    assert_eq!(other.code, 64, "{other:?}");
}

#[tokio::test]
async fn a_stream_that_was_made_anew_is_a_gap() {
    let world = World::with_campaign("report-anew", 1).await;
    // Its manifest speaks of entries that this stream has not reached.
    let anew = World::new("report-anew-too").await;
    anew.declare().await;
    anew.begin(manifest(1, 5_000)).await;
    let out = anew.path("out");
    let empty = anew.campaign(&["report", ID, "--out", &out]).await;
    assert_eq!(empty.code, 1, "{empty:?}");
    assert!(
        empty.out.contains("incomplete: no outcome is left"),
        "{empty:?}"
    );
    // Entry 0 is wanted, and it is there.
    let out = world.path("out");
    assert_eq!(world.campaign(&["report", ID, "--out", &out]).await.code, 0);
}

/// Puts a stream that soon forgets in the place of the audit stream.
async fn forgetful(world: &World) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let (audit, outcomes) = (world.broker.name("audit"), world.broker.name("outcomes"));
    let options = QueueDeleteOptions::default();
    channel
        .queue_delete(audit.as_str().into(), options)
        .await
        .unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("stream".into()),
    );
    for (name, bytes) in [
        ("x-max-length-bytes", 20_000),
        ("x-stream-max-segment-size-bytes", 10_000),
    ] {
        arguments.insert(name.into(), AMQPValue::LongLongInt(bytes));
    }
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(audit.as_str().into(), durable, arguments)
        .await
        .unwrap();
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(
        audit.into(),
        outcomes.into(),
        "#".into(),
        options,
        FieldTable::default(),
    );
    bound.await.unwrap();
}

#[tokio::test]
async fn what_the_stream_forgot_is_a_gap() {
    let world = World::new("report-gap").await;
    world.declare().await;
    forgetful(&world).await;
    world.begin(manifest(1, 0)).await;
    let out = world.path("out");
    let forgotten = async || {
        let newer: Vec<_> = (1..=100)
            .map(|_| outcome(1, json!({"outcome": "duplicate"})))
            .collect();
        world.broker.publish(&newer).await;
        let ended = world
            .campaign(&["report", ID, "--out", &out, "--json"])
            .await;
        // A stream that forgets at this very moment may fall silent.
        let told = (ended.code != EXIT_UNAVAILABLE).then(|| ended.json())?;
        (!told["sums"]["gap"].is_null()).then_some((ended.code, told))
    };
    let (code, told) =
        wait::value("the stream forgets its beginning", 5 * PATIENCE, forgotten).await;
    // The target is proven, and still nobody knows what stood before.
    let sums = &told["sums"];
    assert_eq!(
        (code, &sums["proven"], &sums["complete"]),
        (1, &json!(1), &json!(false))
    );
    let gap = &sums["gap"];
    assert_eq!(
        (&gap["wanted"], &gap["since"]),
        (&json!(0), &json!("2026-11-28T10:10:00Z"))
    );
    assert!(gap["first"].as_u64().unwrap() > 0, "{gap}");
    let summary = fs::read_to_string(world.file("out").join("summary.md")).unwrap();
    assert!(
        summary.contains("incomplete since 2026-11-28T10:10:00Z"),
        "{summary}"
    );
    assert!(!summary.contains("100 %"), "{summary}");
    let verified = world.campaign(&["verify-report", &out]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}
