//! Points between two states of a message at which a test can end the process, as a power cut would; and
//! a next release, whose headers are of the next version.
//!
//! Only with the feature `failpoints`, for tests: without it [`pass`] is empty, and nothing of it is
//! left in the program. With it, `FAILPOINT=after_call:3` aborts at the third passage of that point, and
//! `FAILPOINT_RELEASE=next` is that release.

#[cfg(feature = "failpoints")]
pub use armed::{pass, releases_ahead};

/// A place on a message's way, told apart from its neighbours by what a crash there leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// `received`: delivered to us, and nothing done.
    Received,
    /// `before_call`: its turn to call.
    BeforeCall,
    /// `after_call`: the API has answered, and nothing is stored of it.
    AfterCall,
    /// `dead_letter_sent`: its dead letter is published, and not confirmed.
    DeadLetterSent,
    /// `confirmed`: what follows is confirmed, and the message is not acked.
    Confirmed,
}

/// Does nothing: the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub fn pass(_: Point) {}

/// None: the feature `failpoints` is off.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub fn releases_ahead() -> i64 {
    0
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::{
        env,
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::Point;

    /// The point that was asked for, and how many passages are left.
    static ARMED: LazyLock<Option<(Point, AtomicU64)>> = LazyLock::new(|| {
        let asked = env::var("FAILPOINT").ok()?;
        let armed = parse(&asked).expect("FAILPOINT is a point and a number, as after_call:3");
        Some((armed.0, armed.1.into()))
    });

    /// 1 in the next release.
    static RELEASES_AHEAD: LazyLock<i64> = LazyLock::new(|| {
        let asked = env::var("FAILPOINT_RELEASE");
        i64::from(asked.is_ok_and(|release| release == "next"))
    });

    /// How many versions our headers are ahead of those of this release.
    pub fn releases_ahead() -> i64 {
        *RELEASES_AHEAD
    }

    fn parse(asked: &str) -> Option<(Point, u64)> {
        let (name, passage) = asked.split_once(':')?;
        let point = match name {
            "received" => Point::Received,
            "before_call" => Point::BeforeCall,
            "after_call" => Point::AfterCall,
            "dead_letter_sent" => Point::DeadLetterSent,
            "confirmed" => Point::Confirmed,
            _ => return None,
        };
        Some((point, passage.parse().ok()?))
    }

    /// Ends the process here, if this is the passage that was asked for.
    pub fn pass(point: Point) {
        if let Some((armed, left)) = &*ARMED
            && *armed == point
            && left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
    }
}
