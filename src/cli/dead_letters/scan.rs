//! Looking at every dead letter once, and giving all of them back.

use jiff::Timestamp;

use super::{failure, filter::Filter};
use crate::{
    broker::{self, browse::Browse, browse::LETTERS_MAX},
    cli::{Failure, campaign::tell},
    settle::{
        letter::{Found, Letter},
        seal::KeyRing,
    },
};

/// Shows every letter that matches, with what it was read from, and returns how many were looked at.
/// While this lasts nobody else sees them, so `each` must not wait for anybody.
///
/// # Errors
/// When somebody else looks, or the broker cannot be used.
pub async fn scan(
    settings: &broker::Settings,
    ring: Option<&KeyRing>,
    filter: &Filter,
    limit: u64,
    mut each: impl FnMut(&Letter, &Found, &[u8]),
) -> Result<u64, Failure> {
    let now = Timestamp::now();
    let mut browse = Browse::open(settings, limit.min(LETTERS_MAX))
        .await
        .map_err(failure)?;
    while let Some(taken) = browse.next().await.map_err(failure)? {
        let letter = Letter::read(&taken.found, &taken.body, ring);
        if filter.matches(&letter, now) {
            each(&letter, &taken.found, &taken.body);
        }
    }
    let (looked_at, missed) = (browse.wanted() - browse.missed(), browse.missed());
    browse.close().await;
    if missed > 0 {
        tell(&format!(
            "{missed} letters did not come: somebody else holds them, or has taken them; try again to see them"
        ));
    }
    Ok(looked_at)
}
