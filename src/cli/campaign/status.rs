//! `campaign status ID`: how far it is, read from the streams on any machine; `--wait` follows it.

use std::{cell::Cell, io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    campaign_id,
    follow::{Follower, Turn},
    picture::{Picture, Stand},
    screen, tell,
};
use crate::{
    broker,
    cli::{Failure, print},
    config::PublishArgs,
};

/// How often it is looked at, and drawn on a terminal.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is told where there is no terminal.
const TELL: Duration = Duration::from_secs(10);

/// Which campaign, and how it is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The campaign.
    #[arg(value_name = "ID", value_parser = campaign_id)]
    id: String,
    /// Follow it until every event has an outcome. Interrupting this changes nothing for the campaign.
    #[arg(long)]
    wait: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: PublishArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 every expected event is proven, 1 not (yet) or there is no such campaign, 64 wrong usage or
settings, 69 RabbitMQ does not answer.";

/// Shows how far a campaign is.
///
/// # Errors
/// When settings are wrong, and, after all is shown, when not all is proven.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let mut follower = Follower::open(&settings.broker, &args.id).await?;
    if args.wait {
        follower = wait(&settings.broker, &args.id, follower).await?;
    }
    show(&args.id, &follower, args.json)
}

/// Follows a campaign until every event has an outcome, or somebody interrupts.
///
/// # Errors
/// When the broker cannot be used for a further part.
pub async fn wait(
    settings: &broker::Settings,
    id: &str,
    mut follower: Follower,
) -> Result<Follower, Failure> {
    let bar = Bar::new(follower.proof().expected());
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let picture = picture(id, &follower);
        bar.show(follower.proof().proven(), &picture.line());
        if picture.stand() != Stand::UnderWay {
            break;
        }
        let turn = tokio::select! {
            turn = follower.listen(LOOK, |why| bar.tell(why)) => turn,
            _ = &mut interrupted => {
                bar.end();
                tell(&format!("it goes on without you; campaign status {id} --wait takes it up again"));
                return Ok(follower);
            }
        };
        if turn == Turn::Extended {
            follower = Follower::open_patiently(settings, id, |why| bar.tell(why)).await?;
        }
    }
    bar.end();
    Ok(follower)
}

/// Prints how it stands; the exit code follows.
///
/// # Errors
/// When not all is proven.
pub fn show(id: &str, follower: &Follower, json: bool) -> Result<(), Failure> {
    let picture = picture(id, follower);
    match json {
        true => print(&format!("{}\n", picture.json()))?,
        false => print(&screen::text(&picture))?,
    }
    let why = match picture.stand() {
        Stand::Complete => return Ok(()),
        Stand::UnderWay => "not all is proven yet",
        Stand::Cancelled => "the campaign was cancelled before all was done",
        Stand::Ended => {
            "not all could be proven: see the dead letters, and campaign report --input for a list of what lacks"
        }
    };
    Err(Failure::Failed(anyhow::anyhow!(why)))
}

fn picture<'a>(id: &'a str, follower: &'a Follower) -> Picture<'a> {
    Picture {
        id,
        campaign: follower.campaign(),
        proof: follower.proof(),
        pace: &follower.pace,
        workers: follower.workers(),
        bulk_held: follower.bulk_held(),
        trimmed: follower.trimmed,
        now: Timestamp::now(),
    }
}

/// Progress: a bar on a terminal, lines now and then otherwise.
pub struct Bar {
    bar: Option<ProgressBar>,
    told: Cell<Instant>,
}

impl Bar {
    /// For so many steps.
    pub fn new(steps: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let shown = std::io::stderr().is_terminal();
        Self {
            bar: shown.then(|| ProgressBar::new(steps).with_style(style)),
            told: Cell::new(Instant::now()),
        }
    }

    /// So far.
    pub fn show(&self, step: u64, line: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(step);
                bar.set_message(line.to_owned());
            }
            None if self.told.get().elapsed() >= TELL => {
                self.told.set(Instant::now());
                tell(line);
            }
            None => {}
        }
    }

    /// Something that stays to be read.
    pub fn tell(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => tell(line),
        }
    }

    /// The end.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
