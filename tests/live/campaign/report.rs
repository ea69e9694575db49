//! `campaign report` and `verify-report`: what the streams hold is what the report says.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::given::{ID, manifest, outcome, state, user};
use crate::harness::{World, secret::assert_withheld};

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
async fn a_complete_campaign_is_proven_and_signed() {
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
    let first = "campaign leak-2026: 3 of 3 proven (100 %)\n";
    assert!(ended.out.starts_with(first), "{ended:?}");
    let summary = fs::read_to_string(world.file("out").join("summary.md")).unwrap();
    for part in [
        "**3 of 3 proven (100 %).** Complete.",
        "Signed with SHA256:",
        "Anchored in",
        "| the keys leaked |",
        "did not count | 1 |",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret.lines().filter(|line| !line.starts_with("--"));
    let secret: String = secret.collect();
    for seen in [&ended.out, &ended.err, &summary] {
        // Its middle: the public key stands at its beginning, too.
        assert_withheld("what is told", seen, &secret[160..260]);
    }
    assert!(ssh_keygen_accepts(&world, "out", &allowed));
}

#[tokio::test]
async fn stream_and_signature_vouch_for_a_report() {
    let world = World::with_campaign("report-vouched", 3).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");
    let ended = world.signing(&key, &["report", ID, "--out", &out]).await;
    assert_eq!(ended.code, 0, "{ended:?}");

    let signers = ["--allowed-signers", allowed.as_str()];
    let both = [&["verify-report", out.as_str(), "--json"], &signers[..]].concat();
    let both = world.campaign(&both).await;
    assert_eq!(both.code, 0, "{both:?}");
    let told = both.json();
    let of = |name: &str| &told[name];
    let (anchored, complete) = (of("anchored"), of("complete"));
    assert_eq!((anchored, complete), (&json!(true), &json!(true)));
    assert_eq!(of("lines"), &json!(5));
    assert!(of("signed_by").is_string(), "{told}");
    let file = format!("{out}/evidence.ndjson");
    let signed = [&["verify-report", file.as_str()], &signers[..]].concat();
    let signed = world.offline(&signed).await;
    assert_eq!(signed.code, 0, "{signed:?}");
    let neither = world.offline(&["verify-report", &out]).await;
    assert_eq!(neither.code, 1);
    let wanted = "give a broker or --allowed-signers";
    assert!(neither.err.contains(wanted), "{neither:?}");

    // Another one in its place leaves nothing of it.
    let again = ["report", ID, "--out", &out, "--json"];
    let again = world.campaign(&again).await;
    assert_eq!((again.code, &again.json()["signed_by"]), (0, &Value::Null));
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
