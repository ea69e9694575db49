//! The operator's records of a replay or a purge: one before, one after.

use std::collections::BTreeMap;

use super::{DeedArgs, filter::Filter};
use crate::{
    broker,
    campaign::{Order, control::Letters},
    cli::{
        Failure,
        campaign::{by, records},
    },
};

/// How much of a filter is recorded, characters: a record has a longest length, and a hundred ids none.
const FILTER_CHARS_MAX: usize = 2_000;

/// A deed, for its two records.
pub struct Deed<'a> {
    settings: &'a broker::Settings,
    args: &'a DeedArgs,
    order: fn(Letters) -> Order,
    id: String,
    filter: String,
}

impl<'a> Deed<'a> {
    /// A deed of this kind.
    pub fn new(
        settings: &'a broker::Settings,
        args: &'a DeedArgs,
        filter: &Filter,
        order: fn(Letters) -> Order,
    ) -> Self {
        Self {
            settings,
            args,
            order,
            id: uuid::Uuid::new_v4().to_string(),
            filter: filter.text().chars().take(FILTER_CHARS_MAX).collect(),
        }
    }

    /// Before: what was found. Without this record nothing is done.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn begins(&self, codes: BTreeMap<String, u64>) -> Result<(), Failure> {
        self.write(false, codes).await
    }

    /// After: what was done.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub async fn ended(&self, codes: BTreeMap<String, u64>) -> Result<(), Failure> {
        self.write(true, codes).await
    }

    async fn write(&self, done: bool, codes: BTreeMap<String, u64>) -> Result<(), Failure> {
        let order = (self.order)(Letters {
            deed_id: self.id.clone(),
            filter: self.filter.clone(),
            done,
            letters: codes.values().sum(),
            codes,
        });
        let by = by(self.args.by.as_deref());
        records::write(self.settings, order, &by, self.args.why.as_deref()).await
    }
}
