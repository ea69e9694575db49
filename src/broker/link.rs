//! One stay with the broker, as a value that everybody who holds a part of it can end.
//!
//! A lane's part is a link of its own under the session's: it can be released alone, and a failure
//! of it fails the session.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Up until somebody finds that it is not.
#[derive(Debug, Default)]
pub(crate) struct Link {
    down: CancellationToken,
    why: Mutex<Option<String>>,
    session: Option<Arc<Link>>,
}

impl Link {
    /// A link under this one, which goes down with it.
    pub(crate) fn part(self: &Arc<Self>) -> Self {
        Self {
            down: self.down.child_token(),
            why: Mutex::default(),
            session: Some(Arc::clone(self)),
        }
    }

    /// Ends the stay, for a part the whole of it; the first reason is the one that is told. What
    /// fails after a release is not news.
    pub(crate) fn fail(&self, why: impl Into<String>) {
        match &self.session {
            Some(session) if self.is_up() => session.fail(why),
            Some(_) => {}
            None => {
                self.why
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert_with(|| why.into());
                self.down.cancel();
            }
        }
    }

    /// Takes this part down, and nothing else.
    pub(crate) fn release(&self) {
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
