//! `campaign pause | resume | cancel`: one record in the operator's stream, which every worker reads.

use anyhow::anyhow;

use super::{actor, by, campaign_id, records, why};
use crate::{
    campaign::{Order, control::Campaign as Of, orders::Campaign},
    cli::{Failure, print},
    config::PublishArgs,
};

/// Which campaign waits or goes on.
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// The campaign.
    #[arg(value_name = "ID", value_parser = campaign_id, required_unless_present = "all")]
    id: Option<String>,
    /// All of the bulk lane, of every campaign and publisher, on every worker.
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    settings: PublishArgs,
}

/// Which campaign ends.
#[derive(Debug, clap::Args)]
pub struct CancelArgs {
    /// The campaign.
    #[arg(value_name = "ID", value_parser = campaign_id)]
    id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    settings: PublishArgs,
}

/// What stands beside an order.
#[derive(Debug, clap::Args)]
struct RecordArgs {
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", value_parser = why)]
    why: Option<String>,
    /// Who, for the record; by default user@host.
    #[arg(long, value_name = "NAME", value_parser = actor)]
    by: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Lets a campaign's events wait.
///
/// # Errors
/// When there is no such campaign, it was cancelled, or the broker cannot be used.
pub async fn pause(args: PauseArgs) -> Result<(), Failure> {
    match &args.id {
        Some(id) => {
            let order = Order::CampaignPaused(of(id));
            let said = format!(
                "the campaign {id} is paused: its events move to a delay queue and come back after each delay, \
                 until it is resumed; calls that are on their way still end"
            );
            change(&args.settings, &args.record, Some(id), order, &said).await
        }
        None => {
            let said = "all of the bulk lane is held on every worker, until campaign resume --all";
            change(&args.settings, &args.record, None, Order::BulkHeld, said).await
        }
    }
}

/// Lets a campaign's events go on.
///
/// # Errors
/// As [`pause`].
pub async fn resume(args: PauseArgs) -> Result<(), Failure> {
    match &args.id {
        Some(id) => {
            let order = Order::CampaignResumed(of(id));
            let said = format!(
                "the campaign {id} goes on; events in a delay queue come back when their delay is over"
            );
            change(&args.settings, &args.record, Some(id), order, &said).await
        }
        None => {
            let said = "the bulk lane goes on";
            change(
                &args.settings,
                &args.record,
                None,
                Order::BulkReleased,
                said,
            )
            .await
        }
    }
}

/// Ends a campaign for ever.
///
/// # Errors
/// As [`pause`].
pub async fn cancel(args: CancelArgs) -> Result<(), Failure> {
    let id = &args.id;
    if !args.yes {
        let ask = format!("cancel {id} for ever? Sessions that are not revoked yet stay alive.");
        super::plan::confirm(&ask, id)?;
    }
    let said =
        format!("the campaign {id} is cancelled for ever: what is left of it ends without a call");
    change(
        &args.settings,
        &args.record,
        Some(id),
        Order::CampaignCancelled(of(id)),
        &said,
    )
    .await
}

fn of(id: &str) -> Of {
    Of {
        campaign_id: id.to_owned(),
    }
}

async fn change(
    args: &PublishArgs,
    record: &RecordArgs,
    id: Option<&str>,
    order: Order,
    said: &str,
) -> Result<(), Failure> {
    let settings = args.settings()?;
    let orders = records::read(&settings.broker).await?;
    if let Some(id) = id {
        may_change(id, orders.campaign(id))?;
    }
    let kind = order.words().0;
    let by = by(record.by.as_deref());
    records::write(&settings.broker, order, &by, record.why.as_deref()).await?;
    let said = match record.json {
        true => serde_json::json!({"kind": kind, "campaign_id": id, "by": by}).to_string(),
        false => said.to_owned(),
    };
    Ok(print(&format!("{said}\n"))?)
}

fn may_change(id: &str, campaign: Option<&Campaign>) -> Result<(), Failure> {
    match campaign {
        None => Err(Failure::Failed(anyhow!(
            "there is no campaign {id} under this prefix; campaign list shows those there are"
        ))),
        Some(Campaign {
            cancelled: Some(at),
            ..
        }) => Err(Failure::Failed(anyhow!(
            "the campaign {id} was cancelled at {at:.0}, and a cancelled one stays so"
        ))),
        Some(_) => Ok(()),
    }
}
