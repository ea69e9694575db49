//! The loads that `goals.txt` names: what is sent, and what changes meanwhile.

use revoker::gate::Way;

use super::{
    scenario::{Load, Odd, Scenario},
    server::Model::{self, Both, Minute},
    world::Kind,
};

/// When a limit changes or an outage begins, seconds.
pub(super) const CHANGE_AT: f64 = 60.0;
/// How long a trickle goes before the bulk, seconds.
pub(super) const TRICKLE: f64 = 600.0;
/// How long an outage lasts, seconds.
const OUTAGE: f64 = 120.0;

/// A load by its name.
pub(super) fn named(name: &str) -> fn(Model) -> Scenario {
    match name {
        "bulk" => bulk,
        "own-429" => |model| odd(model, Odd::Every(1000, Kind::Always429)),
        "own-500" => |model| odd(model, Odd::Every(50, Kind::Always500)),
        "last-500" => |model| odd(model, Odd::Last(Kind::Always500)),
        "last-429" => |model| odd(model, Odd::Last(Kind::Always429)),
        "urgent-first" => urgent_first,
        "urgent-flood" => urgent_flood,
        "two-ways" => two_ways,
        "fast" => fast,
        "drop" => drop,
        "rise" => rise,
        "outage" => outage,
        "trickle" => trickle,
        "trickle-first" => trickle_first,
        _ => panic!("no load is called {name:?}"),
    }
}

/// Long enough for what a quota's window shows.
fn bulk(model: Model) -> Scenario {
    let count = match model {
        Minute => 40_000,
        Both => 64_000,
        _ => 20_000,
    };
    Scenario::bulk(model, count)
}

fn odd(model: Model, odd: Odd) -> Scenario {
    let count = match model {
        Minute | Both => 40_000,
        _ => 20_000,
    };
    let mut scenario = Scenario::bulk(model, count);
    scenario.load[0].odd = odd;
    scenario
}

fn urgent_first(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 20_000);
    scenario.load.push(Load::urgent(10_000));
    scenario
}

fn urgent_flood(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 0);
    scenario.load.push(Load {
        per_second: Some(150.0),
        ..Load::urgent(9_000)
    });
    scenario
}

fn two_ways(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 20_000);
    scenario.limits[Way::List as usize] = 20.0;
    scenario.load.push(Load {
        way: Way::List,
        ..Load::bulk(4_000)
    });
    scenario
}

fn fast(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 200_000);
    scenario.limits[Way::Revoke as usize] = 1_000.0;
    scenario
}

fn drop(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 18_000);
    scenario.changes = vec![(CHANGE_AT, 20.0)];
    scenario
}

fn rise(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 21_200);
    scenario.limits[Way::Revoke as usize] = 20.0;
    scenario.changes = vec![(CHANGE_AT, 200.0)];
    scenario
}

fn outage(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 20_000);
    scenario.outage = Some((CHANGE_AT, CHANGE_AT + OUTAGE));
    scenario
}

fn trickle(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 60_000);
    scenario.load.push(Load {
        per_second: Some(1.0),
        from: 10.0,
        ..Load::urgent(570)
    });
    scenario
}

/// For ten minutes far less than is allowed, and then far more: the rate must not have grown unproven.
fn trickle_first(model: Model) -> Scenario {
    let mut scenario = Scenario::bulk(model, 0);
    scenario.load.push(Load {
        per_second: Some(1.0),
        ..Load::bulk(600)
    });
    scenario.load.push(Load {
        from: TRICKLE,
        ..Load::bulk(10_000)
    });
    scenario
}
