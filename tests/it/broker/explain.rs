//! What the broker's errors become: RabbitMQ's own texts in, what to do out.

use lapin::{
    ErrorKind,
    protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError},
};
use revoker::{
    broker::{Error, Refusal, Trouble, explain},
    tls::{Failure, Kind},
};

const REMEDY: &str = "; arguments cannot be changed, so drain it (or move its messages with a shovel), \
    delete it and start the worker, which declares it rightly; or use another REVOKER_PREFIX";

fn explained(kind: impl Into<AMQPErrorKind>, text: &str) -> Error {
    let amqp = AMQPError::new(kind.into(), text.into());
    explain::error(&ErrorKind::ProtocolError(amqp).into())
}

fn tls(kind: Kind) -> Error {
    let text = String::new();
    Error::Tls(Failure { kind, text })
}

/// The broker cuts its texts at 255 bytes (`rabbit_channel`: 252 and three dots).
fn cut(text: &str) -> String {
    match text.get(..252) {
        Some(start) if text.len() > 255 => format!("{start}..."),
        _ => text.to_owned(),
    }
}

fn check_406(text: &str, wanted: &str) {
    let error = explained(
        AMQPSoftError::PRECONDITIONFAILED,
        &cut(&format!("PRECONDITION_FAILED - {text}")),
    );
    assert!(matches!(error, Error::Mismatch(_)), "{error:?}");
    assert!(error.is_a_setting(), "waiting does not help: {error}");
    assert_eq!(error.to_string(), format!("{wanted}{REMEDY}"));
}

/// The texts of RabbitMQ 3.10 and 4.0, from `rabbit_misc:assert_args_equivalence` and
/// `rabbit_amqqueue`.
#[test]
fn a_mismatch_names_queue_argument_found_wanted_and_remedy() {
    // A tutorial's queue_declare came first.
    check_406(
        "inequivalent arg 'x-queue-type' for queue 'revocation.urgent' in vhost '/': \
         received the value 'quorum' of type 'longstr' but current is none",
        "the queue 'revocation.urgent' exists with other arguments: 'x-queue-type' is none, wanted 'quorum'",
    );
    check_406(
        "inequivalent arg 'x-queue-type' for queue 'r.bulk' in vhost 'prod': \
         received 'quorum' but current is 'classic'",
        "the queue 'r.bulk' exists with other arguments: 'x-queue-type' is 'classic', wanted 'quorum'",
    );
    check_406(
        "inequivalent arg 'durable' for queue 'r.dead' in vhost '/': received 'true' but current is 'false'",
        "the queue 'r.dead' exists with other arguments: 'durable' is 'false', wanted 'true'",
    );
    check_406(
        "inequivalent arg 'x-message-ttl' for queue 'r.urgent.retry.1m' in vhost '/': received the value \
         '60000' of type 'long' but current is the value '5000' of type 'signedint'",
        "the queue 'r.urgent.retry.1m' exists with other arguments: 'x-message-ttl' is '5000', wanted '60000'",
    );
    check_406(
        "inequivalent arg 'type' for exchange 'r.bulk' in vhost '/': received 'topic' but current is 'direct'",
        "the exchange 'r.bulk' exists with other arguments: 'type' is 'direct', wanted 'topic'",
    );
}

/// Somebody bounded the dead letters: what they set is named, and that we want nothing there.
#[test]
fn an_argument_that_we_do_not_set_is_wanted_none() {
    check_406(
        "inequivalent arg 'x-max-length' for queue 'r.dead' in vhost '/': \
         received none but current is the value '1000' of type 'long'",
        "the queue 'r.dead' exists with other arguments: 'x-max-length' is '1000', wanted none",
    );
}

#[test]
fn a_text_that_the_broker_cut_still_has_its_remedy() {
    let queue = format!("{}.urgent", "p".repeat(100));
    let start =
        format!("the queue '{queue}' exists with other arguments: 'x-dead-letter-exchange'");
    let text = |vhost: &str| {
        format!(
            "inequivalent arg 'x-dead-letter-exchange' for queue '{queue}' in vhost '{vhost}': received \
             the value 'another.exchange' of type 'longstr' but current is the value 'q.unhandled' of \
             type 'longstr'"
        )
    };
    // Cut within what was found, then within what was wanted.
    check_406(
        &text("/"),
        &format!("{start} is something else, wanted 'another.exchange'"),
    );
    check_406(
        &text("production"),
        &format!("{start} is something else, wanted 'another.exchange'"),
    );
    check_406(
        &text(&"v".repeat(45)),
        &format!("{start} is something else, wanted another value"),
    );
}

#[test]
fn any_other_406_is_told_as_it_is() {
    let texts = [
        "PRECONDITION_FAILED - unknown delivery tag 3",
        "PRECONDITION_FAILED - inequivalent arg",
        "PRECONDITION_FAILED - inequivalent arg 'x' for binding 'y': received 'z'",
        "PRECONDITION_FAILED - invalid property 'non-durable' for queue 'q' in vhost '/'",
        "'",
        "inequivalent arg '",
        "",
    ];
    for text in texts {
        let error = explained(AMQPSoftError::PRECONDITIONFAILED, text);
        assert_eq!(error.to_string(), format!("the broker answered: {text}"));
    }
}

