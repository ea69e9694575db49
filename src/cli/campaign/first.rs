//! The first targets of a list, which go alone: a list for another project, or the wrong column of it,
//! shows there, before a hundred thousand calls are wasted on ids that nobody knows.
//!
//! Stytch answers "no such session" to an id of another project: without this, such a campaign would
//! look like a success.

use std::time::Duration;

use anyhow::anyhow;

use super::{
    follow::{Follower, Turn},
    publishing::Publishing,
    status::Bar,
};
use crate::{broker, campaign::outcome::Done, cli::Failure};

/// So many go alone.
pub const FIRST: u64 = 50;
/// How often their outcomes are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Waits for the outcomes of the first targets.
///
/// # Errors
/// When Stytch knows less than half of them.
pub async fn check(
    settings: &broker::Settings,
    publishing: &Publishing,
    bar: &Bar,
) -> Result<(), Failure> {
    let manifest = publishing.manifest();
    let id = &manifest.campaign_id;
    let mut follower = Follower::open_patiently(settings, id, |why| bar.tell(why)).await?;
    loop {
        let stand: Vec<Done> = publishing
            .first
            .iter()
            .map(|hash| follower.proof().done(manifest.part, *hash))
            .collect();
        let count = |wanted: &[Done]| stand.iter().filter(|done| wanted.contains(done)).count();
        let waiting = count(&[Done::Waiting]);
        if waiting == 0 {
            let unknown: &[Done] = match manifest.target_kind.as_str() {
                // Stytch knows a user who has no session to end.
                "user" => &[Done::UnknownUser, Done::Failed],
                _ => &[Done::NoSuchSession, Done::Failed],
            };
            return judge(id, count(unknown), stand.len());
        }
        if let Some(at) = follower.campaign().cancelled {
            return Err(Failure::Failed(anyhow!(
                "the campaign {id} was cancelled at {at:.0}"
            )));
        }
        bar.show(
            stand.len() as u64,
            &format!(
                "the first {} go alone: waiting for {waiting} outcomes of workers that run with REVOKER_OUTCOMES on",
                stand.len()
            ),
        );
        if follower.listen(LOOK, |why| bar.tell(why)).await == Turn::Extended {
            follower = Follower::open_patiently(settings, id, |why| bar.tell(why)).await?;
        }
    }
}

fn judge(id: &str, unknown: usize, first: usize) -> Result<(), Failure> {
    match unknown * 2 > first {
        false => Ok(()),
        true => Err(Failure::Failed(anyhow!(
            "Stytch knows less than half of the first {first} targets ({unknown} unknown or refused): wrong project \
             or wrong column? The rest was not sent. If the list is right, run the same command with \
             --even-if-unknown; if not, campaign cancel {id}"
        ))),
    }
}
