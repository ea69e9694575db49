//! How fast, as a curve over the time since the last cut.
//!
//! A limit, once found, is the *plateau*. After a cut the curve starts a margin below it, rises fast,
//! lies flat around it, and then leaves it faster and faster, for the limit may have been raised.
//! How long it lies flat, its *time constant*, grows while the limit is met where it was expected.

use super::Seconds;

/// The beginning: the rate doubles in this time …
const START_DOUBLES: Seconds = 0.5;
/// … up to so many calls a second: at a low rate a call too many costs little, and time much …
const START_HASTE_MAX: f64 = 400.0;
/// … and from there in this time, for at a high rate many calls are on the wire before a 429 is heard.
const START_DOUBLES_FAST: Seconds = 1.0;
/// After an outage: from this share of the plateau …
const RAMP_SHARE: f64 = 0.1;
/// … doubling in this time.
const RAMP_DOUBLES: Seconds = 1.0;
/// Slowest ramp, calls a second.
const RAMP_MIN: f64 = 1.0;
/// First time constant of a plateau.
const TIME_CONSTANT_FIRST: Seconds = 4.0;
/// Growth of the time constant when the limit was met where it was expected.
const TIME_CONSTANT_GROWTH: f64 = 1.5;
/// What is left of the time constant when the limit was met far from there.
const UNSETTLED: f64 = 0.8;
/// The longest time constant is this many calls long, so that slow limits are probed as seldom …
const TIME_CONSTANT_CALLS: f64 = 500.0;
/// … but never shorter …
const TIME_CONSTANT_MAX_LEAST: Seconds = 12.0;
/// … nor longer than this.
const TIME_CONSTANT_MAX_MOST: Seconds = 20.0;
/// Longest time constant of a quota: one window of a minute.
const TIME_CONSTANT_QUOTA: Seconds = 60.0;
/// The limit was met where it was expected: within these shares of the plateau.
const AS_EXPECTED: std::ops::Range<f64> = 0.9..1.15;
/// Slowest rate, calls a second.
pub(super) const RATE_MIN: f64 = 0.2;
/// Fastest rate, calls a second: more than a worker can have on the wire.
pub(super) const RATE_MAX: f64 = 100_000.0;

/// A cut leaves at least this share of the rate.
const CUT_MAX: f64 = 0.5;
/// Lowest plateau that a block can tell, calls a second.
const PLATEAU_MIN: f64 = 0.5;

/// Where the curve is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No limit was met yet.
    Start,
    /// After an outage.
    Ramp,
    /// Around the plateau.
    Run,
}

/// What kind of limit the last cut met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// It blocked for a moment: so many calls a second.
    Rate,
    /// It blocked for long: so many calls a minute or more, to be met as seldom as can be.
    Quota,
}

impl Limit {
    /// How far below the plateau the curve starts, and how far above it leaves it: a share of it.
    fn margin(self) -> f64 {
        match self {
            Self::Rate => 0.05,
            Self::Quota => 0.03,
        }
    }

    /// The slow rise of the flat part, in roots of the plateau per time constant: a wide plateau
    /// would hide a limit that was raised a little.
    fn climb(self) -> f64 {
        match self {
            Self::Rate => 0.2,
            Self::Quota => 0.1,
        }
    }

    /// Once the plateau is left, the rate doubles in this time.
    fn doubles(self) -> Seconds {
        match self {
            Self::Rate => 2.0,
            Self::Quota => 4.0,
        }
    }

    fn time_constant_max(self, plateau: f64) -> Seconds {
        match self {
            Self::Rate => (TIME_CONSTANT_CALLS / plateau)
                .clamp(TIME_CONSTANT_MAX_LEAST, TIME_CONSTANT_MAX_MOST),
            Self::Quota => TIME_CONSTANT_QUOTA,
        }
    }
}

/// The rate as a function of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    pub(super) phase: Phase,
    /// Where the limit was met, calls a second.
    pub(super) plateau: f64,
    pub(super) time_constant: Seconds,
    pub(super) limit: Limit,
    /// When this piece of the curve began; moved on while nobody calls.
    pub(super) begun: Seconds,
    /// Whether it may begin in haste: not after an outage.
    hasty: bool,
    start: f64,
    max: f64,
}

impl Curve {
    /// A curve that starts at `start` calls a second and never passes `max`.
    pub(super) fn new(start: f64, max: Option<f64>) -> Self {
        Self {
            phase: Phase::Start,
            plateau: start,
            time_constant: TIME_CONSTANT_FIRST,
            limit: Limit::Rate,
            begun: 0.0,
            hasty: true,
            start,
            max: ceiling(max),
        }
    }

    /// From now on it never passes `max`.
    pub(super) fn limit(&mut self, max: Option<f64>) {
        self.max = ceiling(max);
    }

