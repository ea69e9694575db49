//! The picture in the README: a limit that changes, and what two ways of calling make of it.
//!
//! Not a promise: those are in `goals.txt`. `UPDATE_README=1 cargo test --test it readme` draws it anew.

use std::{fs, path::Path, sync::LazyLock, time::Duration};

use revoker::gate::Way;

use super::{
    measure::Measured,
    scenario::Scenario,
    server::Model,
    svg::{Panel, Point, draw},
    world,
};

/// How long the picture is, seconds.
const LENGTH: f64 = 300.0;
/// One point of the picture, seconds.
const STEP: f64 = 1.0;
/// Replicas on both sides.
const REPLICAS: usize = 2;
/// Never the end of the backlog: what is dead-lettered is quickly gone.
const EVENTS: usize = 200_000;
/// With this one the seconds of the API's clock are those of the picture, nearly, and it is neither lucky
/// nor unlucky: of 33 seeds the rise was found after 15 to 43 s, in the middle after 38.
const SEED: u64 = 1483;
/// When the limit changes, seconds, and to how many calls a second.
const CHANGES: [(f64, f64); 2] = [(60.0, 20.0), (180.0, 200.0)];
/// Where the picture lies, from the top of the repository.
const FILE: &str = "tests/it/gate_sim/rate.svg";
/// More would be slow to show.
const BYTES_MAX: usize = 60_000;

/// The same world twice.
struct Compared {
    ours: Side,
    naive: Side,
}

/// What one of them made of it.
struct Side {
    points: Vec<Point>,
    /// Share of the allowed calls that were made, percent.
    used: f64,
    /// Share of the calls that were refused, percent.
    wasted: f64,
    /// From the rise of the limit until 80 % of it are used, seconds.
    found: f64,
    /// Events dead-lettered although nothing was the matter with them.
    lost: usize,
}

static COMPARED: LazyLock<Compared> = LazyLock::new(|| Compared {
    ours: side(false),
    naive: side(true),
});

fn scenario(naive: bool) -> Scenario {
    Scenario {
        changes: CHANGES.into(),
        give_up: Duration::from_secs_f64(LENGTH),
        naive,
        ..Scenario::bulk(Model::Fixed, EVENTS)
    }
}

fn side(naive: bool) -> Side {
    let scenario = scenario(naive);
    let run = world::run(&scenario, REPLICAS, SEED);
    assert!(run.ended() < EVENTS, "the queue ran empty");
    let points: Vec<Point> = (0..(LENGTH / STEP) as usize)
        .map(|step| point(&scenario, &run, step as f64 * STEP))
        .collect();
    let sum = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>();
    let (accepted, refused) = (sum(|p| p.accepted), sum(|p| p.refused));
    Side {
        used: 100.0 * accepted / sum(|p| p.limit),
        wasted: 100.0 * refused / (accepted + refused),
        found: run.reaches(CHANGES[1].0, 0.8 * CHANGES[1].1),
        lost: run.lost,
        points,
    }
}

fn point(scenario: &Scenario, run: &Measured, from: f64) -> Point {
    let (accepted, refused) = run.between(Way::Revoke, from, from + STEP);
    Point {
        limit: scenario.limit(Way::Revoke, from),
        accepted: accepted / STEP,
        refused: refused / STEP,
    }
}

fn picture() -> String {
    let Compared { ours, naive } = &*COMPARED;
    let title = |who: &str, side: &Side| {
        format!(
            "{who}: {:.0} % of the limit used, {:.1} % of the calls refused",
            side.used, side.wasted
        )
    };
    draw(
        STEP,
        &[
            Panel {
                title: title("Revoker", ours),
                calls: (250.0, 50.0),
                points: &ours.points,
            },
            Panel {
                title: title("Each event backs off for itself", naive),
                calls: (1_750.0, 250.0),
                points: &naive.points,
            },
        ],
    )
}

/// What the README says of it.
pub(in super::super) fn paragraph() -> String {
    let Compared { ours, naive } = &*COMPARED;
    let ours = format!(
        "uses {:.0} % of the limit (the tenfold rise is found in {:.0} s) and has {:.1} % of its calls refused",
        ours.used, ours.found, ours.wasted
    );
    let naive = format!(
        "uses {:.0} %, has {:.1} % refused, and dead-letters {} healthy events",
        naive.used, naive.wasted, naive.lost
    );
    format!(
        "![Calls accepted and refused a second, against a limit that goes from 100 to 20 to 200 a second]({FILE})\n\n\
         Simulated, on two scales: {REPLICAS} replicas and a limit that falls from 100 to 20 calls a second and rises to 200. Revoker, above,\n\
         {ours}; a worker whose events each\n\
         back off exponentially for themselves, below, {naive}.\n"
    )
}

#[test]
fn the_picture_in_the_readme_is_what_is_simulated() {
    let (path, drawn) = (Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE), picture());
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    assert!(drawn.len() < BYTES_MAX, "{} bytes", drawn.len());
    // Not assert_eq: nobody reads two pictures as text.
    assert!(
        fs::read_to_string(path).unwrap_or_default() == drawn,
        "{FILE} is old: UPDATE_README=1 cargo test --test it readme"
    );
}

/// It shows what is said of it, whatever the numbers are.
#[test]
fn the_picture_tells_the_two_apart() {
    let Compared { ours, naive } = &*COMPARED;
    assert!(ours.used > 70.0 && ours.wasted < 5.0 && ours.lost == 0);
    assert!(naive.wasted > 30.0 && naive.lost > 0);
}
