//! What a list shows of many dead letters, and that all of them are there afterwards.

use std::{fs, time::Instant};

use revoker::event::Lane;
use serde_json::Value;

use super::{Crafted, is_full, strange};
use crate::harness::{Event, PATIENCE, World, wait};

/// Six causes, with the share of each in a hundred.
const CAUSES: [(&str, usize); 6] = [
    ("attempts_exhausted", 40),
    ("invalid_session_id", 20),
    ("target_missing", 20),
    ("user_sessions_remain", 10),
    ("internal_error", 6),
    ("expired", 4),
];
/// A record must not need more, MiB: bodies are not kept.
const MEMORY_MAX_MIB: u64 = 60;

fn letters(count: usize) -> Vec<Event> {
    let causes = CAUSES
        .iter()
        .flat_map(|(code, share)| std::iter::repeat_n(*code, *share));
    let causes: Vec<&str> = causes.collect();
    let letter = |n: usize| {
        let mut letter = Crafted::new(causes[n % 100], format!("session-{n}"));
        letter.lane = Lane::ALL[n / 100 % 2];
        letter.publisher = ["accounts", "lockouts"][n / 100 % 2];
        letter.campaign = (n / 100).is_multiple_of(5).then_some("leak-2026");
        letter.minutes = i64::try_from(n % 600).unwrap();
        letter.event(None)
    };
    (0..count).map(letter).collect()
}

fn group<'v>(listed: &'v Value, code: &str) -> &'v Value {
    let groups = listed["groups"].as_array().unwrap();
    let found = groups.iter().find(|group| group["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {listed}"))
}

#[tokio::test]
async fn many_are_grouped_by_cause_and_none_is_lost() {
    let count = if is_full() { 5_000 } else { 500 };
    let world = World::new("listed").await;
    world.declare().await;
    let published = letters(count);
    world.broker.publish(&published).await;

    let listed = world.dead_letters_json(&["list"]).await;
    assert_eq!(listed["letters"], count);
    for (code, share) in CAUSES {
        let found = group(&listed, code);
        assert_eq!(found["letters"], share * count / 100, "{code}");
        let lanes = found["lanes"].as_object().unwrap().values();
        let lanes: u64 = lanes.filter_map(Value::as_u64).sum();
        assert_eq!(found["letters"], lanes, "{code}");
        let of_campaign = share * count.div_ceil(500);
        assert_eq!(found["campaigns"]["leak-2026"], of_campaign, "{code}");
        assert!(
            found["oldest"].as_str() < found["newest"].as_str(),
            "{found}"
        );
    }
    let shown = world.dead_letters(&["list"]).await.out;
    for words in [
        "attempts_exhausted",
        "lanes: bulk",
        "publishers: accounts",
        "to do: ",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }

    check_filters(&world, &published).await;
    let each = world
        .dead_letters(&["list", "--each", "--json", "--limit", "70"])
        .await;
    let ids: Vec<Value> = each
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(ids.len(), 70, "{each:?}");
    let oldest = published[..70].iter().map(|event| &event.id);
    assert!(
        ids.iter().map(|line| &line["event_id"]).eq(oldest),
        "they stay in order"
    );

    let found = world.dead_ids().await;
    assert_eq!(found.len(), count);
    assert!(published.iter().all(|event| found.contains_key(&event.id)));
}

