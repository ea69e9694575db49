//! What is measured of a run, and the bounds it must keep.

use std::fmt;

use revoker::{event::Lane, gate::Way};

use super::{
    loads::{CHANGE_AT, TRICKLE},
    measure::Measured,
    scenario::Scenario,
    server::Model::{Both, Minute},
};

/// What is measured; `goals.txt` says what each is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    Used(Way),
    UsedAfter,
    Wasted,
    WastedAfter,
    Lost,
    Dead,
    Time(Lane),
    Found,
    FailedInOutage,
    Recovered,
    Last,
    Urgent(f64),
}
use Figure::{
    Dead, FailedInOutage, Found, Last, Lost, Recovered, Time, Urgent, Used, UsedAfter, Wasted,
    WastedAfter,
};

/// What it must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    Least(f64),
    Most(f64),
}
use Bound::{Least, Most};

/// How long after a change its effects are measured, seconds.
const AFTER: f64 = 180.0;

impl Figure {
    /// Its word in `goals.txt`.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "used" => Used(Way::Revoke),
            "used-list" => Used(Way::List),
            "used-after" => UsedAfter,
            "wasted" => Wasted,
            "wasted-after" => WastedAfter,
            "lost" => Lost,
            "dead" => Dead,
            "time" => Time(Lane::Bulk),
            "urgent-time" => Time(Lane::Urgent),
            "found" => Found,
            "failed" => FailedInOutage,
            "recovered" => Recovered,
            "last" => Last,
            "p50" => Urgent(0.5),
            "p99" => Urgent(0.99),
            _ => panic!("no figure is called {word:?}"),
        }
    }

    /// Its value in one run.
    pub(super) fn of(self, run: &Measured, scenario: &Scenario, replicas: usize) -> f64 {
        let is_quota = [Minute, Both].contains(&scenario.model);
        let limit = scenario.limits[Way::Revoke as usize];
        let limit_after = scenario.limit(Way::Revoke, CHANGE_AT);
        let after = || run.between(Way::Revoke, CHANGE_AT, CHANGE_AT + AFTER);
        match self {
            _ if run.stuck => f64::NAN,
            Used(way) => run.used(way, scenario.limits[way as usize], is_quota),
            UsedAfter => 100.0 * after().0 / (AFTER * limit_after),
            Wasted => run.waste(),
            WastedAfter => 100.0 * after().1 / (after().0 + after().1),
            Lost => run.lost as f64,
            Dead => run.dead as f64,
            Time(Lane::Bulk) => {
                let accepted = run.ways[Way::Revoke as usize].accepted as f64;
                run.last_end[Lane::Bulk as usize] / (accepted / limit)
            }
            Time(Lane::Urgent) => {
                let least = scenario.count(Lane::Urgent) as f64 / limit;
                run.last_end[Lane::Urgent as usize] / least
            }
            Found => run.reaches(CHANGE_AT, 0.8 * limit_after),
            Last => run.last_end[Lane::Bulk as usize] - TRICKLE,
            FailedInOutage => run.failed_in_outage as f64 / replicas as f64,
            Recovered => {
                let end = scenario.outage.map_or(0.0, |(_, end)| end);
                run.reaches(end, 0.9 * limit)
            }
            Urgent(quantile) => run.urgent_quantile(quantile),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Least(least) => write!(f, ">= {least}"),
            Most(most) => write!(f, "<= {most}"),
        }
    }
}

impl Bound {
    pub(super) fn holds(self, value: f64) -> bool {
        match self {
            Least(least) => value >= least,
            Most(most) => value <= most,
        }
    }

    /// Whichever is further from the bound; a run that never ended is worst.
    pub(super) fn worse(self, a: f64, b: f64) -> f64 {
        let a_is_worse = match self {
            Least(_) => a < b,
            Most(_) => a > b,
        };
        if a.is_nan() || (a_is_worse && !b.is_nan()) {
            a
        } else {
            b
        }
    }
}
