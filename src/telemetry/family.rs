//! One metric with all its children, made at start: every label combination exists at 0 from the
//! first scrape on, and recording is one indexed atomic add.
//!
//! Not `with_label_values`: that hashes strings under a lock for every event, and a child that is
//! born at 1 is invisible to `increase()`.

use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter,
    IntCounterVec, Opts, Registry,
    core::{MetricVec, MetricVecBuilder},
};

use super::catalogue::Spec;

/// The crate's type for each [`super::catalogue::Kind`], by the same name.
pub(super) mod kind {
    pub(crate) use prometheus::{Counter as Seconds, Gauge, Histogram, IntCounter as Count};
}

/// All children of one metric.
#[derive(Debug)]
pub(super) struct Family<M: Child> {
    /// The whole, for children that come and go.
    vec: M::Vec,
    /// In the order of the labels' values, the last label running fastest.
    children: Vec<M>,
    /// How many values the last label has; 1 without labels.
    width: usize,
}

impl<M: Child> Family<M> {
    /// Registers the metric and makes its children.
    pub(super) fn register(spec: &Spec, registry: &Registry) -> Self {
        let (vec, children) = M::register(spec, registry)
            .expect("the catalogue's names, labels and buckets are valid and unique");
        let width = spec.labels.last().map_or(1, |l| l.values().len());
        Self {
            vec,
            children,
            width,
        }
    }

    /// The only child of a metric without labels.
    pub(super) fn only(&self) -> &M {
        &self.children[0]
    }

    /// The child of the only label's value.
    pub(super) fn at(&self, value: usize) -> &M {
        &self.children[value]
    }

    /// The child of both labels' values.
    pub(super) fn at2(&self, first: usize, last: usize) -> &M {
        debug_assert!(last < self.width, "the last label has no such value");
        &self.children[first * self.width + last]
    }

    /// The whole. Only for a label whose values are not known at start: see `metrics::campaigns`.
    pub(super) fn vec(&self) -> &M::Vec {
        &self.vec
    }

    /// Every child, in order, that was made at start.
    pub(super) fn iter(&self) -> impl Iterator<Item = &M> {
        self.children.iter()
    }
}

/// A kind of metric that can be registered with all its children.
pub(super) trait Child: Sized {
    /// The crate's type for all children together.
    type Vec: std::fmt::Debug;

    /// Registers the metric; its children in order of the labels' values.
    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<(Self::Vec, Vec<Self>)>;
}

impl Child for IntCounter {
    type Vec = IntCounterVec;

    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<(Self::Vec, Vec<Self>)> {
        resolve(
            IntCounterVec::new(opts(spec), &names(spec))?,
            spec,
            registry,
        )
    }
}

impl Child for Counter {
    type Vec = CounterVec;

    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<(Self::Vec, Vec<Self>)> {
        resolve(CounterVec::new(opts(spec), &names(spec))?, spec, registry)
    }
}

impl Child for Gauge {
    type Vec = GaugeVec;

    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<(Self::Vec, Vec<Self>)> {
        resolve(GaugeVec::new(opts(spec), &names(spec))?, spec, registry)
    }
}

impl Child for Histogram {
    type Vec = HistogramVec;

    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<(Self::Vec, Vec<Self>)> {
        let opts = HistogramOpts::new(spec.name, spec.help).buckets(spec.buckets.to_vec());
        resolve(HistogramVec::new(opts, &names(spec))?, spec, registry)
    }
}

/// Name and help.
fn opts(spec: &Spec) -> Opts {
    Opts::new(spec.name, spec.help)
}

/// The labels' names.
fn names(spec: &Spec) -> Vec<&'static str> {
    spec.labels.iter().map(|l| l.name()).collect()
}

/// Makes the child of every combination of label values, then registers the whole.
fn resolve<B: MetricVecBuilder + 'static>(
    vec: MetricVec<B>,
    spec: &Spec,
    registry: &Registry,
) -> prometheus::Result<(MetricVec<B>, Vec<B::M>)> {
    let mut combinations: Vec<Vec<&str>> = vec![Vec::new()];
    for label in spec.labels {
        let values = label.values();
        combinations = combinations
            .iter()
            .flat_map(|head| values.iter().map(|v| [head.as_slice(), &[*v]].concat()))
            .collect();
    }
    let children: prometheus::Result<Vec<B::M>> = combinations
        .iter()
        .map(|c| vec.get_metric_with_label_values(c))
        .collect();
    registry.register(Box::new(vec.clone()))?;
    Ok((vec, children?))
}
