//! `campaign list`: all campaigns of a prefix, from the operator's records alone.

use std::fmt::Write;

use serde_json::json;

use super::records;
use crate::{
    campaign::orders::Campaign,
    cli::{Failure, print},
    config::PublishArgs,
};

/// How it is shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, one object a campaign.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: PublishArgs,
}

/// Shows all campaigns.
///
/// # Errors
/// When the broker cannot be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let orders = records::read(&settings.broker).await?;
    let mut campaigns: Vec<_> = orders.campaigns().collect();
    campaigns.sort_by_key(|(_, campaign)| campaign.started_at());
    let mut text = String::new();
    if !args.json {
        let _ = writeln!(
            text,
            "{:<24} {:<20} {:>9} {:>9}  {:<10} {:<24} WHY",
            "CAMPAIGN", "BEGUN", "TARGETS", "PUBLISHED", "STATE", "BY"
        );
    }
    for (id, campaign) in campaigns {
        let line = match args.json {
            true => object(id, campaign),
            false => row(id, campaign),
        };
        let _ = writeln!(text, "{line}");
    }
    if let (Some(at), false) = (orders.bulk_held, args.json) {
        let _ = writeln!(
            text,
            "all of the bulk lane is held since {at:.0}: campaign resume --all lets it go on"
        );
    }
    Ok(print(&text)?)
}

fn row(id: &str, campaign: &Campaign) -> String {
    let first = campaign.parts.first();
    let begun = campaign
        .started_at()
        .map_or_else(String::new, |at| format!("{at:.0}"));
    let row = format!(
        "{id:<24} {begun:<20} {:>9} {:>9}  {:<10} {:<24} {}",
        campaign.expected(),
        campaign.published(),
        state(campaign),
        first.map_or("", |part| part.by.as_str()),
        first
            .and_then(|part| part.why.as_deref())
            .unwrap_or_default()
    );
    row.trim_end().to_owned()
}

fn object(id: &str, campaign: &Campaign) -> String {
    let parts = campaign.parts.iter();
    json!({
        "campaign_id": id,
        "state": state(campaign),
        "begun": campaign.started_at(),
        "expected": campaign.expected(),
        "published": campaign.published(),
        "parts": parts.map(|part| json!({
            "manifest": part.manifest,
            "by": part.by,
            "why": part.why,
            "begun": part.started_at,
        })).collect::<Vec<_>>(),
        "reports": campaign.anchors.len(),
    })
    .to_string()
}

/// As the records tell; what is proven only the outcomes know.
fn state(campaign: &Campaign) -> &'static str {
    match campaign {
        _ if campaign.cancelled.is_some() => "cancelled",
        _ if campaign.paused.is_some() => "paused",
        _ if campaign.is_published() => "published",
        _ => "begun",
    }
}
