//! The picture of the campaigns: the newest by their id, from 0 on, and never more series than that.

use revoker::{
    settle::outcome::Outcome,
    telemetry::{
        Metrics,
        metrics::{CAMPAIGNS_MAX, Campaign},
    },
};

use super::metrics::series;

fn campaign(id: &str, expected: u64) -> Campaign {
    Campaign {
        id: id.into(),
        publisher: "ops".into(),
        expected,
    }
}

/// What is exported of one campaign: its expected events, and its events by outcome that are not 0.
fn picture(metrics: &Metrics, id: &str) -> Option<(f64, Vec<(String, f64)>)> {
    let all = series(metrics);
    let label = format!("campaign=\"{id}\"");
    let expected = *all.get(&format!("revoker_campaign_expected_events{{{label}}}"))?;
    let of = |name: &&String| {
        name.starts_with("revoker_campaign_events_total{") && name.contains(&label)
    };
    let events: Vec<_> = all.iter().filter(|(name, _)| of(name)).collect();
    assert_eq!(events.len(), Outcome::ALL.len(), "{id}: {events:?}");
    let word = |name: &str| name.rsplit('"').nth(1).unwrap().to_owned();
    let counted = events.iter().filter(|(_, value)| **value > 0.0);
    Some((
        expected,
        counted.map(|(name, value)| (word(name), **value)).collect(),
    ))
}

fn counted(expected: f64, events: &[(&str, f64)]) -> Option<(f64, Vec<(String, f64)>)> {
    let events = events.iter().map(|(word, n)| ((*word).to_owned(), *n));
    Some((expected, events.collect()))
}

#[test]
fn a_campaign_is_there_at_zero_and_counts_its_own_publishers_events() {
    let metrics = Metrics::new();
    metrics.show_campaigns(&[campaign("breach", 3)], 0);
    assert_eq!(picture(&metrics, "breach"), counted(3.0, &[]));
    metrics.campaign_event("breach", "ops", Outcome::Revoked);
    metrics.campaign_event("breach", "stranger", Outcome::Revoked);
    metrics.campaign_event("unheard-of", "ops", Outcome::DeadLettered);
    assert_eq!(
        picture(&metrics, "breach"),
        counted(3.0, &[("revoked", 1.0)])
    );
    let others = counted(0.0, &[("dead_lettered", 1.0), ("revoked", 1.0)]);
    assert_eq!(picture(&metrics, "_other"), others);
    assert_eq!(picture(&metrics, "unheard-of"), None);
    // A second part: more is expected, and nothing is forgotten.
    metrics.show_campaigns(&[campaign("breach", 5)], 0);
    assert_eq!(
        picture(&metrics, "breach"),
        counted(5.0, &[("revoked", 1.0)])
    );
}

/// Events follow their manifest so closely that some end before it is read.
#[test]
fn what_ended_before_the_manifest_was_read_counts() {
    let metrics = Metrics::new();
    let early = |id: &str, publisher: &str| metrics.campaign_event(id, publisher, Outcome::Revoked);
    early("breach", "stranger");
    early("breach", "ops");
    early("breach", "ops");
    for n in 0..6 {
        early(&format!("noise-{n}"), "ops");
    }
    metrics.show_campaigns(&[campaign("breach", 3)], 0);
    let expected = counted(3.0, &[("revoked", 2.0)]);
    assert_eq!(picture(&metrics, "breach"), expected);
    // Not a second time, nor what came longer ago than others.
    metrics.show_campaigns(&[], 0);
    metrics.show_campaigns(&[campaign("breach", 3), campaign("noise-0", 1)], 0);
    assert_eq!(picture(&metrics, "breach"), counted(3.0, &[]));
    early("lost", "ops");
    for n in 6..20 {
        early(&format!("noise-{n}"), "ops");
    }
    metrics.show_campaigns(&[campaign("lost", 1)], 0);
    assert_eq!(picture(&metrics, "lost"), counted(1.0, &[]));
}

#[test]
fn only_the_newest_have_an_id_and_what_is_shown_no_longer_is_gone() {
    let metrics = Metrics::new();
    let ids: Vec<String> = (0..=CAMPAIGNS_MAX).map(|n| format!("c{n}")).collect();
    let all: Vec<_> = ids.iter().map(|id| campaign(id, 10)).collect();
    metrics.show_campaigns(&all, 7);
    let at_most = series(&metrics).len();
    assert_eq!(picture(&metrics, "c0"), counted(10.0, &[]));
    assert_eq!(picture(&metrics, &ids[CAMPAIGNS_MAX]), None);
    assert_eq!(picture(&metrics, "_other"), counted(7.0, &[]));
    metrics.campaign_event("c0", "ops", Outcome::Revoked);
    metrics.show_campaigns(&all[1..], 17);
    assert_eq!(series(&metrics).len(), at_most);
    assert_eq!(picture(&metrics, "c0"), None);
    metrics.campaign_event("c0", "ops", Outcome::Revoked);
    assert_eq!(
        picture(&metrics, "_other"),
        counted(17.0, &[("revoked", 1.0)])
    );
    // Nobody can take the place of the others.
    metrics.show_campaigns(&[campaign("_other", 99)], 1);
    metrics.campaign_event("_other", "ops", Outcome::Revoked);
    assert_eq!(
        picture(&metrics, "_other"),
        counted(1.0, &[("revoked", 2.0)])
    );
}
