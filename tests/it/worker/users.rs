//! Users whose sessions do not end as they should.

use std::time::Duration;

use serde_json::json;

use super::{event, stytch::user, world::World};

/// Long enough for every retry delay.
const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn sessions_that_stay_in_the_list_are_retried_later_and_then_dead_lettered() {
    // 3 is revoked at first, so that the round did something; 4 is the ghost. Alone, it must end too.
    for with_another in [true, false] {
        let world = World::plain();
        world.stytch.haunt(4, 1, "2026-11-22T06:00:00Z");
        if with_another {
            world.stytch.open(3, 1, "2026-11-22T06:00:00Z");
        }
        world.publish(event(1, json!({"session_id": null, "user_id": user(1)})));
        world.settled(LONG).await;
        let calls = world.journal.count("revoke s4");
        assert!(
            calls <= 4 * 7,
            "{calls} calls for four rounds of at most seven"
        );
        assert!(!world.stytch.is_alive(3));
        for line in [
            "retry 60s e1",
            "retry 600s e1",
            "dead user_sessions_remain e1",
        ] {
            assert!(world.journal.count(line) > 0, "{line}");
        }
        let retries = ["cause=\"user_sessions_remain\""];
        assert_eq!(world.total("revoker_retries_total", &retries), 3.0);
    }
}
