//! What is wrong with an expression: each part is judged by the labels that can come out of it.

use std::collections::BTreeSet;

use super::{
    Judged, Known, Selector,
    read::{Expr, Grouping},
};

/// Functions that make a rate of what only rises.
const OF_COUNTERS: &[&str] = &["rate", "irate", "increase", "resets"];
/// Functions of a range that keep what it is.
const OF_RANGES: &[&str] = &[
    "absent_over_time",
    "avg_over_time",
    "changes",
    "count_over_time",
    "delta",
    "deriv",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "sum_over_time",
];
/// Functions of one moment that keep the labels.
const OF_MOMENTS: &[&str] = &[
    "abs",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "floor",
    "round",
    "sort",
    "sort_desc",
];

/// What comes out of a part.
enum Out {
    /// A number, without labels.
    Scalar,
    /// A vector; `loose` if some series may lack some of the labels.
    Vector {
        labels: BTreeSet<String>,
        loose: bool,
    },
}

use Out::{Scalar, Vector};

/// Judges a whole expression.
pub(super) fn check(expr: &Expr, known: &Known) -> Judged {
    let mut checker = Checker {
        known,
        judged: Judged::default(),
    };
    if let Vector { labels, .. } = checker.part(expr, "") {
        checker.judged.labels = labels;
    }
    checker.judged
}

struct Checker<'k> {
    known: &'k Known,
    judged: Judged,
}

