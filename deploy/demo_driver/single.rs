//! "Try it": one event whose session answers 500 (or 429) for ever, twenty healthy ones behind it,
//! and what became of them. What it prints is the same in every run.

use std::{
    collections::HashMap,
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    Answer, Outage,
    broker::{Broker, DeadLetter},
    load::{Event, Fate, event_in, id_of},
    processes::Processes,
    sandbox::Session,
};

/// Healthy events behind the one that is not.
const HEALTHY: usize = 20;
/// `REVOKER_ATTEMPTS`: few, so that the end comes soon.
const ATTEMPTS: u32 = 3;
/// `REVOKER_RETRY_DELAYS`.
const RETRY_DELAYS: &str = "1s,2s";
/// All attempts: those in memory, and one after each of the two delays.
const ATTEMPTS_IN_ALL: u32 = ATTEMPTS + 2;
/// Calls for the one event after which it is plain that refusals are no attempts.
const CALLS_BEYOND_DOUBT: u32 = ATTEMPTS_IN_ALL + 1;
/// How long its end may take.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of them.
struct Outcome {
    calls: u32,
    healthy_revoked: usize,
    dead_letter: Option<DeadLetter>,
    queued: u32,
}

/// Runs it; true if all ended as it should.
pub(crate) async fn run(
    answer: Answer,
    outage: Outage,
    broker: &Broker,
    processes: &mut Processes,
) -> anyhow::Result<bool> {
    let sandbox = processes.start_sandbox().await?;
    let session_ids: Vec<_> = (0..=HEALTHY).map(|_| id_of("session")).collect();
    let sick = &session_ids[0];
    sandbox.seed_sessions(&session_ids).await?;
    sandbox
        .set_faults(&json!({ "by_id": { sick: answer.as_str() } }))
        .await?;
    let attempts = ATTEMPTS.to_string();
    let settings = [
        ("REVOKER_ATTEMPTS", attempts.as_str()),
        ("REVOKER_RETRY_DELAYS", RETRY_DELAYS),
        ("REVOKER_OUTAGE", outage.as_str()),
    ];
    processes.start_worker(&sandbox.url, &settings).await?;
    let letters = broker.watch_dead_letters().await?;
    let events: Vec<Event> = session_ids.iter().map(|id| event(id)).collect();
    print(&introduction(answer, outage))?;
    broker.publish(&events).await?;

    let began = Instant::now();
    let mut seen = loop {
        let sessions = sandbox.sessions().await?;
        let outcome = Outcome {
            calls: calls_of(&sessions, sick)?,
            healthy_revoked: healthy_revoked(&sessions, &session_ids[1..]),
            dead_letter: letters.found().of(&events[0]).cloned(),
            queued: 0,
        };
        let settled = outcome.dead_letter.is_some() || outcome.calls >= CALLS_BEYOND_DOUBT;
        if (settled && outcome.healthy_revoked == HEALTHY) || began.elapsed() > LONGEST {
            break outcome;
        }
        sleep(Duration::from_millis(200)).await;
    };
    // What the worker still holds is given back when it ends, and can be counted then.
    processes.stop_worker().await;
    seen.queued = broker.still_queued().await?;
    seen.dead_letter = letters.found().of(&events[0]).cloned();
    print(&report(answer, &seen))?;
    Ok(is_right(answer, outage, &seen))
}

fn event(session_id: &str) -> Event {
    let target = json!({ "session_id": session_id });
    let fate = Fate::Revoked(session_id.to_owned());
    event_in("urgent", "password-reset", Timestamp::now(), target, fate)
}

fn calls_of(sessions: &HashMap<String, Session>, id: &str) -> anyhow::Result<u32> {
    let session = sessions.get(id).context("the sandbox forgot a session")?;
    ensure!(
        session.revoked_at_ms.is_none(),
        "a session that cannot be revoked was"
    );
    Ok(session.revoke_calls)
}

fn healthy_revoked(sessions: &HashMap<String, Session>, ids: &[String]) -> usize {
    let revoked = |id: &&String| sessions.get(*id).is_some_and(|s| s.revoked_at_ms.is_some());
    ids.iter().filter(revoked).count()
}

fn introduction(answer: Answer, outage: Outage) -> String {
    format!(
        "one event whose session answers {} for ever, {HEALTHY} healthy ones behind it\n\
         REVOKER_OUTAGE={} REVOKER_ATTEMPTS={ATTEMPTS} REVOKER_RETRY_DELAYS={RETRY_DELAYS}: {ATTEMPTS_IN_ALL} attempts in all\n",
        answer.as_str(),
        outage.as_str()
    )
}

fn report(answer: Answer, seen: &Outcome) -> String {
    let asked = match seen.calls {
        calls if calls > ATTEMPTS_IN_ALL => format!("more than {ATTEMPTS_IN_ALL}"),
        calls => calls.to_string(),
    };
    let (attempts, place) = match &seen.dead_letter {
        Some(letter) => (
            letter
                .attempts
                .map_or("unknown".to_owned(), |n| n.to_string()),
            format!("dead-letter queue ({})", letter.code),
        ),
        None if seen.queued == 1 => ("none counted".to_owned(), "still queued".to_owned()),
        None => ("unknown".to_owned(), "nowhere".to_owned()),
    };
    format!(
        "  healthy events:   {} of {HEALTHY} revoked\n  \
           calls for it:     {asked}, each answered {}\n  \
           attempts:         {attempts}\n  \
           where it is now:  {place}\n",
        seen.healthy_revoked,
        answer.as_str()
    )
}

/// A 429 is no news about the message, so under `hold` it costs no attempt; all else ends in the
/// dead-letter queue once the attempts are used up.
fn is_right(answer: Answer, outage: Outage, seen: &Outcome) -> bool {
    let held = answer == Answer::TooManyRequests && outage == Outage::Hold;
    let as_expected = match &seen.dead_letter {
        None => held && seen.queued == 1 && seen.calls >= CALLS_BEYOND_DOUBT,
        Some(letter) => !held && letter.code == "attempts_exhausted",
    };
    as_expected && seen.healthy_revoked == HEALTHY
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
