//! Every user of the project, one id a line, for a campaign about all of them.
//!
//! Not a subcommand. Slower than it could be on purpose: Stytch documents so many searches a minute, and the
//! project's own applications make theirs from the same allowance.

use std::{collections::HashSet, io::Write, time::Duration};

use anyhow::{Context, anyhow};
use tokio::time::{Instant, sleep_until};

use super::{
    Failure,
    patience::{GaveUp, Patience, Why, until_done},
};
use crate::revoke::{
    client::Client,
    users::{PAGE_USERS_MAX, SEARCHES_PER_MINUTE, UsersPage},
};

/// Searches that go without a wait: enough for the 25,000 users that most projects do not have.
const BURST: u32 = 25;
/// Between two later searches, milliseconds.
const EVERY_MS: u32 = 500;
const _: () = assert!(BURST + 60_000 / EVERY_MS <= SEARCHES_PER_MINUTE);

/// The limits of a walk over all users.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Users of a page at most, 1 to [`PAGE_USERS_MAX`].
    pub page_users: u16,
    /// How long failing calls and the waits after them may last in all.
    pub failing_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            page_users: PAGE_USERS_MAX,
            failing_max: Duration::from_secs(5 * 60),
        }
    }
}

/// When the next search may go. Pure: the time comes in.
#[derive(Debug, Default)]
pub struct Pace {
    made: u32,
    last: Option<Instant>,
}

impl Pace {
    /// When the next search is due. At most [`SEARCHES_PER_MINUTE`] are, in any minute.
    pub fn next(&mut self, now: Instant) -> Instant {
        let every = Duration::from_millis(EVERY_MS.into());
        let due = match self.last {
            Some(last) if self.made >= BURST => now.max(last + every),
            _ => now,
        };
        (self.made, self.last) = (self.made.saturating_add(1), Some(due));
        due
    }
}

/// Writes the `user_id` of every user of the project, one a line, and says how many there were. `progress`
/// hears after each page how many are written, and how many there are if Stytch says so.
///
/// A user who is made or deleted meanwhile may be in it or not.
///
/// # Errors
/// When Stytch does not give the whole list. What is written by then is a part of it, and nothing to act on.
pub async fn write_all(
    client: &Client,
    sink: &mut impl Write,
    progress: impl FnMut(u64, Option<u64>),
) -> Result<u64, Failure> {
    write_all_within(client, sink, progress, Bounds::default()).await
}

/// [`write_all`] within other bounds.
///
/// # Errors
/// Those of [`write_all`].
pub async fn write_all_within(
    client: &Client,
    sink: &mut impl Write,
    mut progress: impl FnMut(u64, Option<u64>),
    bounds: Bounds,
) -> Result<u64, Failure> {
    let (mut pace, mut patience) = (Pace::default(), Patience::new(bounds.failing_max));
    let mut walk = Walk::default();
    loop {
        let search = async || {
            sleep_until(pace.next(Instant::now())).await;
            let cursor = walk.cursor.as_deref();
            client.search_users(cursor, bounds.page_users).await
        };
        let page = until_done(&mut patience, search).await;
        let page = page.map_err(|gave_up| failure(gave_up, walk.written))?;
        let (ids, total) = (lines(&page), page.total);
        let goes_on = walk.take(page)?;
        sink.write_all(ids.as_bytes())
            .and_then(|()| sink.flush())
            .context("cannot write the list of users")?;
        progress(walk.written, total);
        if !goes_on {
            return Ok(walk.written);
        }
    }
}

/// How far it is, and what shows that it will not end.
#[derive(Default)]
struct Walk {
    written: u64,
    cursor: Option<String>,
    /// Of all pages: a thousand for a million users.
    cursors: HashSet<String>,
    page: Vec<String>,
}

impl Walk {
    /// Takes in a page; whether there is another.
    fn take(&mut self, page: UsersPage) -> Result<bool, Failure> {
        let endless = |what: &str| {
            let request_id = page.request_id.as_deref().unwrap_or("none");
            let written = self.written;
            Failure::Failed(anyhow!(
                "the list of users does not end: Stytch gave {what} after {written} users; it is not whole, \
                 start again, and give its request id ({request_id}) to Stytch's support if that does not help"
            ))
        };
        if let Some(next) = &page.next_cursor {
            if self.cursors.contains(next) {
                return Err(endless("the cursor of an earlier page again"));
            }
            if page.user_ids.is_empty() {
                return Err(endless("a page without a user that is not the last"));
            }
        }
        if !page.user_ids.is_empty() && page.user_ids == self.page {
            return Err(endless("the same page twice"));
        }
        self.written += page.user_ids.len() as u64;
        self.cursors.extend(page.next_cursor.clone());
        self.page = page.user_ids;
        self.cursor = page.next_cursor;
        Ok(self.cursor.is_some())
    }
}

fn lines(page: &UsersPage) -> String {
    let line = |id: &String| format!("{id}\n");
    page.user_ids.iter().map(line).collect()
}

fn failure(gave_up: GaveUp, written: u64) -> Failure {
    let error = anyhow!(
        "the list of users could not be had, {written} came: {}",
        gave_up.text
    );
    match gave_up.why {
        Why::Exhausted => Failure::Unavailable(error),
        Why::Credentials | Why::Refused => Failure::Failed(error),
    }
}
