//! What is there before a start, and the manifest that begins it.

use std::collections::BTreeMap;

use anyhow::anyhow;
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{beginning::Beginning, publishing::Common, records, scan::Scan},
    args::Args,
};
use crate::{
    broker::{
        self,
        stream::{Stream, Tail},
        survey::Standing,
        topology::Names,
        visit::Visit,
    },
    campaign::{Manifest, Order, Orders, Record, WorkerState},
    cli::Failure,
    event::{Expectations, Lane},
};

/// How many of the last outcomes are looked through for the workers' rate.
const RECENT: u64 = 2_000;
/// A rate that was told longer ago says nothing of today.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// What the broker holds before a start.
pub(super) struct Before {
    pub(super) orders: Orders,
    pub(super) bulk: Standing,
    pub(super) audit_offset: u64,
    pub(super) rate: Option<f64>,
}

/// What is there, and whether these names are this project's.
pub(super) async fn look(settings: &broker::Settings) -> Result<Before, Failure> {
    let visit = Visit::begin(settings).await?;
    match visit.lock().await {
        // An operator's user may have no right to declare the lock: then it cannot be compared.
        Ok(()) | Err(broker::Error::Refused(..)) => {}
        Err(error) => return Err(records::failure(error)),
    }
    let lane = Names::new(&settings.prefix).lane(Lane::Bulk);
    let bulk = visit.standing(&lane).await?;
    visit.end().await;
    let bulk = bulk.ok_or_else(|| {
        records::failure(broker::Error::Missing(format!("there is no queue {lane}")))
    })?;
    let orders = records::read(settings).await?;
    let (audit_offset, rate) = audit_now(settings).await?;
    Ok(Before {
        orders,
        bulk,
        audit_offset,
        rate,
    })
}

/// The part's manifest: that of an earlier start if it is taken up.
pub(super) fn manifest(
    args: &Args,
    scan: &Scan,
    before: &Before,
    beginning: &Beginning,
    expect: &Expectations,
) -> Manifest {
    let (Beginning::New(part) | Beginning::Finished(part) | Beginning::Resume { part, .. }) =
        *beginning;
    let campaign = before.orders.campaign(&args.campaign);
    let known = campaign.and_then(|campaign| campaign.parts.get(part as usize - 1));
    if let Some(known) = known {
        return known.manifest.clone();
    }
    let now = Timestamp::now();
    Manifest {
        campaign_id: args.campaign.clone(),
        part,
        project_id: expect.project_id.clone(),
        publisher: args.publisher.clone(),
        target_kind: scan.kind.as_str().to_owned(),
        expected: scan.sorted.len() as u64,
        xor: scan.xor().to_string(),
        digest: scan.digest(),
        cutoff: args.cutoff.unwrap_or(now),
        occurred_at: args.occurred_at.unwrap_or(now).min(now),
        reason: args.reason.clone(),
        audit_offset: before.audit_offset,
        drill: args.drill,
    }
}

/// Writes the manifest, and makes sure that no other start came first.
pub(super) async fn announce(settings: &broker::Settings, common: &Common) -> Result<(), Failure> {
    let manifest = &common.manifest;
    let order = Order::CampaignStarted(manifest.clone());
    let record = Record::new(
        order,
        common.by.clone(),
        common.note.clone(),
        Timestamp::now(),
    );
    let written = broker::publish_once(settings, records::message(settings, &record)).await;
    written.map_err(records::failure)?;
    let orders = records::read(settings).await?;
    let campaign = orders.campaign(&manifest.campaign_id);
    let part = campaign.and_then(|campaign| campaign.parts.get(manifest.part as usize - 1));
    match part {
        Some(part) if part.manifest == *manifest && part.started_at == record.at => Ok(()),
        _ => Err(Failure::Failed(anyhow!(
            "somebody else has started {} at the same moment; run the same command again to see how it stands",
            manifest.campaign_id
        ))),
    }
}

/// Where the next outcome will stand, and the calls a second that workers allow, as far as they have told
/// of it lately.
///
/// # Errors
/// When the broker cannot be used.
async fn audit_now(settings: &broker::Settings) -> Result<(u64, Option<f64>), Failure> {
    let tail = Tail::open_near_end(settings, Stream::Audit, RECENT).await;
    let mut tail = tail.map_err(records::failure)?;
    let (mut read, mut rates) = (None, BTreeMap::new());
    while tail.has_more(read) {
        let entry = tail.next().await?;
        read = Some(entry.offset);
        if let Some(state) = WorkerState::read(&entry.body).filter(is_fresh) {
            rates.insert(state.worker, state.rate);
        }
    }
    let next = tail.end.map_or(0, |end| end + 1);
    tail.close().await;
    Ok((next, (!rates.is_empty()).then(|| rates.values().sum())))
}

fn is_fresh(state: &WorkerState) -> bool {
    Timestamp::now().duration_since(state.at) <= FRESH
}
