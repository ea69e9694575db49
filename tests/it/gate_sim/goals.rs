//! Reads the lines of `goals.txt`.

use super::{
    figure::{Bound, Figure},
    loads,
    scenario::Scenario,
    server::Model::{self, Both, Bucket, Counter, Fixed, Gcra, Log, Minute, RefusedCount},
};

/// One line.
pub(super) struct Goal {
    pub(super) name: &'static str,
    pub(super) load: fn(Model) -> Scenario,
    pub(super) models: Vec<Model>,
    pub(super) replicas: Vec<usize>,
    pub(super) bounds: Vec<Bounded>,
}

/// A figure by its word, and what it must be.
pub(super) struct Bounded {
    pub(super) word: &'static str,
    pub(super) figure: Figure,
    pub(super) bound: Bound,
}

/// Every line.
pub(super) fn all() -> Vec<Goal> {
    let lines = include_str!("goals.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(goal).collect()
}

fn goal(line: &'static str) -> Goal {
    let mut columns = line.split(" | ");
    let mut next = || columns.next().expect("a line has five columns");
    Goal {
        name: next(),
        load: loads::named(next()),
        models: next().split(' ').flat_map(models).collect(),
        replicas: next()
            .split(' ')
            .map(|count| count.parse().expect("a number of replicas"))
            .collect(),
        bounds: next().split(", ").map(bound).collect(),
    }
}

/// A model by name, or several.
pub(super) fn models(name: &str) -> Vec<Model> {
    match name {
        "bucket" => vec![Bucket(10.0), Bucket(100.0)],
        "gcra" => vec![Gcra(5.0)],
        "fixed" => vec![Fixed],
        "log" => vec![Log],
        "counter" => vec![Counter],
        "refused" => vec![RefusedCount],
        "minute" => vec![Minute],
        "both" => vec![Both],
        "steady" => vec![Bucket(10.0), Bucket(100.0), Gcra(5.0), Fixed],
        "sliding" => vec![Log, Counter, RefusedCount],
        "quotas" => vec![Minute, Both],
        _ => panic!("no model is called {name:?}"),
    }
}

fn bound(text: &'static str) -> Bounded {
    let mut words = text.split(' ');
    let mut next = || words.next().expect("a bound has three words");
    let (word, sign, value) = (next(), next(), next());
    let value = value.parse().expect("a bound is a number");
    let bound = match sign {
        ">=" => Bound::Least(value),
        "<=" => Bound::Most(value),
        _ => panic!("{sign:?} is no bound"),
    };
    Bounded {
        word,
        figure: Figure::parse(word),
        bound,
    }
}
