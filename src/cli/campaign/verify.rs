//! `revoker campaign verify-report`: whether a report is whole, right in itself, and the one that was
//! written.
//!
//! Right in itself is not enough: whoever edits a line can chain the rest again and write a new digest.
//! So one of two must vouch for the end of the chain: the operator's stream, or a signature.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

use super::{read, signature};
use crate::{
    broker,
    campaign::{
        Order,
        evidence::{Checked, Checker},
        summary,
    },
    cli::{Failure, print},
    config::VerifyReportArgs,
};

/// Longest line of evidence, bytes: a header with very many parts.
const LINE_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longest file beside the evidence, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Which report, and who vouches for it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The report's folder, or its evidence.ndjson.
    #[arg(value_name = "DIR|FILE")]
    report: PathBuf,
    /// Who may sign, as revoker, in the format of ssh-keygen(1).
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: VerifyReportArgs,
}

const EXIT_CODES: &str = "\
Give a broker, --allowed-signers, or both; all that is given must agree.
Exit codes: 0 it is the report that was written, complete or not, 1 it is not, or nothing vouches for it,
64 wrong usage or settings, 69 RabbitMQ does not answer.";

/// Who vouched.
#[derive(Debug, Default)]
struct Vouched {
    /// The operator's stream has the end of the chain.
    anchored: bool,
    /// Parts that the campaign got after the report was written.
    parts_since: usize,
    /// The key that signed.
    signed_by: Option<String>,
}

/// Checks the report.
///
/// # Errors
/// When settings are wrong, and at the first thing that is wrong with the report.
pub async fn run(args: Args) -> Result<(), Failure> {
    let broker = args.settings.settings()?;
    let evidence = match args.report.is_dir() {
        true => args.report.join("evidence.ndjson"),
        false => args.report.clone(),
    };
    let checked = check(&evidence)?;
    let digest = checked
        .footer
        .digest_text(&checked.header, checked.lines, &checked.chain_end);
    let beside = evidence.with_file_name("digest");
    if text(&beside)? != digest {
        return Err(Failure::Failed(anyhow!(
            "{} is not the digest of the evidence: one of them was changed",
            beside.display()
        )));
    }
    let mut vouched = Vouched::default();
    if let Some(allowed) = &args.allowed_signers {
        let signature = text(&evidence.with_file_name("digest.sig"))?;
        let key = signature::verify(digest.as_bytes(), &signature, &text(allowed)?);
        vouched.signed_by = Some(key.with_context(|| allowed.display().to_string())?);
    }
    if let Some(broker) = &broker {
        vouched.parts_since = anchored(broker, &checked).await?;
        vouched.anchored = true;
    }
    if broker.is_none() && vouched.signed_by.is_none() {
        return Err(Failure::Failed(anyhow!(
            "the report is right in itself, but an edited and re-chained report would pass: give a broker or --allowed-signers"
        )));
    }
    print(&told(&args, &checked, &vouched))?;
    Ok(())
}

/// Reads the evidence and checks all that follows from it.
fn check(path: &Path) -> Result<Checked> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (mut input, mut checker) = (BufReader::new(file), Checker::default());
    loop {
        let mut line = Vec::new();
        let read = input
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line);
        if read.with_context(|| format!("cannot read {}", path.display()))? == 0 {
            break;
        }
        if line.pop() != Some(b'\n') {
            bail!(
                "{}, line {}: it was cut off",
                path.display(),
                checker.lines() + 1
            );
        }
        let taken = checker.take(line);
        taken.with_context(|| format!("{}, line {}", path.display(), checker.lines()))?;
    }
    checker.finish().with_context(|| path.display().to_string())
}

/// The operator's stream has this end, and had these manifests when it was written; how many parts were
/// added since.
async fn anchored(settings: &broker::Settings, checked: &Checked) -> Result<usize, Failure> {
    let (header, footer) = (&checked.header, &checked.footer);
    let mut found = None;
    let orders = read::orders(settings, |orders, record| {
        if let Order::CampaignReported(anchor) = &record.order
            && anchor.campaign_id == header.campaign_id
            && anchor.digest == checked.chain_end
            && anchor.lines == checked.lines
            && anchor.complete == footer.complete
        {
            let campaign = orders.campaign(&header.campaign_id);
            found.get_or_insert(campaign.is_some_and(|campaign| header.is_of(campaign)));
        }
    });
    let (orders, _) = orders.await?;
    let parts = orders.campaign(&header.campaign_id);
    let parts = parts.map_or(0, |campaign| campaign.parts.len());
    match found {
        Some(true) => Ok(parts.saturating_sub(header.parts.len())),
        Some(false) => Err(Failure::Failed(anyhow!(
            "the manifests in the evidence are not those of the operator's stream"
        ))),
        None => Err(Failure::Failed(anyhow!(
            "the operator's stream knows no report of {} that ends in {}: it was changed after it was written, or never anchored",
            header.campaign_id,
            checked.chain_end
        ))),
    }
}

fn told(args: &Args, checked: &Checked, vouched: &Vouched) -> String {
    let (header, footer) = (&checked.header, &checked.footer);
    if args.json {
        let told = json!({
            "verified": true,
            "complete": footer.complete,
            "percent": summary::percent(footer),
            "lines": checked.lines,
            "digest": checked.chain_end,
            "anchored": vouched.anchored,
            "parts_since": vouched.parts_since,
            "signed_by": vouched.signed_by,
            "header": header,
            "sums": footer,
        });
        return format!("{told}\n");
    }
    let mut text = format!(
        "{}the report of campaign {} is the one that was written {} by {}: {} lines, every sum is right\n",
        if header.drill { "DRILL: " } else { "" },
        header.campaign_id,
        header.written_at,
        summary::plain(&header.by),
        checked.lines
    );
    text += &format!(
        "  {}: {} of {} proven ({})\n",
        if footer.complete {
            "complete"
        } else {
            "NOT COMPLETE"
        },
        footer.proven,
        footer.expected,
        summary::percent(footer)
    );
    if let Some(key) = &vouched.signed_by {
        text += &format!("  signed with {key}\n");
    }
    if vouched.anchored {
        text += "  anchored in the operator's stream\n";
    }
    if vouched.parts_since > 0 {
        text += &format!(
            "  the campaign has got {} more parts since: write a new report\n",
            vouched.parts_since
        );
    }
    text
}

/// A short file.
fn text(path: &Path) -> Result<String> {
    let length = fs::metadata(path).map(|file| file.len());
    let length = length.with_context(|| format!("cannot open {}", path.display()))?;
    if length > FILE_BYTES_MAX {
        bail!("{} is longer than {FILE_BYTES_MAX} bytes", path.display());
    }
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
