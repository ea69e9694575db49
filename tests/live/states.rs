//! What the worker shows while it cannot go on, and that it goes on by itself when it can.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{
    Event, PATIENCE, World, sandbox::SECRET, secret::assert_withheld, user::User, wait,
    worker::Worker,
};

/// The promise: from the change of the secret's file until calls go again.
const RESUMES_WITHIN: Duration = Duration::from_secs(5);
const WRONG_SECRET: &str = "secret-test-Wr0ngXq7bV0pLdE3sN";

/// A time that is shown.
fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time is shown").parse().unwrap()
}

async fn until_shown(worker: &Worker, why: &str) -> Value {
    wait::value(&format!("{why} is shown"), PATIENCE, async || {
        let shown = worker.shown().await;
        (shown["why"] == why).then_some(shown)
    })
    .await
}

/// How a secret's file is changed: by an editor, by a tool that replaces it, by Kubernetes.
type Change = fn(&Path, &str);

fn in_place(file: &Path, secret: &str) {
    fs::write(file, secret).unwrap();
}

fn by_rename(file: &Path, secret: &str) {
    let draft = file.with_extension("new");
    fs::write(&draft, secret).unwrap();
    fs::rename(draft, file).unwrap();
}

/// The file is a link into a folder that is a link itself, which is swapped.
fn by_swapped_folders(file: &Path, secret: &str) {
    let folder = file.with_extension(format!("{:08x}", fastrand::u32(..)));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("secret"), secret).unwrap();
    let (data, draft) = (file.with_extension("data"), file.with_extension("swap"));
    symlink(&folder, &draft).unwrap();
    fs::rename(draft, &data).unwrap();
    if !file.is_symlink() {
        symlink(data.join("secret"), file).unwrap();
    }
}

async fn resumes(name: &str, change: Change) -> Duration {
    let world = World::new("secret-file").await;
    let file = world.file("secret");
    change(&file, WRONG_SECRET);
    let worker = world
        .worker()
        .set("REVOKER_STYTCH_SECRET", "")
        .set("REVOKER_STYTCH_SECRET_FILE", file.display());
    let mut worker = worker.start().await;
    let ids = world.sandbox.seed_sessions(20).await;
    let events: Vec<_> = ids.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&events).await;
    let shown = until_shown(&worker, "secret_refused").await;
    assert_eq!(shown["state"], "credentials");
    assert_eq!(shown["ready"], true);
    let probe = time(&shown["next_probe"]).duration_since(time(&shown["since"]));
    assert!((20..=31).contains(&probe.as_secs()), "{probe}");
    assert_eq!(worker.metrics().await.state(), "credentials");

    let changed = Instant::now();
    change(&file, SECRET);
    wait::until("all are revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 20
    })
    .await;
    let took = changed.elapsed();
    eprintln!("{name}: all revoked {took:.1?} after the secret's file was changed");
    assert_withheld("the log", worker.process.log(), WRONG_SECRET);
    until_shown(&worker, "all_well").await;
    assert_eq!(worker.logged("canary answered").len(), 1, "one for the end");
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.depth("dead").await, Some(0));
    took
}

#[tokio::test]
async fn a_new_secret_file_is_taken_within_five_seconds() {
    let changes: [(&str, Change); 3] = [
        ("written in place", in_place),
        ("renamed over", by_rename),
        ("its folder swapped", by_swapped_folders),
    ];
    let took = join_all(changes.map(|(name, change)| resumes(name, change))).await;
    assert!(took.iter().all(|took| *took < RESUMES_WITHIN), "{took:?}");
}

/// A state, never an exit: it says that our user is refused, when it tries again, and goes on.
async fn check_refused(worker: &mut Worker, user: &User, why: &str) {
    let shown = until_shown(worker, why).await;
    assert_eq!(
        (&shown["state"], &shown["ready"]),
        (&json!("broker"), &json!(false))
    );
    let reason = shown["reason"].as_str().unwrap();
    assert!(reason.starts_with("RabbitMQ refuses our user"), "{reason}");
    let next = time(&shown["next_probe"]).duration_since(Timestamp::now());
    assert!(next.as_secs() <= 5, "{next}");
    assert!(worker.process.ended().is_none(), "{}", worker.process.log());
    let named = format!("'{}'", user.name);
    let log = worker.log();
    let mut messages = log.iter().filter_map(|line| line["message"].as_str());
    assert!(
        messages.any(
            |m| m.starts_with("no session with the broker: the broker refused us: ")
                && m.contains(&named)
        ),
        "{}",
        worker.process.log()
    );
    assert_withheld("the log", worker.process.log(), user.password());
}

#[tokio::test]
async fn a_user_who_is_refused_is_a_state() {
    let world = World::new("refused").await;
    let user = User::new("refused").await;
    let url = user.of(&world.broker).url;
    let mut worker = world.worker().set("REVOKER_AMQP_URL", url).start().await;
    user.delete().await;
    check_refused(&mut worker, &user, "login_refused").await;
    // Known again, it may not use the vhost, and then lacks rights in it.
    user.add().await;
    check_refused(&mut worker, &user, "vhost_refused").await;
    user.permit("^nothing$").await;
    check_refused(&mut worker, &user, "right_missing").await;
    user.permit(".*").await;
    worker.until_ready().await;
    world.check_works().await;
    assert!(worker.terminate().await.0.success());
}

/// The broker refuses us while we stop: what is in hand comes again, and the end is a clean one.
#[tokio::test]
async fn a_user_who_is_refused_during_a_drain_ends_nothing_early() {
    let world = World::new("refused-drain").await;
    let user = User::new("drained").await;
    let url = user.of(&world.broker).url;
    let ids = world.sandbox.seed_sessions(5).await;
    world.sandbox.faults(&json!({ "answer_all": "hang" })).await;
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let worker = worker.set("REVOKER_CALL_TIMEOUT", "12s");
    let mut worker = worker.start().await;
    let events: Vec<_> = ids.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&events).await;
    wait::until("all calls hang", PATIENCE, async || {
        world.sandbox.stats().await["calls"]["revoke"] == 5
    })
    .await;
    worker.process.signal("TERM");
    let shown = until_shown(&worker, "asked_to_stop").await;
    assert_eq!(
        (&shown["state"], &shown["ready"]),
        (&json!("draining"), &json!(false))
    );
    let ends = time(&shown["next_probe"]).duration_since(time(&shown["since"]));
    assert_eq!(ends.as_secs(), 25);
    assert_eq!(shown["also"], json!([]));

    user.delete().await;
    let shown = wait::value("the loss is shown beneath", PATIENCE, async || {
        let shown = worker.shown().await;
        (shown["also"][0]["why"] == "session_lost").then_some(shown)
    })
    .await;
    assert_eq!(shown["state"], "draining");
    let status = worker.process.exit(PATIENCE).await;
    assert!(status.success(), "{status}");
    let lost = worker.log().into_iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("the session with the broker was lost")
    });
    assert_eq!(lost.count(), 1);
    assert_eq!(world.broker.queued().await, 5, "they come again");
}
