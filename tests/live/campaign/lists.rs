//! What a start says of a list, and when it sends nothing.

use serde_json::Value;

use super::Users;
use crate::harness::{World, once::Ended, secret::assert_withheld};

const GOOD: &str = "user-test-01234567-89ab-4cde-8f01-23456789abcd";
const SESSION: &str = "session-test-01234567-89ab-4cde-8f01-23456789abcd";
const LIVE: &str = "user-live-01234567-89ab-4cde-8f01-23456789abcd";
const TOKEN: &str = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q";

/// A list (G: a user, S: a session, L: a live user, T: a token), arguments, the exit code, what is said.
type Case = (&'static str, &'static [&'static str], i32, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("", &[], 1, "it is empty"),
    ("[1]", &[], 1, "it is a JSON array"),
    ("a,b\n1,2\n", &[], 1, "2 columns and no header user_id or session_id"),
    ("user_id,session_id\na,b\n", &[], 1, "both user_id and session_id"),
    ("user_id\n<G>\n<T>\n", &[], 1, "line 3: user_id does not look like a user id"),
    ("user_id\n<G>\n<S>\n", &[], 1, "use \"session_id\""),
    ("user_id\n<G>\n<L>\n", &[], 1, "belongs to a live project"),
    ("{\"user_id\":\"<G>\"}\n{\"user_id\":7}\n", &[], 1, "line 2: user_id is no string"),
    ("user_id\n<G>\n<G>\n", &["--expect", "2"], 1, "1 targets, not 2"),
    ("user_id\n<G>\n", &["--exclude", "/nonexistent"], 1, "cannot open"),
    ("user_id\n<T>\n", &["--skip-invalid"], 1, "no target"),
    ("user_id\n<G>\n", &["--dry-run"], 0, "nothing was sent"),
    ("<G>\n", &["--dry-run"], 0, "1 users"),
    ("id;what\r\n\"<G>\";x\r\n", &["--column", "ID", "--target", "user", "--dry-run"], 0, "1 users"),
    ("\u{feff}{\"session_id\":\"<S>\",\"x\":1}\n\n", &["--dry-run"], 0, "1 sessions"),
];

fn filled(list: &str) -> String {
    let list = list.replace("<G>", GOOD).replace("<S>", SESSION);
    list.replace("<L>", LIVE).replace("<T>", TOKEN)
}

/// A start with these arguments beside what all need.
async fn start(world: &World, list: &str, more: &[&str]) -> Ended {
    let path = world.file(&format!("list-{:08x}", fastrand::u32(..)));
    std::fs::write(&path, list).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let mut arguments = vec![
        "campaign",
        "start",
        &path,
        "--campaign",
        "c1",
        "--reason",
        "policy",
    ];
    arguments.extend(more);
    world.worker().once(&arguments).await
}

/// Nothing is in the bulk lane, and no campaign has begun.
async fn check_untouched(world: &World) {
    assert_eq!(world.broker.depth("bulk").await, Some(0));
    let listed = world.worker().once(&["campaign", "list", "--json"]).await;
    assert_eq!((listed.code, listed.out.as_str()), (0, ""), "{listed:?}");
}

#[tokio::test]
async fn that_are_wrong_are_not_sent() {
    let world = World::new("lists").await;
    world.declare().await;
    // Side by side: each waits for the broker most of its time.
    let all = CASES.iter().map(async |(list, more, code, said)| {
        let ended = start(&world, &filled(list), more).await;
        assert_eq!(ended.code, *code, "{ended:?}");
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
        assert_withheld("standard error", &ended.err, TOKEN);
        assert_withheld("standard output", &ended.out, TOKEN);
    });
    futures_util::future::join_all(all).await;
    check_untouched(&world).await;
}

#[tokio::test]
async fn that_are_long_are_told_in_short() {
    let world = World::new("long-lists").await;
    world.declare().await;
    let rows: String = (0..100_000)
        .map(|n| format!("user-test-01234567-89ab-4cde-8f01-{n:012x}\n"))
        .collect();
    let rows = rows.replacen("0000000000ff\n", "0000000000ff\nnot an id\n", 25);
    let bad = format!("user_id\n{rows}{}", "no id at all\n".repeat(24));
    let ended = start(&world, &bad, &[]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("100000 users"), "{}", ended.err);
    assert!(ended.err.contains("and 5 more"), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("no consumers: nothing will happen until a worker runs"),
        "{}",
        ended.err
    );
    // So many are asked about, and there is nobody to ask.
    let ended = start(&world, &format!("user_id\n{rows}"), &["--skip-invalid"]).await;
    assert_eq!(ended.code, 64, "{ended:?}");
    assert!(ended.err.contains("give --yes"), "{}", ended.err);
    check_untouched(&world).await;
}

#[tokio::test]
async fn of_another_project_stop_after_the_first() {
    let world = World::new("unknown").await;
    let _worker = world.worker().start().await;
    let strangers: String = (0..200)
        .map(|n| format!("user-test-01234567-89ab-4cde-8f01-{n:012x}\n"))
        .collect();
    let ended = start(&world, &strangers, &[]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.err.contains("wrong project or wrong column?"),
        "{}",
        ended.err
    );
    let listed = world.worker().once(&["campaign", "list", "--json"]).await;
    let listed: Value = listed.json();
    assert_eq!(
        (listed["published"].as_u64(), listed["expected"].as_u64()),
        (Some(50), Some(200))
    );
    // Once more changes nothing.
    let ended = start(&world, &strangers, &[]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.err.contains("wrong project or wrong column?"),
        "{}",
        ended.err
    );
    // Whoever knows better goes on.
    let ended = start(&world, &strangers, &["--even-if-unknown", "--json"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["outcomes"]["unknown_user"], 200, "{ended:?}");
}

#[tokio::test]
async fn of_all_users_come_from_stytch() {
    let world = World::new("all-users").await;
    let _worker = world.worker().start().await;
    let users = Users::seed(&world, 1_100).await;
    let saved = world.file("saved");
    let cutoff = users.cutoff.to_string();
    let arguments = [
        "campaign",
        "start",
        "--campaign",
        "c1",
        "--reason",
        "policy",
        "--yes",
        "--json",
    ];
    let all = [
        "--all-users",
        "--save",
        saved.to_str().unwrap(),
        "--cutoff",
        &cutoff,
    ];
    let ended = world.worker().once(&[&arguments[..], &all].concat()).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["proven"], users.ids.len());
    users.check(&world).await;
    // What was saved is the same list.
    let again = [&arguments[..], &[saved.to_str().unwrap()]].concat();
    let ended = world.worker().once(&again).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("published already"), "{}", ended.err);
    // A file that is there is not written over.
    let ended = world.worker().once(&[&arguments[..], &all].concat()).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("cannot make"), "{}", ended.err);
}

