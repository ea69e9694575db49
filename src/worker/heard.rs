//! What was last heard of an API that does not do its work: the reason that a pause shows.

use std::sync::{Mutex, PoisonError};

use super::strange::Strange;
use crate::{
    revoke::{
        Class,
        outcome::{Blame, Failure},
    },
    telemetry::Why,
};

/// The last failure and the last refusal, of whichever call, and the error types that nobody knows.
#[derive(Debug)]
pub struct Heard {
    last: Mutex<(Failure, Blame)>,
    strange: Strange,
}

impl Default for Heard {
    /// Never shown: a pause begins with a failure or a refusal.
    fn default() -> Self {
        Self {
            last: Mutex::new((Failure::Network, Blame::Secret)),
            strange: Strange::default(),
        }
    }
}

impl Heard {
    /// Takes in how a call ended.
    pub(super) fn hear(&self, class: &Class) {
        let (failure, blame) = match class {
            Class::Retryable(failure) => (Some(*failure), None),
            Class::Credentials(code) => (None, code.blames()),
            _ => return,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.0 = failure.unwrap_or(last.0);
        last.1 = blame.unwrap_or(last.1);
    }

    /// Why an outage lasts.
    pub(super) fn outage(&self) -> Why {
        Why::Outage(self.last().0)
    }

    /// Why our credentials are of no use.
    pub(super) fn credentials(&self) -> Why {
        Why::Credentials(self.last().1)
    }

    /// The error types that nobody knows.
    pub(super) fn strange(&self) -> &Strange {
        &self.strange
    }

    fn last(&self) -> (Failure, Blame) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
