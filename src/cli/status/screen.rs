//! One screen, for somebody who was woken up: first whether it is well and what is not, then the workers,
//! then the queues. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Look,
    broker::{Broker, Row},
    text::{age, number, plain, table},
    verdict::Verdict,
    worker::{Found, InHand, View},
};
use crate::event::Lane;

/// The whole screen.
pub fn screen(look: &Look, verdict: &Verdict) -> String {
    let mut text = head(look, verdict);
    text.push('\n');
    text.push_str(&workers(look));
    text.push('\n');
    text.push_str(&queues(look));
    text
}

fn head(look: &Look, verdict: &Verdict) -> String {
    let (at, version) = (look.at, env!("CARGO_PKG_VERSION"));
    let word = if verdict.is_well() {
        "WELL"
    } else {
        "NOT WELL"
    };
    let mut text = format!("{word}   {at:.0}   revoker {version}\n");
    for trouble in &verdict.troubles {
        text.push_str(&format!("  ! {}\n", trouble.text));
    }
    for note in &verdict.notes {
        text.push_str(&format!("  - {note}\n"));
    }
    text
}

fn workers(look: &Look) -> String {
    let mut rows = vec![cells([
        "WORKER",
        "STATE",
        "FOR",
        "READY",
        "URGENT IN HAND",
        "BULK IN HAND",
        "ALLOWED/S",
        "LAST REVOKED",
    ])];
    for worker in &look.workers {
        let row = match &worker.found {
            Found::View(view) => view_row(&worker.address, view, look.at),
            Found::Problem(_) => cells([&worker.address, "not reachable"]),
        };
        rows.push(row);
    }
    table(&rows)
}

fn view_row(address: &str, view: &View, now: Timestamp) -> Vec<String> {
    let since = |at: Timestamp| age(now.duration_since(at).as_secs());
    let in_hand = |lane: Lane| match view.lanes.get(lane.as_str()) {
        Some(InHand {
            events,
            oldest: Some(at),
            ..
        }) => format!("{}, oldest {}", number(*events), since(*at)),
        Some(InHand { events, .. }) => number(*events),
        None => "?".to_owned(),
    };
    let last = view.lanes.values().filter_map(|lane| lane.last_revocation);
    let last = last.max();
    vec![
        address.to_owned(),
        plain(&view.shown.state),
        since(view.shown.since),
        if view.ready { "yes" } else { "no" }.to_owned(),
        in_hand(Lane::Urgent),
        in_hand(Lane::Bulk),
        rate(view.calls_per_second),
        last.map_or_else(|| "none yet".to_owned(), |at| format!("{} ago", since(at))),
    ]
}

/// Few calls a second are told to the tenth.
fn rate(calls_per_second: f64) -> String {
    match calls_per_second {
        few @ ..100.0 => format!("{few:.1}"),
        many => number(many as u64),
    }
}

fn queues(look: &Look) -> String {
    match &look.broker {
        Broker::Queues(rows) => table(&asked(rows)),
        Broker::NotAsked => last_known(look, "REVOKER_AMQP_URL is not set: RabbitMQ is not asked."),
        Broker::Problem { .. } => last_known(look, "RabbitMQ does not tell the queues."),
    }
}

fn asked(rows: &[Row]) -> Vec<Vec<String>> {
    let mut lines = vec![cells(["QUEUE", "READY", "CONSUMERS"])];
    let retries = || rows.iter().filter(|row| row.purpose == "retry");
    let mut retry_told = false;
    for row in rows {
        if row.purpose != "retry" {
            lines.push(queue_row(&row.name, row));
        } else if !std::mem::replace(&mut retry_told, true) {
            // One line for all: each comes back by itself.
            let messages = retries().filter_map(|row| row.standing).map(|s| s.messages);
            let sum: u64 = messages.map(u64::from).sum();
            let name = format!("{} retry queues", retries().count());
            let hint = "come back by themselves".to_owned();
            lines.push(vec![name, number(sum), String::new(), hint]);
        }
    }
    lines
}

fn queue_row(name: &str, row: &Row) -> Vec<String> {
    match row.standing {
        Some(standing) => vec![
            name.to_owned(),
            number(standing.messages.into()),
            standing.consumers.to_string(),
        ],
        None => cells([name, "", "", "missing"]),
    }
}

/// What the worker with the latest reading knows.
fn last_known(look: &Look, why: &str) -> String {
    let views = look
        .workers
        .iter()
        .filter_map(|worker| match &worker.found {
            Found::View(view) => Some((worker.address.as_str(), view)),
            Found::Problem(_) => None,
        });
    let read = views.filter_map(|(address, view)| Some((view.depths_at?, address, &view.depths)));
    let Some((at, address, depths)) = read.max_by_key(|(at, ..)| *at) else {
        return format!("{why} No worker tells either.\n");
    };
    let ago = age(look.at.duration_since(at).as_secs());
    let rows = known(depths);
    format!(
        "{why} Worker {address} read this {ago} ago:\n{}",
        table(&rows)
    )
}

fn known(depths: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
    let mut rows = vec![cells(["QUEUE", "READY"])];
    let order = ["urgent", "bulk", "retry", "dead"];
    let known = order.iter().filter_map(|name| depths.get_key_value(*name));
    rows.extend(known.map(|(name, messages)| vec![name.clone(), number(*messages)]));
    rows
}

fn cells<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}
