//! `campaign start`: check the list, say what will happen, publish it, and wait until all is proven.
//!
//! A start that is killed is taken up by the same command: where it was stands in the operator's stream.

mod args;
mod before;

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, anyhow};

use super::{
    beginning::{Asked, Beginning, decide},
    by,
    drill::Drill,
    first::{self, FIRST},
    follow::Follower,
    input::List,
    plan::{ASK_FROM, Plan, confirm},
    publishing::{Common, Publishing},
    scan::Scan,
    status::{self, Bar},
    tell,
};
use crate::{
    broker,
    campaign::{EventHash, Kind},
    cli::{Failure, all_users},
    event::Expectations,
    revoke::{self, client::Client},
};
pub use args::Args;
use before::{announce, look, manifest};

/// Starts a campaign, or goes on with it.
///
/// # Errors
/// When the list, the settings or the broker forbid it, and when not all is proven at the end.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut settings = args.settings.settings(args.all_users)?;
    let expect = settings.expectations.clone();
    let mut list = list(&args, settings.revoke.take()).await?;
    if !args.drill {
        return start(&args, &settings.broker, list, expect).await;
    }
    let drill = Drill::begin(&mut list, settings.broker, &expect).await?;
    let started = start(&args, &drill.broker, list, expect).await;
    let ended = drill.end().await;
    tell(&ended?);
    started
}

async fn start(
    args: &Args,
    settings: &broker::Settings,
    mut list: List,
    expect: Expectations,
) -> Result<(), Failure> {
    let exclude = excluded(args, list.kind(), &expect)?;
    let scan = Scan::of(&mut list, &args.campaign, &expect, &exclude)?;
    let before = look(settings).await?;
    let digest = scan.digest();
    let beginning = decide(
        before.orders.campaign(&args.campaign),
        &Asked {
            campaign_id: &args.campaign,
            project_id: &expect.project_id,
            publisher: &args.publisher,
            digest: &digest,
            cutoff: args.cutoff,
            extend: args.extend,
        },
    )
    .map_err(Failure::Usage)?;
    let manifest = manifest(args, &scan, &before, &beginning, &expect);
    let plan = Plan {
        campaign_id: &args.campaign,
        scan: &scan,
        project_id: &expect.project_id,
        cutoff: manifest.cutoff,
        bulk: before.bulk,
        rate: before.rate,
        drill: args.drill,
    };
    tell(plan.text().trim_end());
    may_start(args, &scan)?;
    if args.dry_run {
        tell("dry run: nothing was sent");
        return Ok(());
    }
    let common = Common {
        kind: scan.kind,
        by: by(args.by.as_deref()),
        note: args.why.clone(),
        manifest,
    };
    let from = match beginning {
        Beginning::Finished(_) => return wait(args, settings, "published already").await,
        Beginning::Resume {
            line, published, ..
        } => {
            tell(&format!(
                "going on after line {line}: {published} events are published"
            ));
            (line, published)
        }
        Beginning::New(_) => {
            ask(args, &scan)?;
            announce(settings, &common).await?;
            (0, 0)
        }
    };
    let lists = (scan.sorted, exclude);
    let publishing = Publishing::begin(list, lists, from, common, settings, expect).await?;
    publish(args, publishing, settings).await?;
    wait(args, settings, "published").await
}

/// The list that was given, or everybody.
async fn list(args: &Args, api: Option<revoke::Settings>) -> Result<List, Failure> {
    match (&args.list, api) {
        (Some(path), _) => Ok(List::open(path, args.column.as_deref(), args.target)?),
        (None, Some(api)) => everybody(api, args.save.as_deref()).await,
        (None, None) => Err(Failure::Usage("give a list, or --all-users".to_owned())),
    }
}

