//! One stay with the broker, as a value that everybody who holds a part of it can end.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Up until somebody finds that it is not.
#[derive(Debug, Default)]
pub(crate) struct Link {
    down: CancellationToken,
    why: Mutex<Option<String>>,
}

impl Link {
    /// Ends the stay; the first reason is the one that is told.
    pub(crate) fn fail(&self, why: impl Into<String>) {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| why.into());
        self.down.cancel();
    }

    /// Waits until the stay has ended.
    pub(crate) async fn failed(&self) {
        self.down.cancelled().await;
    }

    /// Whether it still stands.
    pub(crate) fn is_up(&self) -> bool {
        !self.down.is_cancelled()
    }

    /// Why it ended.
    pub(crate) fn why(&self) -> String {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        why.clone().unwrap_or_else(|| "it was closed".into())
    }
}
