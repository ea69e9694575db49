//! Dead letters by cause: how many, since when, whose, and what to do.
//!
//! Pure, and small however many letters there are: of each only sums are kept.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::status::text::{age, number, plain},
    event::Lane,
    settle::letter::{Cause, Letter, Seal},
};

/// Names that are told apart in one group; what comes later is counted as of others.
const NAMES_MAX: usize = 1_000;
/// How many of them are shown.
const NAMES_SHOWN: usize = 3;

/// All groups, by cause.
#[derive(Debug, Default)]
pub struct Groups {
    groups: HashMap<Cause, Group>,
    /// All letters.
    pub letters: u64,
}

#[derive(Debug, Default)]
struct Group {
    letters: u64,
    oldest: Option<Timestamp>,
    newest: Option<Timestamp>,
    lanes: BTreeMap<&'static str, u64>,
    publishers: BTreeMap<String, u64>,
    campaigns: BTreeMap<String, u64>,
    /// By [`Seal`], without those in clear.
    seals: BTreeMap<&'static str, u64>,
}

impl Groups {
    /// Takes in a letter.
    pub fn add(&mut self, letter: &Letter) {
        self.letters += 1;
        let group = self.groups.entry(letter.cause).or_default();
        group.letters += 1;
        if let Some(at) = letter.dead_lettered_at {
            group.oldest = Some(group.oldest.map_or(at, |oldest| oldest.min(at)));
            group.newest = Some(group.newest.map_or(at, |newest| newest.max(at)));
        }
        *group.lanes.entry(lane(letter.lane)).or_default() += 1;
        count(&mut group.publishers, &letter.publisher);
        if let Some(campaign) = &letter.campaign_id {
            count(&mut group.campaigns, campaign);
        }
        if letter.seal != Seal::Clear {
            *group.seals.entry(letter.seal.as_str()).or_default() += 1;
        }
    }

    /// How many letters of each cause, for the record.
    pub fn codes(&self) -> BTreeMap<String, u64> {
        let groups = self.groups.iter();
        groups
            .map(|(cause, group)| (cause.as_str().to_owned(), group.letters))
            .collect()
    }

    /// For people, the greatest group first.
    pub fn text(&self, now: Timestamp) -> String {
        let mut text = String::new();
        for (cause, group) in self.sorted() {
            let _ = writeln!(text, "{:>9}  {}", number(group.letters), cause.as_str());
            let mut line = |words: &str| {
                let _ = writeln!(text, "{:>9}  {words}", "");
            };
            if let (Some(oldest), Some(newest)) = (group.oldest, group.newest) {
                let ago = |at: Timestamp| age(now.duration_since(at).as_secs());
                line(&format!("dead for {} to {}", ago(newest), ago(oldest)));
            }
            let lanes = group.lanes.iter();
            let lanes: Vec<String> = lanes
                .map(|(lane, count)| format!("{lane} {}", number(*count)))
                .collect();
            line(&format!("lanes: {}", lanes.join(", ")));
            line(&format!("publishers: {}", most(&group.publishers)));
            if !group.campaigns.is_empty() {
                line(&format!("campaigns: {}", most(&group.campaigns)));
            }
            if !group.seals.is_empty() {
                line(&format!("sealed bodies: {}", most(&group.seals)));
            }
            line(&format!("to do: {}", cause.explanation()));
        }
        text
    }

    /// For programs: one object.
    pub fn json(&self) -> Value {
        let group = |(cause, group): (Cause, &Group)| {
            json!({
                "code": cause.as_str(),
                "letters": group.letters,
                "oldest": group.oldest,
                "newest": group.newest,
                "lanes": group.lanes,
                "publishers": group.publishers,
                "campaigns": group.campaigns,
                "sealed": group.seals,
                "comes_back": cause.comes_back(),
                "to_do": cause.explanation(),
            })
        };
        let groups: Vec<Value> = self.sorted().into_iter().map(group).collect();
        json!({ "letters": self.letters, "groups": groups })
    }

    fn sorted(&self) -> Vec<(Cause, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(c, group)| (*c, group)).collect();
        groups.sort_by_key(|(cause, group)| (std::cmp::Reverse(group.letters), cause.as_str()));
        groups
    }
}

/// The lane's word; foreign letters have none.
pub(super) const fn lane(lane: Option<Lane>) -> &'static str {
    match lane {
        Some(lane) => lane.as_str(),
        None => "unknown",
    }
}

fn count(names: &mut BTreeMap<String, u64>, name: &str) {
    let name = match names.len() < NAMES_MAX || names.contains_key(name) {
        true => name,
        false => "others",
    };
    *names.entry(name.to_owned()).or_default() += 1;
}

/// The greatest of them in words.
fn most<K: AsRef<str>>(names: &BTreeMap<K, u64>) -> String {
    let mut sorted: Vec<(&str, u64)> = names.iter().map(|(n, c)| (n.as_ref(), *c)).collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let shown = sorted.iter().take(NAMES_SHOWN);
    let mut words: Vec<String> = shown
        .map(|(name, count)| format!("{} {}", plain(name), number(*count)))
        .collect();
    if sorted.len() > NAMES_SHOWN {
        words.push(format!("and {} more", sorted.len() - NAMES_SHOWN));
    }
    words.join(", ")
}
