//! `dead-letters replay`: back to their lanes with their attempts reset, under the same event ids.
//!
//! Says what it would do, and does it only when told so. How it is done is in `sending`.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use anyhow::anyhow;
use serde_json::json;

use super::{
    DeedArgs,
    filter::Filter,
    record::Deed,
    scan::scan,
    sending::{Bounds, Sending, Stopped, said},
};
use crate::{
    broker::{browse::LETTERS_MAX, topology::Names},
    campaign::Order,
    cli::{
        Failure,
        campaign::tell,
        print,
        status::text::{number, plain},
    },
    config::DeadLettersArgs,
    settle::letter::{Cause, Found, Letter, Refusal},
};

/// Campaigns that are told apart in a plan; the rest is counted as of others.
const CAMPAIGNS_MAX: usize = 1_000;

/// Which letters, and how fast.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    deed: DeedArgs,
    /// At most so many a second.
    #[arg(long, value_name = "RATE", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// How long each step waits for the outcomes of its events, at most 5m.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = wait)]
    wait: Duration,
    /// Replay also what was replayed three times before.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    settings: DeadLettersArgs,
}

/// What a replay comes to, before anything is sent.
#[derive(Debug, Default)]
pub struct Plan {
    /// Letters by cause and exchange.
    places: BTreeMap<(&'static str, String), (Cause, u64)>,
    campaigns: BTreeMap<String, u64>,
    refused: BTreeMap<Refusal, u64>,
    /// Letters that go back.
    pub letters: u64,
}

/// Replays them, or says what would be done.
///
/// # Errors
/// When it stopped by itself, was interrupted, somebody else looks at the dead letters, or the broker cannot
/// be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?.broker;
    let names = Names::new(&settings.prefix);
    let (mut plan, limit) = (Plan::default(), args.deed.limit.unwrap_or(LETTERS_MAX));
    let each = |letter: &Letter, found: &Found, _: &_| {
        if plan.letters < limit {
            plan.add(letter, found, args.force, &names);
        }
    };
    scan(&settings, None, &args.filter, LETTERS_MAX, each).await?;
    if !args.deed.yes || plan.letters == 0 {
        return Ok(print(&plan.would(args.deed.json))?);
    }
    tell(plan.text().trim_end());
    let deed = Deed::new(
        &settings,
        &args.deed,
        &args.filter,
        Order::DeadLettersReplayed,
    );
    let bounds = Bounds {
        rate: args.rate,
        wait: args.wait,
        limit,
        force: args.force,
    };
    // Opened first: a deed that cannot begin needs no record.
    let mut sending = Sending::open(&settings, &args.filter, bounds).await?;
    let begun = deed.begins(plan.codes()).await;
    let ended = match begun {
        Ok(()) => sending.run().await,
        Err(error) => return Err(error),
    };
    let (heard, codes) = sending.close().await;
    deed.ended(codes.clone()).await?;
    let result = json!({
        "replayed": heard.sent, "done": heard.done, "dead_again": heard.dead, "unheard": heard.unheard(),
        "codes": codes, "stopped": ended.as_ref().err().map(Stopped::word),
    });
    print(&match args.deed.json {
        true => format!("{result}\n"),
        false => format!("{}\n", said(heard)),
    })?;
    ended.map_err(Failure::from)
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Broker(failure) => failure,
            stopped => Self::Failed(anyhow!(
                "{stopped}; the rest is still in the dead-letter queue"
            )),
        }
    }
}

impl Plan {
    /// Takes in a letter that matches.
    pub fn add(&mut self, letter: &Letter, found: &Found, force: bool, names: &Names) {
        let replay = match letter.replay(found, force) {
            Ok(replay) => replay,
            Err(refusal) => {
                *self.refused.entry(refusal).or_default() += 1;
                return;
            }
        };
        self.letters += 1;
        let place = (letter.cause.as_str(), names.back(replay.lane));
        self.places.entry(place).or_insert((letter.cause, 0)).1 += 1;
        if let Some(id) = &letter.campaign_id {
            let has_room = self.campaigns.len() < CAMPAIGNS_MAX;
            let name = match has_room || self.campaigns.contains_key(id) {
                true => id.as_str(),
                false => "others",
            };
            *self.campaigns.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// How many go back, by code.
    pub fn codes(&self) -> BTreeMap<String, u64> {
        let mut codes = BTreeMap::new();
        for ((code, _), (_, count)) in &self.places {
            *codes.entry((*code).to_owned()).or_default() += count;
        }
        codes
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for ((code, exchange), (cause, count)) in &self.places {
            let sure = match cause.comes_back() {
                true => "  sure to come back: the event breaks the contract as it is",
                false => "",
            };
            let _ = writeln!(text, "{:>9}  {code}  to {exchange}{sure}", number(*count));
        }
        for (id, count) in &self.campaigns {
            let _ = writeln!(
                text,
                "{:>9}  of them of the campaign {}",
                number(*count),
                plain(id)
            );
        }
        for (refusal, count) in &self.refused {
            let _ = writeln!(
                text,
                "{:>9}  stay: {}",
                number(*count),
                refusal.explanation()
            );
        }
        text
    }

    fn would(&self, json: bool) -> String {
        if !json {
            let end = match self.letters {
                0 => "no dead letter matches that can be replayed",
                _ => "nothing was sent: --yes --why TEXT sends them back, 1, 2, 5, 10 … at once",
            };
            return format!("{}{end}\n", self.text());
        }
        let places = self.places.iter().map(|((code, exchange), (cause, count))| {
            json!({"code": code, "to": exchange, "letters": count, "comes_back": cause.comes_back()})
        });
        let refused = self.refused.iter();
        let refused = refused.map(|(refusal, count)| (refusal.as_str().to_owned(), json!(count)));
        let plan = json!({
            "replayed": 0,
            "would_replay": self.letters,
            "places": places.collect::<Vec<_>>(),
            "campaigns": self.campaigns,
            "refused": refused.collect::<serde_json::Map<_, _>>(),
        });
        format!("{plan}\n")
    }
}

/// Longer, and letters are held for so long that the broker takes them back.
fn wait(text: &str) -> Result<Duration, String> {
    const WAIT_MAX: Duration = Duration::from_secs(300);
    let wait = humantime::parse_duration(text).ok();
    wait.filter(|wait| *wait <= WAIT_MAX)
        .ok_or_else(|| "give at most 5m, such as 30s".to_owned())
}