/// Some filters alone, and several at once.
async fn check_filters(world: &World, published: &[Event]) {
    let count = published.len();
    for (filter, wanted) in [
        (&["--code", "expired"][..], count / 25),
        (
            &["--code", "expired", "--code", "internal_error"],
            count / 10,
        ),
        (&["--campaign", "leak-2026"], count.div_ceil(500) * 100),
        (&["--target", "user"], 0),
        (&["--event-id", &published[7].id], 1),
        (&["--older-than", "1000h"], 0),
        (&["--newer-than", "1000h"], count),
        (
            &[
                "--code",
                "expired",
                "--lane",
                "urgent",
                "--publisher",
                "lockouts",
            ],
            0,
        ),
    ] {
        let listed = world.dead_letters_json(&[&["list"], filter].concat()).await;
        assert_eq!(listed["letters"], wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn whatever_lies_there_is_told() {
    let world = World::new("strange").await;
    world.declare().await;
    let (keys, ring) = world.key_ring();
    let strange = strange(&ring, &world.broker.name("dead"));
    let events: Vec<Event> = strange.iter().map(|(.., event)| event.clone()).collect();
    world.broker.publish(&events).await;
    let settings = world.worker().set("REVOKER_SEAL_KEY_FILE", keys.display());
    let listed = settings
        .once(&["dead-letters", "list", "--each", "--json"])
        .await;
    assert_eq!(listed.code, 0, "{listed:?}");
    assert_eq!(listed.out.lines().count(), strange.len());
    for (line, (cause, seal, _)) in listed.out.lines().zip(&strange) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["code"], &line["body"]),
            (&(*cause).into(), &(*seal).into()),
            "{line}"
        );
    }
    let text = settings.once(&["dead-letters", "list", "--each"]).await;
    assert!(text.code == 0 && !text.out.contains('\u{1b}'), "{text:?}");
    // Neither replayed by mistake, nor lost.
    let plan = world
        .dead_letters_json(&["replay", "--publisher", "stranger"])
        .await;
    assert_eq!(plan["would_replay"], 0, "{plan}");
    assert_eq!(
        (&plan["refused"]["no_lane"], &plan["refused"]["newer"]),
        (&3.into(), &1.into())
    );
    world.until_dead(strange.len()).await;
    for id in ["e-newer", "e-odd"] {
        let shown = world.dead_letters_json(&["show", id]).await;
        assert!(
            shown["withheld"].as_str().unwrap().contains("--reveal"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn one_looks_at_a_time_and_a_killed_one_leaves_all() {
    let world = World::new("looked-at").await;
    world.declare().await;
    let count = 300;
    world.broker.publish(&letters(count)).await;
    // Held open by a look of our own, as another command would.
    let settings = super::broker_settings(&world);
    let mut look = revoker::broker::browse::Browse::open(&settings, 10)
        .await
        .unwrap();
    assert_eq!(look.wanted(), 10);
    while look.next().await.unwrap().is_some() {}
    for arguments in [
        &["list"][..],
        &["replay"],
        &["purge", "--code", "expired"],
        &["show", "x"],
    ] {
        let ended = world.dead_letters(arguments).await;
        assert_eq!(ended.code, 69, "{ended:?}");
        assert!(ended.err.contains("in use"), "{ended:?}");
    }
    look.close().await;
    let mut process = world.worker().spawn_of(&["dead-letters", "list"]);
    wait::until("the second looks", PATIENCE, async || {
        process.ended().is_some()
            || world.broker.depth("dead").await < Some(u32::try_from(count).unwrap())
    })
    .await;
    process.kill9();
    world.until_dead(count).await;
    // The lock goes with who had it.
    assert_eq!(world.dead_letters_json(&["list"]).await["letters"], count);
}

/// A hundred thousand with --full; figures go to standard error.
#[tokio::test]
async fn very_many_take_little_memory() {
    let count = if is_full() { 100_000 } else { 4_000 };
    let world = World::new("very-many").await;
    world.declare().await;
    for chunk in 0..count / 2_000 {
        let letters: Vec<_> = letters(2_000);
        world.broker.publish(&letters).await;
        assert!(chunk < 50);
    }
    for arguments in [&["list"][..], &["list", "--each", "--json"]] {
        let began = Instant::now();
        let mut process = world
            .worker()
            .spawn_of(&[&["dead-letters"], arguments].concat());
        let mut peak_kib = 0;
        let status = loop {
            peak_kib = peak(process.pid()).unwrap_or(0).max(peak_kib);
            if let Some(status) = process.ended() {
                break status;
            }
            assert!(began.elapsed() < super::LONGEST, "it does not end");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!(status.success(), "{}", process.log());
        eprintln!(
            "{arguments:?} of {count}: {:.1} s, {} MiB",
            began.elapsed().as_secs_f64(),
            peak_kib / 1024
        );
        if arguments.len() == 1 {
            assert!(peak_kib / 1024 <= MEMORY_MAX_MIB, "{peak_kib} KiB");
        }
    }
    world.until_dead(count).await;
}

fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
