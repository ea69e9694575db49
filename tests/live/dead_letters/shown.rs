//! What is shown of one event, and to whom.

use serde_json::json;

use super::Crafted;
use crate::harness::{Event, World};

#[tokio::test]
async fn what_is_sealed_takes_the_key_and_the_wish() {
    let world = World::new("shown").await;
    world.declare().await;
    let (keys, ring) = world.key_ring();
    let dead = world.broker.name("dead");
    let clear = Crafted::new("invalid_session_id", "session-in-clear").event(None);
    let sealed = Crafted::new("attempts_exhausted", "session-sealed").event(Some((&ring, &dead)));
    let mut damaged = Crafted::new("attempts_exhausted", "s").event(Some((&ring, &dead)));
    *damaged.body.last_mut().unwrap() ^= 1;
    // Not sealed, though it holds a credential: no worker writes that, and somebody did.
    let mut leaking = Crafted::new("attempts_exhausted", "s").event(None);
    leaking.body = json!({"session_token": "leaked"}).to_string().into_bytes();
    let all = [&clear, &sealed, &damaged, &leaking].map(Event::clone);
    world.broker.publish(&all).await;

    let keys = keys.display().to_string();
    for (event, with_key, reveal, shown, withheld) in [
        (&clear, false, false, Some("session-in-clear"), None),
        (&sealed, false, false, None, Some("REVOKER_SEAL_KEY_FILE")),
        (&sealed, false, true, None, Some("REVOKER_SEAL_KEY_FILE")),
        (&sealed, true, false, None, Some("--reveal opens it")),
        (&sealed, true, true, Some("session-sealed"), None),
        (&damaged, true, true, None, Some("damaged")),
        (&leaking, true, false, None, Some("--reveal")),
        (&leaking, false, true, Some("leaked"), None),
    ] {
        let mut settings = world.worker();
        if with_key {
            settings = settings.set("REVOKER_SEAL_KEY_FILE", &keys);
        }
        let mut arguments = vec!["dead-letters", "show", &event.id];
        arguments.extend(reveal.then_some("--reveal"));
        let text = settings.once(&arguments).await;
        assert_eq!(text.code, 0, "{text:?}");
        arguments.push("--json");
        let object = settings.once(&arguments).await.json();
        assert_eq!(object["event_id"], event.id);
        let content = object["content"].as_str();
        match (shown, withheld) {
            (Some(words), _) => {
                assert!(
                    content.unwrap().contains(words) && text.out.contains(words),
                    "{text:?}"
                );
            }
            (None, words) => {
                let why = object["withheld"].as_str().unwrap();
                assert!(
                    content.is_none() && why.contains(words.unwrap()),
                    "{object}"
                );
                assert!(text.out.contains(words.unwrap()), "{text:?}");
            }
        }
    }
    let nobody = world.dead_letters(&["show", "nobody"]).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (1, ""), "{nobody:?}");
    assert_eq!(world.dead_ids().await.len(), 4);
}
