//! The settings that names of exchanges and queues follow from; `revoker definitions` needs these alone.

use std::time::Duration;

use super::{DefinitionsArgs, Problems, broker, parse, problems::Reader, settle};

/// What `revoker definitions` needs to know, checked.
#[derive(Debug)]
pub struct NamesSettings {
    /// What all names start with.
    pub prefix: String,
    /// Waits in RabbitMQ, each with queues of its own.
    pub retry_delays: Vec<Duration>,
}

impl DefinitionsArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<NamesSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let prefix = reader.read(&broker::PREFIX, parse::name);
        let retry_delays = settle::read_retry_delays(&mut reader);
        let settings = || {
            Some(NamesSettings {
                prefix: prefix?,
                retry_delays: retry_delays?,
            })
        };
        let settings = settings();
        reader.finish(settings)
    }
}
