//! What the broker's errors mean and what to do about them.

use lapin::ErrorKind;

use super::Error;

/// AMQP 0-9-1 reply codes that decide something (the specification's constants).
const ACCESS_REFUSED: u16 = 403;
const NOT_FOUND: u16 = 404;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// The error as one of ours. The broker's texts name queues, users and vhosts, never passwords.
pub(crate) fn error(error: &lapin::Error) -> Error {
    match error.kind() {
        ErrorKind::ProtocolError(amqp) => {
            let text = amqp.get_message().to_string();
            match amqp.get_id() {
                PRECONDITION_FAILED => Error::Mismatch(mismatch(&text)),
                ACCESS_REFUSED | NOT_ALLOWED => Error::Refused(text),
                NOT_FOUND => Error::Missing(text),
                _ => Error::Unreachable(text),
            }
        }
        _ => Error::Unreachable(error.to_string()),
    }
}

/// Turns RabbitMQ's 406 text into what was found, what was wanted and what to do.
///
/// The text reads: `inequivalent arg 'NAME' for queue 'Q' in vhost 'V': received the value 'X' of
/// type 'T' but current is none` (or `the value 'Y' of type 'T'`, or without "the value … of type").
pub(crate) fn mismatch(text: &str) -> String {
    let quoted = |after: &str| {
        let rest = &text[text.find(after)? + after.len()..];
        let rest = &rest[rest.find('\'')? + 1..];
        Some(rest[..rest.find('\'')?].to_owned())
    };
    let (Some(argument), Some(wanted)) = (quoted("inequivalent arg "), quoted("received ")) else {
        return format!("the broker answered: {text}");
    };
    let (kind, name) = match (quoted("for queue "), quoted("for exchange ")) {
        (Some(name), _) => ("queue", name),
        (None, Some(name)) => ("exchange", name),
        (None, None) => return format!("the broker answered: {text}"),
    };
    let found = match text.find("current is none") {
        Some(_) => "none".to_owned(),
        None => quoted("current is ").map_or_else(|| "something else".into(), |v| format!("'{v}'")),
    };
    format!(
        "the {kind} '{name}' exists with other arguments: '{argument}' is {found}, wanted '{wanted}'; \
         arguments cannot be changed, so drain it (or move its messages with a shovel), delete it and \
         start the worker, which declares it rightly; or use another REVOKER_PREFIX"
    )
}

#[cfg(test)]
mod tests {
    use super::mismatch;

    #[test]
    fn a_406_says_what_was_found_and_what_to_do() {
        let check = |text: &str, start: &str| {
            let said = mismatch(text);
            assert!(said.starts_with(start), "{said}");
        };
        check(
            "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'r.urgent' in vhost '/': \
             received the value 'quorum' of type 'longstr' but current is none",
            "the queue 'r.urgent' exists with other arguments: 'x-queue-type' is none, wanted 'quorum'; ",
        );
        check(
            "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received \
             the value '60000' of type 'long' but current is the value '5' of type 'long'",
            "the queue 'q' exists with other arguments: 'x-message-ttl' is '5', wanted '60000'; ",
        );
        check(
            "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'r.bulk' in vhost '/': received \
             'topic' but current is 'direct'",
            "the exchange 'r.bulk' exists with other arguments: 'type' is 'direct', wanted 'topic'; ",
        );
        check(
            "PRECONDITION_FAILED - something new",
            "the broker answered: PRECONDITION_FAILED",
        );
    }
}
