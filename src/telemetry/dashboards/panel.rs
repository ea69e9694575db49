//! A panel before it is JSON: its question, what good looks like, its expressions, and how it is drawn.

/// Counts of sessions and events, in full: "1,120", never "1.12 K".
pub(super) const COUNT: &str = "locale";
/// Seconds, as 1.5 s, 3 min, 2 h.
pub(super) const SECONDS: &str = "s";
/// Of 1, shown as per cent.
pub(super) const SHARE: &str = "percentunit";
/// Requests a second.
pub(super) const CALLS_PER_SECOND: &str = "reqps";
/// Events a second.
pub(super) const PER_SECOND: &str = "cps";
/// Bytes, in powers of 1024.
pub(super) const BYTES: &str = "bytes";
/// Milliseconds since the epoch, shown as "5 minutes ago".
pub(super) const WHEN: &str = "dateTimeFromNow";

/// A headed part of a dashboard.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) title: &'static str,
    pub(super) panels: Vec<Panel>,
}

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One number a series, now.
    Stat,
    /// Bars, now.
    Bars,
    /// Lines over time.
    Lines,
    /// Areas over time that add up.
    Stack,
    /// A row for each series, now; of two labels the second makes the columns.
    Table,
}

/// From this value on, this colour.
pub(super) type Step = (Option<f64>, &'static str);

/// One panel.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub(super) kind: Kind,
    pub(super) title: &'static str,
    /// What good looks like.
    pub(super) good: &'static str,
    /// What to do if it does not look so.
    pub(super) otherwise: &'static str,
    pub(super) unit: &'static str,
    pub(super) max: Option<f64>,
    pub(super) decimals: Option<u8>,
    /// Expression and legend.
    pub(super) targets: Vec<(&'static str, &'static str)>,
    pub(super) steps: Vec<Step>,
    /// Steps for one series by its name alone.
    pub(super) steps_of: Option<(&'static str, Vec<Step>)>,
    /// What stands there when there is nothing.
    pub(super) none: Option<&'static str>,
    /// The section of the runbook.
    pub(super) runbook: Option<&'static str>,
    pub(super) width: u8,
}

impl Row {
    pub(super) const fn new(title: &'static str, panels: Vec<Panel>) -> Self {
        Self { title, panels }
    }
}

impl Panel {
    /// A panel that asks this.
    pub(super) const fn new(kind: Kind, title: &'static str) -> Self {
        Self {
            kind,
            title,
            good: "",
            otherwise: "",
            unit: COUNT,
            max: None,
            decimals: None,
            targets: Vec::new(),
            steps: Vec::new(),
            steps_of: None,
            none: None,
            runbook: None,
            width: match kind {
                Kind::Stat => 4,
                _ => 8,
            },
        }
    }

    pub(super) const fn good(mut self, good: &'static str) -> Self {
        self.good = good;
        self
    }

    pub(super) const fn otherwise(mut self, otherwise: &'static str) -> Self {
        self.otherwise = otherwise;
        self
    }

    pub(super) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(super) const fn up_to(mut self, max: f64) -> Self {
        self.max = Some(max);
        self
    }

    pub(super) const fn decimals(mut self, decimals: u8) -> Self {
        self.decimals = Some(decimals);
        self
    }

    pub(super) const fn wide(mut self, width: u8) -> Self {
        self.width = width;
        self
    }

    /// An expression, in which `$where` stands for the chosen workers, and its legend.
    pub(super) fn ask(mut self, expr: &'static str, legend: &'static str) -> Self {
        self.targets.push((expr, legend));
        self
    }

    /// Green, and from these values on another colour.
    pub(super) fn turns(mut self, steps: &[(f64, &'static str)]) -> Self {
        self.steps = green_until(steps);
        self
    }

    /// The colour below the first value, too.
    pub(super) fn steps(mut self, first: &'static str, steps: &[(f64, &'static str)]) -> Self {
        self.steps = green_until(steps);
        self.steps[0].1 = first;
        self
    }

    /// Other steps for the series of that name.
    pub(super) fn turns_of(mut self, series: &'static str, steps: &[(f64, &'static str)]) -> Self {
        self.steps_of = Some((series, green_until(steps)));
        self
    }

    pub(super) const fn none(mut self, text: &'static str) -> Self {
        self.none = Some(text);
        self
    }

    pub(super) const fn runbook(mut self, section: &'static str) -> Self {
        self.runbook = Some(section);
        self
    }
}

fn green_until(steps: &[(f64, &'static str)]) -> Vec<Step> {
    let steps = steps.iter().map(|(from, colour)| (Some(*from), *colour));
    [(None, "green")].into_iter().chain(steps).collect()
}
