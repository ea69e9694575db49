//! Settings of `revoker dead-letters`: the broker, and the keys of what it shall open.

use super::{DeadLettersArgs, Problems, broker, problems::Reader, settle};
use crate::settle::seal::KeyRing;

/// What `revoker dead-letters` needs to know, checked.
#[derive(Debug)]
pub struct DeadLettersSettings {
    /// RabbitMQ; `project_id` is empty and there are no `retry_delays`.
    pub broker: crate::broker::Settings,
    /// The key ring, when its file was given.
    pub key_ring: Option<KeyRing>,
}

impl DeadLettersArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<DeadLettersSettings, Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let broker = broker::read(&mut reader, &plaintext);
        let key_ring = settle::given_key_ring(&mut reader);
        reader.finish(broker.map(|broker| DeadLettersSettings { broker, key_ring }))
    }
}
