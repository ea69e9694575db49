//! What a process of ours holds in memory stays there: no core dump, and no debugger of the same user.
//!
//! A crash would otherwise write secrets and session tokens into a file. A limit alone is not enough: where
//! the kernel pipes dumps into a program, it does not ask the limit. Not here: swap, which is the system's.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit,
};

/// Whether core dumps are off for this process.
pub(super) fn stays_in() -> bool {
    let limit = getrlimit(Resource::Core);
    (limit.current, limit.maximum) == (Some(0), Some(0))
        && dumpable_behavior().is_ok_and(|now| now == DumpableBehavior::NotDumpable)
}

/// Turns core dumps off; whether that worked, [`stays_in`] tells.
pub(super) fn keep_in() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