/// All users of the project, in a file that only we can read; without a name if it shall not be kept.
async fn everybody(api: revoke::Settings, save: Option<&Path>) -> Result<List, Failure> {
    let client = Client::new(api).context("the Stytch client cannot be made")?;
    let file = match save {
        Some(path) => {
            let mut options = OpenOptions::new();
            let options = options.read(true).write(true).create_new(true).mode(0o600);
            options
                .open(path)
                .with_context(|| format!("cannot make {}", path.display()))
        }
        None => tempfile::tempfile().context("cannot make a temporary file"),
    };
    let mut file = file?;
    let bar = Bar::new(0);
    let found = all_users::write_all(&client, &mut file, |found, total| {
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        bar.show(found, &format!("asking Stytch for all users: {found}{of}"));
    })
    .await;
    bar.end();
    tell(&format!("Stytch lists {} users", found?));
    Ok(List::of_ids(file, Kind::User))
}

fn excluded(args: &Args, kind: Kind, expect: &Expectations) -> Result<Vec<EventHash>, Failure> {
    let Some(path) = &args.exclude else {
        return Ok(Vec::new());
    };
    let dash = Some(Path::new("-"));
    if args.list.as_deref() == dash && Some(path.as_path()) == dash {
        return Err(Failure::Usage(
            "only one of the lists can come on standard input".into(),
        ));
    }
    let mut list = List::open(path, None, Some(kind))?;
    let scan = Scan::of(&mut list, &args.campaign, expect, &[])?;
    // A slip here logs out whoever was to stay.
    match scan.invalid_shown.first() {
        Some((line, why)) => Err(Failure::Failed(anyhow!(
            "{} has {} invalid lines, the first is line {line}: {why}; nothing was sent",
            path.display(),
            scan.invalid
        ))),
        None => Ok(scan.sorted),
    }
}

/// Whether the list may be sent.
fn may_start(args: &Args, scan: &Scan) -> Result<(), Failure> {
    let targets = scan.sorted.len() as u64;
    if scan.invalid > 0 && !args.skip_invalid {
        return Err(Failure::Failed(anyhow!(
            "{} invalid lines, nothing was sent; mend them, or leave them out with --skip-invalid",
            scan.invalid
        )));
    }
    if let Some(expected) = args.expect.filter(|expected| *expected != targets) {
        return Err(Failure::Failed(anyhow!(
            "the list has {targets} targets, not {expected}; nothing was sent"
        )));
    }
    match targets {
        0 => Err(Failure::Failed(anyhow!(
            "the list has no target; nothing was sent"
        ))),
        _ => Ok(()),
    }
}

fn ask(args: &Args, scan: &Scan) -> Result<(), Failure> {
    let targets = scan.sorted.len() as u64;
    if args.yes || args.drill || targets < ASK_FROM {
        return Ok(());
    }
    let kind = scan.kind.as_str();
    confirm(&format!("log out {targets} {kind}s?"), &targets.to_string())
}

/// Publishes what is left, the first targets alone.
async fn publish(
    args: &Args,
    mut publishing: Publishing,
    settings: &broker::Settings,
) -> Result<(), Failure> {
    let expected = publishing.expected();
    let bar = Bar::new(expected);
    let show = |published: u64| {
        bar.show(published, &format!("published: {published} of {expected}"));
    };
    let publishing_all = async {
        // Not fewer than the first: an earlier start may have ended before it knew of them, or because of them.
        if publishing.published <= FIRST && expected > FIRST {
            publishing.up_to(FIRST, show).await?;
            if !args.even_if_unknown {
                first::check(settings, &publishing, &bar).await?;
            }
        }
        publishing.up_to(u64::MAX, show).await
    };
    let result = tokio::select! {
        result = publishing_all => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Failed(anyhow!(
            "interrupted; what is published goes on, and the same command publishes the rest"
        ))),
    };
    bar.end();
    publishing.close().await;
    result
}

async fn wait(args: &Args, settings: &broker::Settings, said: &str) -> Result<(), Failure> {
    let id = &args.campaign;
    if !args.drill {
        tell(&format!(
            "{said}; campaign status {id} --wait shows the same from any machine"
        ));
    }
    if args.no_wait {
        return Ok(());
    }
    let follower = Follower::open_patiently(settings, id, tell).await?;
    let follower = status::wait(settings, id, follower).await?;
    status::show(id, &follower, args.json)
}