#[tokio::test]
async fn under_an_id_that_is_taken() {
    let world = World::new("taken-id").await;
    let _worker = world.worker().start().await;
    let users = Users::seed(&world, 6).await;
    let list = |ids: &[String]| format!("user_id\n{}\n", ids.join("\n"));
    let (some, all) = (list(&users.ids[..3]), list(&users.ids));
    let ended = start(&world, &some, &["--json"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    // In another order it is the same list, and all of it is published.
    let mut turned = users.ids[..3].to_vec();
    turned.reverse();
    let ended = start(&world, &list(&turned), &["--json"]).await;
    assert_eq!(
        (ended.code, &ended.json()["parts"].as_array().map(Vec::len)),
        (0, &Some(1)),
        "{ended:?}"
    );
    let ended = start(&world, &all, &[]).await;
    assert_eq!(ended.code, 64, "{ended:?}");
    assert!(ended.err.contains("--extend"), "{}", ended.err);
    let ended = start(&world, &all, &["--extend", "--json"]).await;
    assert_eq!(
        (ended.code, &ended.json()["proven"]),
        (0, &Value::from(9)),
        "{ended:?}"
    );
    let ended = world
        .worker()
        .once(&["campaign", "cancel", "c1", "--yes"])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = start(&world, &all, &["--extend"]).await;
    assert_eq!(ended.code, 64, "{ended:?}");
    assert!(ended.err.contains("was cancelled"), "{}", ended.err);
    for word in ["pause", "resume", "cancel"] {
        let yes: &[&str] = if word == "cancel" { &["--yes"] } else { &[] };
        let ended = world
            .worker()
            .once(&[&["campaign", word, "c1"], yes].concat())
            .await;
        assert_eq!(ended.code, 1, "{ended:?}");
        let ended = world
            .worker()
            .once(&[&["campaign", word, "nobody"], yes].concat())
            .await;
        assert!(
            ended.err.contains("there is no campaign nobody"),
            "{ended:?}"
        );
    }
}
