//! `revoker check`: the report and its exit code; what each line says is beside it.

mod found;
mod judge;
mod production;
mod stytch;

use revoker::{
    broker::{Error, Refusal},
    cli::{
        Failure,
        check::report::{Check, Line, Report},
    },
};
use serde_json::{Value, json};

use found::mismatch;

/// The lines' exit code.
fn check_end(lines: Vec<Line>, code: Option<u8>) {
    let ended = Report::of(lines).end();
    let found = ended.as_ref().err().map(|failure| match failure {
        Failure::Usage(_) | Failure::Settings(_) => 64,
        Failure::Unavailable(_) => 69,
        Failure::NoInput(_) | Failure::Unreadable(_) => panic!("check reads no file"),
        Failure::Failed(_) => 1,
    });
    assert_eq!(found, code, "{ended:?}");
}

#[test]
fn the_exit_code_is_of_what_waiting_does_not_mend() {
    let ok = || Line::ok(Check::Broker, "x");
    let failed = |check| Line::failed(check, "x", "y");
    let away = || Line::broker(Check::Broker, &Error::Unreachable("x".into()));
    check_end(vec![ok(), Line::not_checked(Check::Policies, "x")], None);
    check_end(vec![ok(), failed(Check::Rights)], Some(1));
    check_end(vec![ok(), away()], Some(69));
    check_end(vec![away(), failed(Check::Rights)], Some(1));
    check_end(vec![failed(Check::Settings), away()], Some(64));
}

#[test]
fn a_report_is_in_order_and_claims_nothing_that_another_line_denies() {
    let report = Report::of(vec![
        Line::ok(Check::Credentials, "taken"),
        Line::ok(Check::DeliveryLimits, "none is low"),
        Line::ok(Check::Policies, "none"),
        Line::failed(Check::DeliveryLimits, "a policy\x1b sets 5", "clear it"),
        Line::not_checked(Check::Bindings, "nobody knows"),
    ]);
    let wanted = "\
failed       delivery limits   a policy sets 5
                               do: clear it
not checked  bindings          nobody knows
ok           policies          none
ok           credentials       taken

2 ok, 1 failed, 1 not checked
";
    assert_eq!(report.text(), wanted, "{}", report.text());
    let json: Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["well"], false);
    let line =
        json!({"check": "bindings", "verdict": "not checked", "said": "nobody knows", "do": null});
    assert_eq!(json["lines"][1], line);
}

/// What the broker's errors say to do is not lost on the way.
#[test]
fn a_brokers_error_has_a_remedy() {
    let errors = [
        Error::Refused(
            Refusal::Login,
            "the user 'app' or its password is wrong (x)".into(),
        ),
        Error::Unreachable("x".into()),
        Error::Missing("no queue 'x'".into()),
        mismatch("x-queue-type"),
        Error::TimedOut("connect"),
        Error::Blocked,
    ];
    for error in errors {
        let line = Line::broker(Check::Broker, &error);
        let todo = line.todo.unwrap_or_default();
        assert!(
            todo.len() > 5 && !line.said.contains("; "),
            "{error}: {todo}"
        );
    }
}
