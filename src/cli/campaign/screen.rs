//! How a campaign stands, for people.
//!
//! Pure. "Stytch knows no such session" is never called "logged out", and no percentage is rounded up
//! to a hundred.

use std::{fmt::Write, time::Duration};

use super::{follow::Trimmed, picture::Picture};
use crate::campaign::outcome::Done;

/// The whole picture.
pub fn text(picture: &Picture<'_>) -> String {
    let mut text = String::new();
    for (name, value) in [head(picture), sums(picture), foot(picture)].concat() {
        let _ = writeln!(text, "{name:<30} {value}");
    }
    text
}

type Rows = Vec<(String, String)>;

fn row(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// What the campaign is.
fn head(picture: &Picture<'_>) -> Rows {
    let campaign = picture.campaign;
    let drill = campaign.parts.iter().any(|part| part.manifest.drill);
    let drill = if drill { "  (DRILL)" } else { "" };
    let mut rows = vec![row("campaign", format!("{}{drill}", picture.id))];
    rows.extend(campaign.parts.iter().map(|part| {
        let manifest = &part.manifest;
        let value = format!(
            "{} {}s of {}, begun {:.0} by {}, cutoff {:.0}",
            manifest.expected,
            manifest.target_kind,
            manifest.project_id,
            part.started_at,
            part.by,
            manifest.cutoff
        );
        row(&format!("part {}", manifest.part), value)
    }));
    rows
}

/// What is proven.
fn sums(picture: &Picture<'_>) -> Rows {
    let (campaign, proof) = (picture.campaign, picture.proof);
    let (proven, expected) = (proof.proven(), proof.expected());
    let mut rows = vec![
        row(
            "published",
            format!("{} of {expected}", campaign.published()),
        ),
        row(
            "proven",
            format!("{proven} of {expected} ({})", percent(proven, expected)),
        ),
    ];
    for done in Done::ALL.iter().rev() {
        rows.push(row(
            &format!("  {}", word(*done)),
            proof.count(*done).to_string(),
        ));
    }
    rows.push(row(
        "sessions revoked",
        proof.sums.sessions_revoked.to_string(),
    ));
    let newer = proof.sums.sessions_newer;
    rows.push(row(
        "sessions that stay",
        format!("{newer}, started after the cutoff"),
    ));
    rows
}

/// What is wrong with it, and what is still to come.
fn foot(picture: &Picture<'_>) -> Rows {
    let (proof, mut rows) = (picture.proof, Rows::new());
    if proof.sums.refused > 0 {
        let refused = proof.sums.refused;
        let value = format!("{refused} outcomes name this campaign and are not what was asked for");
        rows.push(row("not counted", value));
    }
    if proof.has_strangers() {
        let value =
            "events are counted that no manifest has: campaign report --input tells them apart";
        rows.push(row("strangers", value));
    }
    rows.extend(
        picture
            .trimmed
            .map(|trimmed| row("incomplete", incomplete(trimmed))),
    );
    if let Some(safe_at) = proof.sums.safe_at {
        let value = format!(
            "{safe_at:.0}: until then services that validate JWTs locally may still take one"
        );
        rows.push(row("safe at", value));
    }
    rows.push(row("left", picture.left()));
    rows
}

/// Why outcomes may be gone.
pub fn incomplete(trimmed: Trimmed) -> String {
    match trimmed {
        Trimmed::Since(Some(at)) => format!("since {at:.0}: older outcomes are no longer kept"),
        Trimmed::Since(None) => "older outcomes are no longer kept".to_owned(),
        Trimmed::MadeAnew => "the audit stream was made anew since it began".to_owned(),
    }
}

/// How an event stands, for people.
pub fn word(done: Done) -> &'static str {
    match done {
        Done::Waiting => "waiting",
        Done::Failed => "failed (dead letters)",
        Done::Cancelled => "cancelled",
        Done::Obsolete => "obsolete",
        Done::Duplicate => "done by another event",
        Done::UnknownUser => "Stytch knows no such user",
        Done::NoSuchSession => "Stytch knows no such session",
        Done::Revoked => "revoked",
    }
}

/// A percentage that is 100 only when nothing lacks.
pub fn percent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (_, 0) => "0 %".to_owned(),
        (part, whole) if part >= whole => "100 %".to_owned(),
        (part, whole) => {
            let hundredths = u128::from(part) * 10_000 / u128::from(whole);
            format!("{}.{:02} %", hundredths / 100, hundredths % 100)
        }
    }
}

/// Seconds below two minutes, minutes below two hours, hours above.
pub fn short(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3_600.0),
    }
}
