//! Which dead letters: the same filters for every subcommand, all of which must hold.

use std::{fmt::Write, time::Duration};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{SignedDuration, Timestamp};

use crate::{
    closed_set,
    event::Lane,
    settle::letter::{Cause, Letter},
};

closed_set! {
    /// What a letter is about.
    Kind {
        /// All sessions of a user.
        User => "user",
        /// One session, by its id.
        Session => "session",
        /// One session, by its token.
        Token => "token",
    }
}

/// Which letters; none of them: all.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Which dead letters")]
pub struct Filter {
    /// Dead for this reason: a code, unknown (another tool wrote it) or newer (a newer worker did); may be given
    /// several times.
    #[arg(long = "code", value_name = "CODE", value_parser = causes(), hide_possible_values = true)]
    pub codes: Vec<Cause>,
    /// Of this campaign.
    #[arg(long, value_name = "ID")]
    pub campaign: Option<String>,
    /// Of this publisher.
    #[arg(long, value_name = "NAME")]
    pub publisher: Option<String>,
    /// From this lane.
    #[arg(long, value_name = "urgent|bulk", value_parser = lanes())]
    pub lane: Option<Lane>,
    /// About a user, a session, or a session given by its token.
    #[arg(long, value_name = "user|session|token", value_parser = kinds())]
    pub target: Option<Kind>,
    /// Of this event; may be given several times.
    #[arg(long = "event-id", value_name = "ID")]
    pub event_ids: Vec<String>,
    /// Dead for longer than this, such as 2h.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub older_than: Option<Duration>,
    /// Dead for no longer than this, such as 30m.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub newer_than: Option<Duration>,
}

impl Filter {
    /// Whether nothing was asked for, so that every letter matches.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Whether a letter is meant. One that does not say since when it is dead is of no age.
    pub fn matches(&self, letter: &Letter, now: Timestamp) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let age = letter.dead_lettered_at.map(|at| now.duration_since(at));
        let is_of_age =
            |limit: &Option<Duration>, holds: fn(SignedDuration, SignedDuration) -> bool| {
                limit.is_none_or(|limit| {
                    let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
                    age.is_some_and(|age| holds(age, limit))
                })
            };
        let kind = letter.target_kind.as_deref();
        let event_id = letter.event_id.as_ref();
        (self.codes.is_empty() || self.codes.contains(&letter.cause))
            && same(&self.campaign, letter.campaign_id.as_deref())
            && same(&self.publisher, Some(&letter.publisher))
            && self.lane.is_none_or(|lane| letter.lane == Some(lane))
            && self
                .target
                .is_none_or(|target| kind == Some(target.as_str()))
            && (self.event_ids.is_empty() || event_id.is_some_and(|id| self.event_ids.contains(id)))
            && is_of_age(&self.older_than, |age, limit| age > limit)
            && is_of_age(&self.newer_than, |age, limit| age <= limit)
    }

    /// As on the command line, for people and for the record.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut flag = |name: &str, value: &str| {
            let _ = write!(text, " --{name} {value}");
        };
        for cause in &self.codes {
            flag("code", cause.as_str());
        }
        let span = |span: &Option<Duration>| {
            span.map(|span| {
                humantime::format_duration(span)
                    .to_string()
                    .replace(' ', "")
            })
        };
        let (older, newer) = (span(&self.older_than), span(&self.newer_than));
        for (name, value) in [
            ("campaign", self.campaign.as_deref()),
            ("publisher", self.publisher.as_deref()),
            ("lane", self.lane.map(Lane::as_str)),
            ("target", self.target.map(Kind::as_str)),
            ("older-than", older.as_deref()),
            ("newer-than", newer.as_deref()),
        ] {
            if let Some(value) = value {
                flag(name, value);
            }
        }
        for id in &self.event_ids {
            flag("event-id", id);
        }
        text.trim_start().to_owned()
    }
}

fn causes() -> impl TypedValueParser<Value = Cause> {
    let words: Vec<&'static str> = Cause::all().map(Cause::as_str).collect();
    PossibleValuesParser::new(words).try_map(|word| Cause::named(&word).ok_or("it is no code"))
}

fn lanes() -> impl TypedValueParser<Value = Lane> {
    let words: Vec<&'static str> = Lane::ALL.iter().map(|lane| lane.as_str()).collect();
    let lane = |word: String| Lane::ALL.iter().copied().find(|l| l.as_str() == word);
    PossibleValuesParser::new(words).try_map(move |word| lane(word).ok_or("it is no lane"))
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    let words: Vec<&'static str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let kind = |word: String| Kind::ALL.iter().copied().find(|k| k.as_str() == word);
    PossibleValuesParser::new(words).try_map(move |word| kind(word).ok_or("it is no target"))
}
