//! The API's ids: how they are made from a seed, and which text is one.
//!
//! An id is a kind, the project's environment and a UUID: `session-test-<uuid>`. Kept in memory as
//! the UUID alone, 16 bytes instead of 49.

use uuid::Uuid;

use crate::event::Environment;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    User,
    RequestId,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "session-",
            Self::User => "user-",
            Self::RequestId => "request-id-",
        }
    }
}

/// Which environment a project id belongs to; anything but `project-live-…` is taken for a test project.
pub(super) fn environment_of(project_id: &str) -> Environment {
    if project_id.starts_with("project-live-") {
        Environment::Live
    } else {
        Environment::Test
    }
}

/// Whether the text has the form of a project id.
pub(super) fn is_project_id(text: &str) -> bool {
    let uuid = text
        .strip_prefix("project-test-")
        .or_else(|| text.strip_prefix("project-live-"));
    uuid.and_then(hyphenated).is_some()
}

/// The UUID of an id of this kind and environment.
pub(super) fn parse(kind: Kind, environment: Environment, text: &str) -> Option<Uuid> {
    let rest = text.strip_prefix(kind.prefix())?;
    hyphenated(rest.strip_prefix(environment.as_str())?.strip_prefix('-')?)
}

/// The id as the API writes it.
pub(super) fn format(kind: Kind, environment: Environment, uuid: Uuid) -> String {
    format!("{}{}-{uuid}", kind.prefix(), environment.as_str())
}

/// A UUID of version 4 from seeded randomness: the same seed, the same ids.
pub(super) fn random(rng: &mut fastrand::Rng) -> Uuid {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}

/// Only the form with hyphens: the parser also takes braces, `urn:uuid:` and 32 bare digits.
fn hyphenated(text: &str) -> Option<Uuid> {
    const LENGTH: usize = 36;
    (text.len() == LENGTH)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}
