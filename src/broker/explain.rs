//! What the broker's errors mean and what to do about them.

use lapin::ErrorKind;

use super::{Error, Refusal};

/// AMQP 0-9-1 reply codes that decide something (the specification's constants).
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const RESOURCE_LOCKED: u16 = 405;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;
/// What tells a refused login from a missing right: both are 403.
const LOGIN_REFUSED: &str = "Login was refused";

/// A project's id that was cut shorter than this names nobody, in bytes: `project-live-` and 8 digits.
const PROJECT_ID_SHOWN_MIN: usize = 21;

/// The error as one of ours. The broker's texts name queues, users and vhosts, never passwords.
pub fn error(error: &lapin::Error) -> Error {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) => {
            let text = amqp.get_message().to_string();
            match amqp.get_id() {
                PRECONDITION_FAILED => Error::Mismatch(mismatch(&text)),
                ACCESS_REFUSED if text.contains(LOGIN_REFUSED) => {
                    Error::Refused(Refusal::Login, text)
                }
                ACCESS_REFUSED => Error::Refused(Refusal::Right, text),
                NOT_ALLOWED => Error::Refused(Refusal::Vhost, text),
                NOT_FOUND => Error::Missing(text),
                RESOURCE_LOCKED => Error::InUse(text),
                _ => Error::Unreachable(text),
            }
        }
        _ => Error::Unreachable(error.to_string()),
    }
}

/// What it means that the owner lock could not be declared: another project holds it, unless it is
/// no lock at all but an exchange that somebody made under its name. `said` is the text of the
/// [`Error::Mismatch`].
pub fn lock_refused(prefix: &str, lock: &str, said: String) -> Error {
    let found = said.split_once("'alternate-exchange' is ");
    let Some((_, found)) = found.filter(|(_, found)| !found.starts_with("none")) else {
        return Error::Mismatch(said);
    };
    let project = found.strip_prefix(&format!("'{lock}."));
    let project = project
        .and_then(|rest| rest.split_once('\''))
        .filter(|(id, _)| id.len() >= PROJECT_ID_SHOWN_MIN);
    Error::OtherProject {
        prefix: prefix.to_owned(),
        // The broker cuts a text that is too long, usually within the id.
        owner: project.map_or_else(
            || format!("another Stytch project (the lock {lock} names it)"),
            |(id, _)| format!("the Stytch project {id}"),
        ),
    }
}

/// Turns RabbitMQ's 406 text into what was found, what was wanted and what to do.
///
/// The text reads: `inequivalent arg 'NAME' for queue 'Q' in vhost 'V': received X but current is Y`,
/// where X and Y are `none`, `'VALUE'` or `the value 'VALUE' of type 'T'`. The broker cuts it at 255
/// bytes, so that its end may be missing.
fn mismatch(text: &str) -> String {
    let opened = |after: &str| Some(text.split_once(after)?.1.split_once('\'')?.1);
    let quoted = |after: &str| Some(opened(after)?.split_once('\'')?.0);
    // The end of the text is what the broker cuts; the beginning of a value may say enough.
    let begun = |after: &str| {
        let begun = opened(after)?.trim_end_matches('.');
        (!begun.is_empty()).then(|| format!("'{begun}…'"))
    };
    let value = |after: &str| match text.split_once(after) {
        Some((_, rest)) if rest.starts_with("none") => Some("none".to_owned()),
        _ => quoted(after).map(|value| format!("'{value}'")),
    };
    let place = match (quoted("for queue "), quoted("for exchange ")) {
        (Some(name), _) => Some(("queue", name)),
        (None, Some(name)) => Some(("exchange", name)),
        (None, None) => None,
    };
    let (Some(argument), Some((kind, name))) = (quoted("inequivalent arg "), place) else {
        return format!("the broker answered: {text}");
    };
    let found = value("current is ").or_else(|| begun("current is "));
    let found = found.unwrap_or_else(|| "something else".into());
    let wanted = value("received ").unwrap_or_else(|| "another value".into());
    format!(
        "the {kind} '{name}' exists with other arguments: '{argument}' is {found}, wanted {wanted}; \
         arguments cannot be changed, so drain it (or move its messages with a shovel), delete it and \
         start the worker, which declares it rightly; or use another REVOKER_PREFIX"
    )
}
