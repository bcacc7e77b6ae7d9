//! Figures that others keep, read when somebody asks for the metrics.

use core::fmt;
use std::collections::{BTreeMap, btree_map::Entry};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

/// Figures of one name.
#[derive(Clone, Debug)]
pub struct Figures {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    samples: Vec<Sample>,
}

/// One of them: a number with its labels.
#[derive(Clone, Debug)]
pub struct Sample {
    labels: Vec<(&'static str, String)>,
    value: u64,
}

impl Figures {
    /// Figures that only grow.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Self {
        Self { name, help, is_counter: true, samples }
    }

    /// Figures that come and go.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Self {
        Self { name, help, is_counter: false, samples }
    }
}

impl Sample {
    /// A number without labels.
    pub fn new(value: impl TryInto<u64>) -> Self {
        Self { labels: Vec::new(), value: value.try_into().unwrap_or(u64::MAX) }
    }

    /// The number with one label more.
    #[must_use]
    pub fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// Whoever is asked when the metrics are read. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub(super) struct Watched(Arc<RwLock<Vec<Source>>>);

type Source = Box<dyn Fn() -> Vec<Figures> + Send + Sync>;

impl Watched {
    pub(super) fn add(&self, source: impl Fn() -> Vec<Figures> + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// All figures, those of one name together, as the format demands.
    fn figures(&self) -> BTreeMap<&'static str, Figures> {
        let sources = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = BTreeMap::new();
        for figures in sources.iter().flat_map(|source| source()) {
            match all.entry(figures.name) {
                Entry::Vacant(place) => drop(place.insert(figures)),
                Entry::Occupied(mut known) => known.get_mut().samples.extend(figures.samples),
            }
        }
        all
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for figures in self.figures().into_values() {
            let kind = match figures.is_counter {
                true => MetricType::Counter,
                false => MetricType::Gauge,
            };
            let mut family = encoder.encode_descriptor(figures.name, figures.help, None, kind)?;
            for sample in &figures.samples {
                let place = family.encode_family(&sample.labels)?;
                match figures.is_counter {
                    true => ConstCounter::new(sample.value).encode(place)?,
                    false => ConstGauge::new(sample.value).encode(place)?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}
