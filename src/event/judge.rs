//! The rules between the fields of one event, and the event that they make.
//!
//! The rules of single fields are in `fields`, `target`, `jwt` and `time`. Every field is asked for
//! even when another is wrong already: a publisher should see all problems in one dead letter.

use jiff::Timestamp;

use super::decode::EventType;
use super::fields::{self, Field};
use super::form::Form;
use super::target::{self, Kind};
use super::{Code, Event, Expectations, Problem, Rejection, Request, Target, jwt, time};

/// The event, unless anything is wrong with it.
pub(super) fn judge(
    mut form: Form<'_>,
    event_type: EventType,
    expect: &Expectations,
    now: Timestamp,
) -> Result<Event, Rejection> {
    // Its value is known by now; asking for it tells when it is missing or no string.
    form.require(Field::Type, |_, _| Ok(()));
    let id = form.require(Field::Id, fields::id);
    let occurred = form.name(Field::OccurredAt);
    let written = form.require(Field::OccurredAt, |_, text| time::read(occurred, text));
    let occurred_at = written.map_or(now, |written| written.min(now));
    let reason = form.require(Field::Reason, fields::reason);
    let holds_credential = form.has(Field::SessionToken) || form.has(Field::SessionJwt);
    let asked = match event_type {
        EventType::VerifyV1 => Some(Asked {
            request: Request::Verify,
            unknown_id_format: false,
        }),
        EventType::RevokeV1 => revoke(&mut form, written.unwrap_or(now), expect),
    };
    let initiated_by = form.take(Field::InitiatedBy, fields::initiated_by);
    let actor = form.take(Field::Actor, fields::actor);
    let campaign_id = form.take(Field::CampaignId, fields::campaign_id);
    form.take(Field::ProjectId, |_, text| same_project(text, expect));
    let not_after = form.take(Field::NotAfter, a_time);
    let note = form.take(Field::Note, fields::note);
    form.skip_ext();

    let problems = form.into_problems();
    match (id, reason, asked) {
        (Some(id), Some(reason), Some(asked)) if problems.is_empty() => Ok(Event {
            id,
            request: asked.request,
            occurred_at,
            occurred_in_future: written.is_some_and(|written| written > now),
            reason,
            initiated_by,
            actor,
            campaign_id,
            not_after,
            note,
            holds_credential,
            unknown_id_format: asked.unknown_id_format,
        }),
        (event_id, ..) => Err(Rejection { problems, event_id }),
    }
}

struct Asked {
    request: Request,
    unknown_id_format: bool,
}

/// The one target, with what belongs to it. A cutoff is taken as it is written: where it lies ahead of
/// our clock, ours may be the wrong one, and cutting it would leave sessions alive that must end.
fn revoke(form: &mut Form<'_>, written: Timestamp, expect: &Expectations) -> Option<Asked> {
    count_targets(form);
    let session = form.take(Field::SessionId, |field, text| {
        target::id(field, Kind::Session, text, expect)
    });
    let token = form.take(Field::SessionToken, target::token);
    let from_jwt = form.take(Field::SessionJwt, |field, text| {
        jwt::session(field, text, expect)
    });
    let user = form.take(Field::UserId, |field, text| {
        target::id(field, Kind::User, text, expect)
    });
    let keep = form.take(Field::KeepSessionId, |field, text| {
        target::id(field, Kind::Session, text, expect)
    });
    let cutoff = form.take(Field::Cutoff, a_time);

    let unknown_id_format = [&session, &from_jwt, &user, &keep]
        .into_iter()
        .flatten()
        .any(|id| !id.is_known);
    let target = match (session.or(from_jwt), token, user) {
        (Some(id), ..) => Target::Session(id.text),
        (_, Some(token), _) => Target::Token(token),
        (.., Some(user)) => Target::User {
            user_id: user.text,
            cutoff: cutoff.unwrap_or(written),
            keep_session_id: keep.map(|id| id.text),
        },
        (None, None, None) => return None,
    };
    Some(Asked {
        request: Request::Revoke(target),
        unknown_id_format,
    })
}

/// Exactly one target, and what belongs to a user only with a user. A target that is null is told as
/// such, so it is neither missing nor one too many; a misspelt one counts as what it was meant to be.
fn count_targets(form: &mut Form<'_>) {
    let count = Field::TARGETS
        .iter()
        .filter(|field| form.has(**field))
        .count();
    let has_user = form.has(Field::UserId);
    let none_meant = Field::TARGETS.into_iter().all(|field| form.lacks(field));
    if none_meant {
        let names = Field::TARGETS.map(Field::as_str).join(", ");
        form.refuse(Problem::new(
            Code::TargetMissing,
            format!("no target; give exactly one of {names}"),
        ));
    }
    if count > 1 {
        let given = Field::TARGETS.into_iter().filter(|field| form.has(*field));
        let names = given.map(Field::as_str).collect::<Vec<_>>().join(", ");
        let remedy = if count == 2 {
            "send two events to revoke both"
        } else {
            "send one event for each"
        };
        let text = format!("{count} targets ({names}); give exactly one, and {remedy}");
        form.refuse(Problem::new(Code::TargetAmbiguous, text));
    }
    if count == 0 || has_user {
        return;
    }
    for field in [Field::KeepSessionId, Field::Cutoff] {
        if form.has(field) {
            form.refuse(
                field.bad_format("goes with user_id only; leave it out, or name the user instead"),
            );
        }
    }
}

fn a_time(field: Field, text: &str) -> Result<Timestamp, Problem> {
    time::read(field.as_str(), text)
}

fn same_project(text: &str, expect: &Expectations) -> Result<(), Problem> {
    if text == expect.project_id {
        return Ok(());
    }
    let text =
        "project_id is not the project that this worker serves; publish to that project's worker";
    Err(Problem::new(Code::WrongProject, text))
}