    /// Calls a second at `now`.
    pub(super) fn rate(&self, now: Seconds) -> f64 {
        let age = (now - self.begun).max(0.0);
        let rate = match self.phase {
            Phase::Start => self.starting(age),
            Phase::Ramp => (RAMP_SHARE * self.plateau).max(RAMP_MIN) * (age / RAMP_DOUBLES).exp2(),
            Phase::Run => self.around_plateau(age),
        };
        rate.max(RATE_MIN).min(self.max)
    }

    fn starting(&self, age: Seconds) -> f64 {
        let in_haste = match self.hasty {
            true => (START_DOUBLES * (START_HASTE_MAX / self.start).log2()).max(0.0),
            false => 0.0,
        };
        let haste = age.min(in_haste) / START_DOUBLES;
        let fast = (age - in_haste).max(0.0) / START_DOUBLES_FAST;
        self.start * (haste + fast).exp2()
    }

    fn around_plateau(&self, age: Seconds) -> f64 {
        let x = age / self.time_constant;
        let climb = self.limit.climb() * self.plateau.sqrt() * x.min(2.0);
        let margin = self.limit.margin();
        if x <= 2.0 {
            let from_middle = x - 1.0;
            self.plateau * (1.0 + margin * from_middle * from_middle * from_middle) + climb
        } else {
            let left_for = age - 2.0 * self.time_constant;
            (self.plateau * (1.0 + margin) + climb) * (left_for / self.limit.doubles()).exp2()
        }
    }

    /// Whether it still climbs back after an outage.
    pub(super) fn is_ramping(&self, now: Seconds) -> bool {
        self.phase == Phase::Ramp
            && self.rate(now) < (1.0 - self.limit.margin()) * self.plateau.min(self.max)
    }

    /// Ends a ramp that has reached the plateau.
    pub(super) fn settle(&mut self, now: Seconds) {
        if self.phase == Phase::Ramp && !self.is_ramping(now) {
            self.run_from(now);
        }
    }

    /// Starts over from the margin below the plateau, at `at`.
    pub(super) fn run_from(&mut self, at: Seconds) {
        self.phase = Phase::Run;
        self.begun = at;
    }

    /// Starts carefully after an outage.
    pub(super) fn ramp_from(&mut self, now: Seconds) {
        if self.phase != Phase::Start {
            self.phase = Phase::Ramp;
        }
        self.hasty = false;
        self.begun = now;
    }

    /// A limit was met at this rate, while `accepted` calls a second got through.
    pub(super) fn cut(&mut self, rate: f64, accepted: f64) {
        if self.phase == Phase::Run {
            if AS_EXPECTED.contains(&(rate / self.plateau)) {
                let longest = self.limit.time_constant_max(self.plateau);
                self.time_constant = (self.time_constant * TIME_CONSTANT_GROWTH).min(longest);
            } else {
                self.time_constant = TIME_CONSTANT_FIRST;
                self.limit = Limit::Rate;
            }
        }
        if accepted >= AS_EXPECTED.start * rate {
            self.plateau = rate;
        } else {
            self.plateau = accepted.max(CUT_MAX * rate);
            self.unsettle();
        }
    }

    /// The block showed that no more than this many calls a second get through.
    pub(super) fn lower(&mut self, rate: f64) {
        let lower = rate.max(PLATEAU_MIN);
        if lower < AS_EXPECTED.start * self.plateau {
            self.unsettle();
        }
        self.plateau = self.plateau.min(lower);
    }

    /// The block was a quota's, with a window of so many seconds perhaps.
    pub(super) fn quota(&mut self, window: Seconds) {
        self.limit = Limit::Quota;
        let longest = (2.0 * window).min(TIME_CONSTANT_QUOTA);
        self.time_constant = self.time_constant.max(longest);
    }

    /// The limit was taken for a quota, and it is none.
    pub(super) fn no_quota(&mut self) {
        self.limit = Limit::Rate;
        self.time_constant = TIME_CONSTANT_FIRST;
    }

    /// Nothing is known but that calls were refused: from the start rate, but without its haste.
    pub(super) fn start_over(&mut self) {
        self.plateau = self.plateau.min(self.start);
        self.no_quota();
    }

    /// The limit is far lower than it was, and a cut or a block tells it badly: up again soon.
    fn unsettle(&mut self) {
        if self.limit == Limit::Rate {
            self.time_constant = (UNSETTLED * self.time_constant).max(TIME_CONSTANT_FIRST);
        }
    }

    /// The same curve at the same place, as if it had begun `age` ago.
    pub(super) fn resumed(mut self, age: Seconds, now: Seconds) -> Self {
        self.begun = now - age;
        self
    }
}

fn ceiling(max: Option<f64>) -> f64 {
    max.unwrap_or(RATE_MAX).min(RATE_MAX)
}
