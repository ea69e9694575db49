//! How many are sent back at once, and when it stops by itself.

use revoker::cli::dead_letters::ramp::Ramp;

/// Steps as they are sent, and how many of each come back dead: what is sent in all.
#[test]
fn a_ramp_grows_and_stops_by_itself() {
    for (dead, sent, failing) in [
        (
            &[][..],
            1 + 2 + 5 + 10 + 20 + 50 + 100 + 200 + 500 + 1_000 + 1_000 + 1_000,
            false,
        ),
        (&[(0, 1)], 1, true),
        (&[(1, 1)], 3, true),
        (
            &[(3, 1)],
            1 + 2 + 5 + 10 + 20 + 50 + 100 + 200 + 500 + 1_000 + 1_000 + 1_000,
            false,
        ),
        (&[(3, 2)], 18, true),
        (&[(5, 6)], 88, true),
    ] {
        let mut ramp = Ramp::default();
        let mut nth = 0;
        for step in 0..12 {
            for place in 0..ramp.next_step() {
                let id = format!("e{nth}");
                nth += 1;
                ramp.sent(Some(&id));
                assert!(ramp.is_under_way(&id));
                let died = dead.iter().any(|(at, count)| *at == step && place < *count);
                assert!(!ramp.is_heard());
                ramp.heard(&id, died);
                ramp.heard(&id, true); // a second outcome of the same is no news
            }
            assert!(ramp.is_heard());
            if ramp.is_failing() {
                break;
            }
        }
        let total = ramp.total();
        assert_eq!((total.sent, ramp.is_failing()), (sent, failing), "{dead:?}");
        assert_eq!(total.unheard(), 0);
    }
}

#[test]
fn what_comes_back_late_still_counts() {
    let mut ramp = Ramp::default();
    ramp.next_step();
    ramp.sent(Some("slow"));
    assert!(!ramp.is_heard() && !ramp.is_failing());
    for n in 0..ramp.next_step() {
        ramp.sent(Some(&format!("e{n}")));
        ramp.heard(&format!("e{n}"), false);
    }
    ramp.heard("not sent here", true);
    assert!(ramp.is_heard(), "the step before has had its time");
    ramp.heard("slow", true);
    assert!(ramp.is_failing());
    // What has no id cannot be waited for.
    let mut ramp = Ramp::default();
    ramp.next_step();
    ramp.sent(None);
    assert!(ramp.is_heard());
    assert_eq!((ramp.total().sent, ramp.total().unheard()), (1, 1));
}