#[test]
fn the_reply_code_says_what_kind_of_error_it_is() {
    let refused = explained(
        AMQPSoftError::ACCESSREFUSED,
        "ACCESS_REFUSED - configure access to exchange 'r.owner' in vhost '/' refused for user 'app'",
    );
    assert!(
        matches!(refused, Error::Refused(Refusal::Right, _)),
        "{refused:?}"
    );
    assert!(!refused.is_a_setting(), "rights can be given while we wait");
    assert!(refused.to_string().contains("'r.owner'"), "{refused}");
    let vhost = explained(AMQPHardError::NOTALLOWED, "NOT_ALLOWED - vhost x not found");
    assert!(
        matches!(vhost, Error::Refused(Refusal::Vhost, _)),
        "{vhost:?}"
    );
    let missing = explained(
        AMQPSoftError::NOTFOUND,
        "NOT_FOUND - no queue 'r.dead' in vhost '/'",
    );
    assert!(matches!(missing, Error::Missing(_)), "{missing:?}");
    assert!(missing.to_string().contains("'r.dead'"), "{missing}");
    assert!(missing.to_string().contains("REVOKER_TOPOLOGY=declare"));
    let locked = explained(AMQPSoftError::RESOURCELOCKED, "RESOURCE_LOCKED - x");
    assert!(matches!(locked, Error::InUse(_)), "{locked:?}");
    for other in [
        explained(AMQPHardError::CONNECTIONFORCED, "CONNECTION_FORCED - x"),
        explain::error(&ErrorKind::ChannelsLimitReached.into()),
    ] {
        assert!(matches!(other, Error::Unreachable(_)), "{other:?}");
    }
}

/// A lock that another project holds is not a queue to be moved.
#[test]
fn a_lock_names_the_project_that_holds_it() {
    let check = |differs: &str, wanted: &str| {
        let text = format!("PRECONDITION_FAILED - inequivalent arg {differs}");
        let said = explained(AMQPSoftError::PRECONDITIONFAILED, &cut(&text)).to_string();
        let error = explain::lock_refused("r", "r.owner", said);
        assert!(error.is_a_setting());
        assert!(error.to_string().starts_with(wanted), "{error}");
    };
    let lock = "'alternate-exchange' for exchange 'r.owner' in vhost '/': received 'r.owner.project-test-1'";
    check(
        &format!("{lock} but current is 'r.owner.project-live-22222222'"),
        "the queues r.* belong to the Stytch project project-live-22222222; use another vhost or REVOKER_PREFIX",
    );
    // Cut within the id, and before it says anything.
    let held = "project-live-22222222-2222-4222-8222-222222222222";
    let usual = lock.replace("project-test-1", &held.replace("live", "test"));
    check(
        &format!("{usual} but current is 'r.owner.{held}'").replace("'/'", "'production'"),
        "the queues r.* belong to the Stytch project project-live-22222222-2222-4222",
    );
    let long = lock.replace("-1'", &format!("-{}'", "1".repeat(99)));
    check(
        &format!("{long} but current is 'r.owner.project-live-22222222'"),
        "the queues r.* belong to another Stytch project (the lock r.owner names it); ",
    );
    // Exchanges that somebody made by hand.
    check(
        &format!("{lock} but current is none"),
        "the exchange 'r.owner' exists with other arguments: 'alternate-exchange' is none, ",
    );
    check(
        "'type' for exchange 'r.owner' in vhost '/': received 'topic' but current is 'direct'",
        "the exchange 'r.owner' exists with other arguments: 'type' is 'direct', ",
    );
}

/// The state that is shown says which of our settings to look at, in words that hold no name.
#[test]
fn every_error_is_one_trouble() {
    let refused = |text| explained(AMQPSoftError::ACCESSREFUSED, text);
    let login = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For \
        details see the broker logfile.";
    let right = "ACCESS_REFUSED - access to queue 'r.bulk' in vhost '/' refused for user 'app'";
    let vhost = "NOT_ALLOWED - access to vhost 'prod' refused for user 'app'";
    let differs = "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x'";
    let cases = [
        (refused(login), Trouble::LoginRefused),
        (refused(right), Trouble::RightMissing),
        (
            explained(AMQPHardError::NOTALLOWED, vhost),
            Trouble::VhostRefused,
        ),
        (
            explained(AMQPSoftError::NOTFOUND, "NOT_FOUND - no queue 'r.dead'"),
            Trouble::TopologyMissing,
        ),
        (
            explained(AMQPSoftError::PRECONDITIONFAILED, differs),
            Trouble::TopologyDiffers,
        ),
        (
            explained(AMQPHardError::CONNECTIONFORCED, "CONNECTION_FORCED - x"),
            Trouble::Unreachable,
        ),
        (Error::TimedOut("connect"), Trouble::NoAnswer),
        (Error::PasswordFile("gone".into()), Trouble::PasswordFile),
        (Error::BadUrl("x".into()), Trouble::UrlWrong),
        (Error::TlsFile("x".into()), Trouble::TlsFile),
        (tls(Kind::Certificate), Trouble::CertificateRefused),
        (tls(Kind::Ours), Trouble::ClientCertificateRefused),
        (tls(Kind::Protocol), Trouble::TlsFailed),
        (
            Error::Refused(Refusal::Certificate, "x".into()),
            Trouble::ClientCertificateRefused,
        ),
    ];

    for (error, trouble) in cases {
        assert_eq!(error.trouble(), trouble, "{error}");
    }
}