impl Checker<'_> {
    fn complain(&mut self, text: String) {
        self.judged.complaints.push(text);
    }

    /// Judges a part, which is directly inside this function, if any.
    fn part(&mut self, expr: &Expr, within: &str) -> Out {
        match expr {
            Expr::Number | Expr::Text(_) => Scalar,
            Expr::Selector(selector) => self.selector(selector, within),
            Expr::Subquery(inner) => self.part(inner, ""),
            Expr::Call { function, args } => self.call(function, args),
            Expr::Aggregate {
                operator,
                grouping,
                args,
            } => {
                let mut outs: Vec<_> = args.iter().map(|arg| self.part(arg, "")).collect();
                let Some(Vector { labels, loose }) = outs.pop() else {
                    self.complain(format!("{operator}() has no vector"));
                    return Scalar;
                };
                let is_choice = operator == "topk" || operator == "bottomk";
                match grouping {
                    _ if is_choice => Vector { labels, loose },
                    grouping => self.grouped(grouping, labels, loose),
                }
            }
            Expr::Binary {
                operator,
                matching,
                brought,
                sides,
            } => {
                // Of the right side of a set operator only counts that it is there.
                let is_set = matches!(operator.as_str(), "and" | "unless");
                let within = if is_set { "absent" } else { "" };
                let (left, right) = (self.part(&sides.0, ""), self.part(&sides.1, within));
                self.binary(operator, matching, brought, left, right)
            }
        }
    }

    fn selector(&mut self, selector: &Selector, within: &str) -> Out {
        self.judged.selectors.push(selector.clone());
        let name = &selector.name;
        let Some(metric) = self.known.get(name) else {
            self.complain(format!("{name} is no metric"));
            return Vector {
                labels: BTreeSet::new(),
                loose: true,
            };
        };
        let of_counters = OF_COUNTERS.contains(&within);
        let wants_range = of_counters || OF_RANGES.contains(&within);
        let whole = within.starts_with("absent") || within == "min_over_time";
        if metric.counts && !of_counters && !whole {
            self.complain(format!("{name} only rises: take its rate() or increase()"));
        }
        if of_counters && !metric.counts {
            self.complain(format!(
                "{name} goes up and down: {within}() is for what only rises"
            ));
        }
        if wants_range != selector.ranged && within != "absent" {
            let what = if wants_range {
                "needs a range"
            } else {
                "must not have a range"
            };
            self.complain(format!("{name} {what} here"));
        }
        for (label, operator, value) in &selector.matchers {
            let Some(values) = metric.labels.get(label) else {
                if !metric.open {
                    self.complain(format!("{name} has no label {label}"));
                }
                continue;
            };
            let Some(values) = values else { continue };
            if label == "le" && operator == "=" && value.parse::<u64>().is_ok() {
                self.complain(format!(
                    "le=\"{value}\" is \"{value}.0\" from Prometheus 3 on: write le=~\"{value}(\\\\.0)?\""
                ));
            }
            for word in words(operator, value).filter(|word| !values.contains(*word)) {
                self.complain(format!("{label} of {name} is never {word}"));
            }
        }
        Vector {
            labels: metric.labels.keys().cloned().collect(),
            loose: metric.open,
        }
    }

    fn call(&mut self, function: &str, args: &[Expr]) -> Out {
        let mut outs: Vec<_> = args.iter().map(|arg| self.part(arg, function)).collect();
        match function {
            "time" | "scalar" => Scalar,
            "vector" => Vector {
                labels: BTreeSet::new(),
                loose: false,
            },
            "absent" | "absent_over_time" => Vector {
                labels: BTreeSet::new(),
                loose: true,
            },
            "label_replace" => {
                let mut out = outs.drain(..).next().unwrap_or(Scalar);
                if let (Vector { labels, .. }, Some(Expr::Text(label))) = (&mut out, args.get(1)) {
                    labels.insert(label.clone());
                }
                out
            }
            "histogram_quantile" => {
                let mut out = outs.pop().unwrap_or(Scalar);
                if let Vector { labels, .. } = &mut out
                    && !labels.remove("le")
                {
                    self.complain("histogram_quantile() gets no le: keep it in by()".to_owned());
                }
                out
            }
            _ if [OF_COUNTERS, OF_RANGES, OF_MOMENTS]
                .concat()
                .contains(&function) =>
            {
                outs.drain(..).next().unwrap_or(Scalar)
            }
            _ => {
                self.complain(format!("{function}() is not known here"));
                Scalar
            }
        }
    }

    /// The labels that are left by a grouping; all that it names must be there.
    fn grouped(&mut self, grouping: &Grouping, labels: BTreeSet<String>, loose: bool) -> Out {
        let (Grouping::Only(names) | Grouping::AllBut(names)) = grouping else {
            return Vector {
                labels: BTreeSet::new(),
                loose: false,
            };
        };
        for name in names
            .iter()
            .filter(|name| !loose && !labels.contains(*name))
        {
            let there: Vec<_> = labels.iter().map(String::as_str).collect();
            self.complain(format!(
                "groups by {name}, but there is only {}",
                there.join(", ")
            ));
        }
        let labels = match grouping {
            Grouping::Only(names) => names.iter().cloned().collect(),
            _ => labels.into_iter().filter(|l| !names.contains(l)).collect(),
        };
        Vector { labels, loose }
    }

    fn binary(
        &mut self,
        operator: &str,
        matching: &Grouping,
        brought: &[String],
        left: Out,
        right: Out,
    ) -> Out {
        let (
            Vector { labels, loose },
            Vector {
                labels: others,
                loose: others_loose,
            },
        ) = (&left, &right)
        else {
            return if matches!(left, Scalar) { right } else { left };
        };
        let loose_match = *loose || *others_loose;
        let (of_left, of_right) = match matching {
            Grouping::Unsaid => (left.labels(), right.labels()),
            said => {
                let of_left = self.grouped(said, labels.clone(), *loose);
                let of_right = self.grouped(said, others.clone(), *others_loose);
                (of_left.labels(), of_right.labels())
            }
        };
        if operator == "or" {
            return Vector {
                labels: labels | others,
                loose: loose_match || labels != others,
            };
        }
        if !loose_match && of_left != of_right {
            self.complain(format!(
                "the sides of {operator} never match: {of_left:?} and {of_right:?}"
            ));
        }
        let keeps_left = matches!(operator, "and" | "unless") || !brought.is_empty();
        let mut labels = if keeps_left { labels.clone() } else { of_left };
        labels.extend(brought.iter().cloned());
        Vector {
            labels,
            loose: loose_match,
        }
    }
}

impl Out {
    fn labels(&self) -> BTreeSet<String> {
        match self {
            Scalar => BTreeSet::new(),
            Vector { labels, .. } => labels.clone(),
        }
    }
}

/// The values that a matcher names; those of a regular expression that has more than alternatives cannot
/// be told, but for the end that makes both spellings of a bucket's edge.
fn words<'m>(operator: &str, value: &'m str) -> impl Iterator<Item = &'m str> {
    let is_regex = operator.ends_with('~');
    let alternatives = value.split('|').filter(move |_| is_regex);
    let alternatives = alternatives
        .map(|word| word.strip_suffix("(\\.0)?").unwrap_or(word))
        .filter(|word| !word.contains(['.', '*', '(', '[', '\\']));
    let whole = Some(value).filter(|value| !is_regex && !value.is_empty());
    whole.into_iter().chain(alternatives)
}
