//! A message that was given out again and again without an end: does it end the workers that take it?
//!
//! Pure. Its count alone proves nothing: it also rises at every lost connection, for all that was in
//! hand. So such a message is put on trial: published once more, with a mark, which makes its count begin
//! anew; and from then on it is handled alone, at once or not at all. Whatever ends a trial in good
//! order, and be it that nothing can be sent, publishes or acks the message, and its count begins anew
//! again. What is left to raise the count is a worker that ended over it.

use std::time::Duration;

use crate::event::Message;

/// Given out more often than this, a message is put on trial.
pub const SUSPECT_AFTER: u64 = 100;
/// Trials in a row that may fail. As many, because several may be in hand together: those on trial are
/// taken in another order each time, so that after so many failures few others than the one that ended
/// the workers can have been among those left over.
pub const FAILURES_MAX: u64 = 20;
/// How long others may still be in hand when one shall be alone.
pub const COMPANY_MAX: Duration = Duration::from_secs(10);
/// How long a trial may last.
pub const LASTS_MAX: Duration = Duration::from_secs(30);
/// Those that come together begin within this time, in any order.
pub const BEGINS_WITHIN: Duration = Duration::from_secs(1);

/// How a delivery is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// Beside others.
    Usual,
    /// To a delay queue as it is, to come back on trial.
    PutOnTrial,
    /// With no other message of its lane in hand.
    Alone,
    /// To the dead letters, unread.
    GiveUp,
}

/// How this delivery is handled. `delays`: whether there are delay queues.
pub fn handling(message: &Message, delays: bool) -> Handling {
    // What is not redelivered was never given out, whatever a header of the publisher's says.
    let failures = match message.redelivered {
        true => message.delivery_count,
        false => 0,
    };
    match message.history.on_trial {
        // Not read, and sent on as it came.
        _ if message.from_newer_worker => Handling::Usual,
        true if failures > FAILURES_MAX => Handling::GiveUp,
        true => Handling::Alone,
        false if failures <= SUSPECT_AFTER => Handling::Usual,
        false if delays => Handling::PutOnTrial,
        // There is no way to mark it, so that nothing can ever be proved.
        false => Handling::Alone,
    }
}
