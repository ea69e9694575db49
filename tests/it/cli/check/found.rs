//! What a visit found of exchanges, queues and rights, line by line.

use revoker::{
    broker::{Error, Refusal, TopologyMode, visit::Compared},
    cli::check::{
        broker::allowed,
        report::{Check, Line, Verdict},
        topology::{compared, delivery_limits, known_elsewhere, streams},
    },
};
use serde_json::json;

use super::judge::{lane_arguments, listed, queue};

pub(super) fn mismatch(argument: &str) -> Error {
    let text = format!(
        "the queue 'r.urgent' exists with other arguments: '{argument}' is 5, wanted 6; drain it"
    );
    Error::Mismatch(text)
}

fn words(lines: &[Line]) -> Vec<(Verdict, &str)> {
    lines
        .iter()
        .map(|line| (line.verdict, line.said.as_str()))
        .collect()
}

#[test]
fn what_was_found_of_queues_becomes_few_lines() {
    use TopologyMode::{Declare, Verify};
    let (same, refused) = (
        || Ok(Compared::Same),
        || Ok(Compared::NotAllowed("refused".into())),
    );
    let gone = || Err(Error::Missing("x".into()));
    let lines = compared(Check::Queues, &[("a", same()), ("b", same())], Verify);
    assert_eq!(
        words(&lines),
        [(Verdict::Ok, "2 are there, as they should be")]
    );
    let lines = compared(
        Check::Queues,
        &[("a", same()), ("b", gone()), ("c", gone())],
        Declare,
    );
    assert_eq!(words(&lines)[1], (Verdict::Failed, "not there: b, c"));
    let lines = compared(
        Check::Queues,
        &[("a", Err(mismatch("x-queue-type")))],
        Declare,
    );
    let said = "the queue 'r.urgent' exists with other arguments: 'x-queue-type' is 5, wanted 6";
    assert_eq!(words(&lines), [(Verdict::Failed, said)]);
    assert_eq!(lines[0].todo.as_deref(), Some("drain it"));
    // A worker that declares needs the right; one that verifies does not, and nothing is known.
    let lines = compared(Check::Queues, &[("a", refused())], Declare);
    assert_eq!(
        words(&lines),
        [(
            Verdict::Failed,
            "our user may not declare 1 of them: refused"
        )]
    );
    let lines = compared(Check::Queues, &[("a", refused())], Verify);
    assert_eq!(lines[0].verdict, Verdict::NotChecked);
}

#[test]
fn a_low_delivery_limit_has_a_line_of_its_own() {
    let low = [
        ("a", Ok(Compared::Same)),
        ("b", Err(mismatch("x-delivery-limit"))),
    ];
    let line = delivery_limits(&low, true);
    assert_eq!(
        (line.check, line.verdict),
        (Check::DeliveryLimits, Verdict::Failed)
    );
    let lines = compared(Check::Queues, &low, TopologyMode::Declare);
    assert_eq!(
        words(&lines),
        [(Verdict::Ok, "1 are there, as they should be")]
    );
    let fine = [("a", Ok(Compared::Same))];
    assert!(!delivery_limits(&fine, true).said.contains("policy"));
    assert!(
        delivery_limits(&fine, false)
            .said
            .contains("a policy might")
    );
    let unknown = [("a", Err(mismatch("x-queue-type")))];
    assert_eq!(delivery_limits(&unknown, true).verdict, Verdict::NotChecked);
}

#[test]
fn streams_are_there_where_ours_are() {
    let same = || Ok(Compared::Same);
    let all = [
        ("r.audit", same()),
        ("r.control", same()),
        ("r.urgent", Err(mismatch("x"))),
    ];
    assert_eq!(streams(&all).verdict, Verdict::Ok);
    let classic = [
        ("r.audit", Err(mismatch("x-queue-type"))),
        ("r.control", same()),
    ];
    assert_eq!(streams(&classic).verdict, Verdict::NotChecked);
    assert_eq!(streams(&[]).verdict, Verdict::NotChecked);
}

/// A user who may not configure learns of arguments from the management API.
#[test]
fn the_management_api_stands_in_where_the_broker_does_not_compare() {
    let refused = || Ok(Compared::NotAllowed("refused".into()));
    let good = listed("urgent", lane_arguments(), json!({}));
    let urgent = queue("urgent");
    assert_eq!(
        known_elsewhere(&urgent, refused(), Some(&good)),
        Ok(Compared::Same)
    );
    assert_eq!(known_elsewhere(&urgent, refused(), None), refused());
    let low = listed(
        "urgent",
        json!({"x-queue-type": "quorum", "x-delivery-limit": 5}),
        json!({}),
    );
    let found = known_elsewhere(&urgent, refused(), Some(&low));
    let Err(Error::Mismatch(said)) = &found else {
        panic!("{found:?}");
    };
    assert!(
        said.contains("'x-delivery-limit' is 5, wanted 1000000; drain it"),
        "{said}"
    );
    assert_eq!(
        delivery_limits(&[("r.urgent", found)], true).verdict,
        Verdict::Failed
    );
}

#[test]
fn rights_that_lack_are_told_in_the_brokers_words() {
    let refused =
        "ACCESS_REFUSED - access to exchange 'r.dead' in vhost '/' refused for user 'app'";
    let tried = [
        Ok(()),
        Err(Error::Refused(Refusal::Right, refused.into())),
        Err(Error::Missing("x".into())),
    ];
    let lines = allowed(&tried);
    assert_eq!(words(&lines)[1], (Verdict::Failed, refused));
    assert_eq!(
        (lines[0].verdict, lines[2].verdict),
        (Verdict::Ok, Verdict::NotChecked)
    );
    assert_eq!(words(&allowed(&[Ok(()), Ok(())])).len(), 1);
}
