//! How much a lane takes in: as stories of rate and time.

use std::time::Duration;

use revoker::{
    event::Lane,
    gate::intake::{Change, Intake, PREFETCH_MIN},
};

const HOLD_LIMIT: Duration = Duration::from_secs(600);
const SLOTS: usize = 200;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn bulk(rate: f64) -> Intake {
    Intake::new(Lane::Bulk, rate, SLOTS, HOLD_LIMIT)
}

#[test]
fn bulk_takes_in_two_seconds_of_work() {
    let rows = [
        (0.0, PREFETCH_MIN),
        (0.2, PREFETCH_MIN),
        (10.0, 20),
        (100.0, 200),
        (200.0, 400),
        (1e9, 400),
        (f64::INFINITY, 400),
    ];
    for (rate, prefetch) in rows {
        assert_eq!(bulk(rate).prefetch(), prefetch, "{rate}/s");
    }
    assert_eq!(Intake::new(Lane::Bulk, 1.0, 1, HOLD_LIMIT).prefetch(), 2);
    assert_eq!(
        Intake::new(Lane::Urgent, 0.2, SLOTS, HOLD_LIMIT).prefetch(),
        400
    );
}

#[test]
fn only_a_large_change_is_worth_a_new_consumer() {
    let mut intake = bulk(10.0);
    let steps = [
        (10.0, Change::Stay),
        (19.0, Change::Stay),
        (20.0, Change::Resize(40)),
        (39.0, Change::Stay),
        (100.0, Change::Resize(200)),
        (199.0, Change::Stay),
        (200.0, Change::Resize(400)),
        (150.0, Change::Stay),
        (100.0, Change::Resize(200)),
        (1.0, Change::Resize(PREFETCH_MIN)),
        (3.0, Change::Stay),
    ];
    for (i, (rate, change)) in steps.into_iter().enumerate() {
        assert_eq!(intake.look(rate, true, s(i as u64)), change, "step {i}");
    }
}

#[test]
fn a_lane_that_cannot_send_is_given_back_after_a_tenth_of_the_limit() {
    for lane in Lane::ALL {
        let mut intake = Intake::new(*lane, 100.0, SLOTS, HOLD_LIMIT);
        let story = [
            (0, true, Change::Stay),
            (1, false, Change::Stay),
            (60, false, Change::Stay),
            // A moment in which it could begins the time anew.
            (61, true, Change::Stay),
            (62, false, Change::Stay),
            (121, false, Change::Stay),
            (122, false, Change::Release),
        ];
        for (at, can_send, change) in story {
            assert_eq!(
                intake.look(100.0, can_send, s(at)),
                change,
                "{lane:?} at {at} s"
            );
        }
        assert_eq!(
            intake.look(100.0, false, s(500)),
            Change::Stay,
            "{lane:?}: the time begins anew"
        );
    }
}
