//! `revoker campaign report`: what the audit stream shows of a campaign, as a file that cannot be edited
//! unseen, and a page for people.
//!
//! Reads both streams, asks no worker and no API. Its memory is the proof, 18 bytes a target. Whatever
//! goes wrong before all evidence is on disk leaves an older report as it was.

mod audit;
mod folder;
mod list;

use std::path::PathBuf;

use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{actor, campaign_id, read, records, signature::Signer};
use crate::{
    broker,
    campaign::{
        Order, Orders, Record,
        control::Anchor,
        evidence::Header,
        summary::{self, Beside},
    },
    cli::{Failure, print},
    config::{self, ReportArgs},
};
use audit::Written;
use folder::{EVIDENCE, Folder};
use list::Lists;

const DIGEST: &str = "digest";
const SIGNATURE: &str = "digest.sig";
const SUMMARY: &str = "summary.md";

/// Which campaign, and where the report goes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The campaign.
    #[arg(value_name = "ID", value_parser = campaign_id)]
    id: String,
    /// The folder that the report is written into; an older one there is replaced. By default report-ID.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The list that the campaign was started from: those without proof are written into missing.csv.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Those who were left out of it by campaign start --exclude.
    #[arg(long, value_name = "FILE", requires = "input")]
    exclude: Option<PathBuf>,
    /// Who writes it; by default user@host.
    #[arg(long, value_name = "NAME", value_parser = actor)]
    by: Option<String>,
    /// Print JSON, with all numbers and the files.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: ReportArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 every target is proven, 1 not every one is or the report could not be written, 64 wrong usage
or settings, 69 RabbitMQ does not answer.";

/// Writes the report.
///
/// # Errors
/// When settings are wrong, the campaign is not known, the streams cannot be read or the files written;
/// and, after all is written, when it is not complete.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let signer = settings.sign_key.as_ref().map(Signer::read).transpose();
    let signer = signer.map_err(|error| Failure::Usage(format!("{error:#}")))?;
    let broker = &settings.of.broker;
    let (orders, _) = read::orders(broker, |_, _| {}).await?;
    let project_id = settings.of.project.as_ref().map(|(id, _)| id.as_str());
    let by = args.by.clone().unwrap_or_else(config::operator);
    let header = header(&args.id, &orders, project_id, by)?;

    let out = args.out.clone();
    let out = out.unwrap_or_else(|| PathBuf::from(format!("report-{}", args.id)));
    let mut folder = Folder::open(&out)?;
    let mut written = audit::write(broker, &header, &mut folder).await?;
    let mut beside = Beside {
        chain_end: written.chain_end.clone(),
        ..Beside::default()
    };
    let digest = written
        .footer
        .digest_text(&header, written.lines, &written.chain_end);
    if let Some(signer) = &signer {
        folder.write(SIGNATURE, &signer.sign(digest.as_bytes())?)?;
        beside.signed_by = Some(signer.fingerprint());
    }
    if let Some(path) = &args.input {
        let lists = Lists::open(path, args.exclude.as_deref(), &header)?;
        beside.list = Some(lists.compare(&header, &mut written.proof, &mut folder)?);
    }
    folder.write(DIGEST, &digest)?;
    folder.replace()?;

    let anchored = anchor(broker, &header, &written).await;
    beside.not_anchored = anchored.as_ref().err().map(ToString::to_string);
    folder.write(SUMMARY, &summary::page(&header, &written.footer, &beside))?;
    folder.add()?;
    if args.json {
        print(&format!("{}\n", json(&header, &written, &beside, &folder)))?;
    } else {
        let short = summary::short(&header, &written.footer, &beside);
        print(&format!(
            "{short}  see {}\n",
            folder.file(SUMMARY).display()
        ))?;
    }
    anchored.map_err(|error| not_anchored(&error))?;
    verdict(&header, &written, &folder)
}

fn header(
    id: &str,
    orders: &Orders,
    project_id: Option<&str>,
    by: String,
) -> Result<Header, Failure> {
    let campaign = orders.campaign(id);
    let header = campaign.and_then(|campaign| Header::new(id, campaign, by, Timestamp::now()));
    let header = header.ok_or_else(|| {
        Failure::Failed(anyhow!(
            "no campaign {id} is known in the operator's stream; revoker campaign list shows those that are"
        ))
    })?;
    match project_id {
        Some(project_id) if project_id != header.project_id => Err(Failure::Usage(format!(
            "the campaign {id} is of {}, and REVOKER_STYTCH_PROJECT_ID says {project_id}",
            header.project_id
        ))),
        _ => Ok(header),
    }
}

/// Publishes the chain's end to the operator's stream: who would change the evidence must change this too.
async fn anchor(
    settings: &broker::Settings,
    header: &Header,
    written: &Written,
) -> Result<(), broker::Error> {
    let order = Order::CampaignReported(Anchor {
        campaign_id: header.campaign_id.clone(),
        lines: written.lines,
        digest: written.chain_end.clone(),
        complete: written.footer.complete,
    });
    let record = Record::new(order, header.by.clone(), None, header.written_at);
    broker::publish_once(settings, records::message(settings, &record)).await
}

fn not_anchored(error: &broker::Error) -> Failure {
    Failure::Failed(anyhow!(
        "the report is written, but its end is not in the operator's stream: {error}; write it again as a \
         user who may write there, or rely on its signature"
    ))
}

/// All numbers and files.
fn json(header: &Header, written: &Written, beside: &Beside, folder: &Folder) -> Value {
    let path = |name: &str| folder.file(name).display().to_string();
    let path_if = |name: &str, is_there: bool| is_there.then(|| path(name));
    json!({
        "header": header,
        "sums": written.footer,
        "percent": summary::percent(&written.footer),
        "complete": written.footer.complete,
        "lines": written.lines,
        "digest": written.chain_end,
        "signed_by": beside.signed_by,
        "anchored": beside.not_anchored.is_none(),
        "list": beside.list,
        "files": {
            "evidence": path(EVIDENCE),
            "digest": path(DIGEST),
            "signature": path_if(SIGNATURE, beside.signed_by.is_some()),
            "summary": path(SUMMARY),
            "missing": path_if(list::MISSING, beside.list.is_some()),
        },
    })
}

fn verdict(header: &Header, written: &Written, folder: &Folder) -> Result<(), Failure> {
    match written.footer.complete {
        true => Ok(()),
        false => Err(Failure::Failed(anyhow!(
            "the campaign {} is not complete: {}; {} says what to do",
            header.campaign_id,
            summary::percent(&written.footer),
            folder.file(SUMMARY).display()
        ))),
    }
}
