//! What is given up, and what never is.

use super::Crafted;
use crate::harness::World;

async fn check_refused(world: &World, arguments: &[&str], said: &str) {
    let ended = world.dead_letters(&[&["purge"], arguments].concat()).await;
    assert_eq!(ended.code, 64, "{ended:?}");
    assert!(ended.err.contains(said), "{said}: {ended:?}");
}

#[tokio::test]
async fn only_what_is_named_and_only_when_told_so() {
    let world = World::new("purged").await;
    world.declare().await;
    let letters: Vec<_> = (0..60)
        .map(|n| {
            let code = ["expired", "internal_error", "attempts_exhausted"][n % 3];
            Crafted::new(code, format!("session-{n}")).event(None)
        })
        .collect();
    world.broker.publish(&letters).await;
    check_refused(&world, &["--yes", "--why", "x"], "say which dead letters").await;
    check_refused(&world, &["--code", "expired", "--yes"], "--why").await;
    check_refused(&world, &["--code", "exspired"], "expired").await;
    let would = world
        .dead_letters_json(&["purge", "--code", "expired"])
        .await;
    assert_eq!(
        (&would["would_purge"], &would["purged"]),
        (&20.into(), &0.into())
    );
    assert_eq!(world.dead_ids().await.len(), 60);
    assert_eq!(world.records().await.len(), 0, "nothing was done");

    let purge = [
        "purge",
        "--code",
        "expired",
        "--yes",
        "--why",
        "tests of last year",
        "--by",
        "bob",
    ];
    let some = world
        .dead_letters_json(&[&purge[..], &["--limit", "5"]].concat())
        .await;
    assert_eq!(
        (&some["purged"], world.dead_ids().await.len()),
        (&5.into(), 55)
    );
    let rest = world.dead_letters_json(&purge).await;
    assert_eq!(
        (&rest["purged"], &rest["codes"]["expired"]),
        (&15.into(), &15.into())
    );
    let left = world.broker.dead_letters().await;
    assert_eq!(left.len(), 40);
    assert!(left.iter().all(|letter| letter.ours("code") != "expired"));

    let records = world.records().await;
    let counts: Vec<_> = records
        .iter()
        .map(|(.., letters)| (letters.done, letters.letters))
        .collect();
    assert_eq!(counts, [(false, 5), (true, 5), (false, 15), (true, 15)]);
    for (kind, by, why, letters) in records {
        assert_eq!((kind.as_str(), by.as_str()), ("dead_letters_purged", "bob"));
        assert_eq!(why.as_deref(), Some("tests of last year"));
        assert_eq!(letters.filter, "--code expired");
    }
}
