//! What we were asked to do: a message's bytes become an [`Event`] or a [`Rejection`].
//!
//! Pure: no clock, no I/O; `now` comes in. Names no other stage.

mod attributes;
pub mod cloud;
pub mod decode;
mod envelope;
pub mod fields;
mod form;
mod json;
mod judge;
mod jwt;
mod meaning;
pub mod message;
mod reason;
mod slots;
mod target;
mod time;
pub mod trace;
mod value;

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;

pub use decode::{decode, decode_message};
pub use envelope::{BODY_BYTES_MAX, CLOUD_EVENT_TYPE, JSON_TYPE};
pub use json::EXT_LEVELS_MAX;
pub use reason::{REASON_OTHER, REASONS};
pub use target::{TOKEN_LEN_TYPICAL, check_id};

pub use message::{HeaderValue, History, Lane, Message, Properties, Route, UNKNOWN_PUBLISHER};

/// A checked event: what to revoke, for whom, and why.
#[derive(Debug)]
pub struct Event {
    /// The publisher's id of this event, `[A-Za-z0-9._:-]{1,128}`.
    pub id: String,
    /// What is asked for.
    pub request: Request,
    /// When the reason for the revocation arose; cut to the worker's clock when in the future.
    pub occurred_at: Timestamp,
    /// Whether `occurred_at` was in the future and was cut to now.
    pub occurred_in_future: bool,
    /// Why, as the publisher wrote it: `[a-z][a-z0-9_]{0,63}`.
    pub reason: String,
    /// Who caused it, in CAEP's words.
    pub initiated_by: Option<Initiator>,
    /// Opaque actor for the audit trail; visible ASCII, at most 128 bytes; never a metric label.
    pub actor: Option<String>,
    /// The campaign the event belongs to, `[A-Za-z0-9._-]{1,64}`.
    pub campaign_id: Option<String>,
    /// Past this time the call is pointless: outcome `obsolete`.
    pub not_after: Option<Timestamp>,
    /// For people reading the audit trail, at most 256 characters.
    pub note: Option<String>,
    /// Whether the body holds a credential (a token or a JWT), so that it is sealed wherever it is stored.
    pub holds_credential: bool,
    /// Whether the target's id has a format we do not know and is sent all the same.
    pub unknown_id_format: bool,
}

/// What an event asks for.
#[derive(Debug)]
pub enum Request {
    /// Revoke this target (`session.revoke.v1`).
    Revoke(Target),
    /// Nothing but an answer (`session.revoke.verify.v1`): the end-to-end probe.
    Verify,
}

/// Whose session, or sessions, must end.
#[derive(Debug)]
pub enum Target {
    /// One session by `session_id`, given as such or taken from a session JWT.
    Session(String),
    /// One session by `session_token`: a credential.
    Token(SecretString),
    /// All sessions of a user that started at or before the cutoff.
    User {
        /// Stytch's `user_id`.
        user_id: String,
        /// Sessions started after this stay alive.
        cutoff: Timestamp,
        /// A session to keep alive: "everywhere but here".
        keep_session_id: Option<String>,
    },
}

/// CAEP's `initiating_entity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// An administrator.
    Admin,
    /// The user.
    User,
    /// A policy.
    Policy,
    /// A system.
    System,
}

impl Initiator {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::User, Self::Policy, Self::System];

    /// The word in the event's `initiated_by`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Policy => "policy",
            Self::System => "system",
        }
    }
}

/// What the worker expects of every event; comes from its settings.
#[derive(Debug, Clone)]
pub struct Expectations {
    /// The Stytch project this worker serves.
    pub project_id: String,
    /// Whether that project is a live one.
    pub environment: Environment,
    /// Refuse every id of unknown format (`REVOKER_STRICT_IDS`).
    pub strict_ids: bool,
}

/// Stytch's two environments; ids and project ids carry the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// `project-test-…`, `session-test-…`, `user-test-…`.
    Test,
    /// `project-live-…`, `session-live-…`, `user-live-…`.
    Live,
}

impl Environment {
    /// The word in ids: `test` or `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

/// Why an event cannot be taken: all problems at once, at most [`Rejection::PROBLEMS_MAX`].
///
/// Never holds a value of the body: only JSON types, lengths, positions and well-formed field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The problems, in the order in which they were found; never empty.
    pub problems: Vec<Problem>,
    /// The event's id, when that field itself was right.
    pub event_id: Option<String>,
}

impl Rejection {
    /// How many problems a rejection names at most.
    pub const PROBLEMS_MAX: usize = 5;

    /// The code of the first problem: metric label and dead-letter header.
    pub fn code(&self) -> Code {
        self.problems
            .first()
            .map_or(Code::MalformedJson, |p| p.code)
    }
}

impl fmt::Display for Rejection {
    /// `code: what is wrong; what to do`, several joined by ` | `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str(" | ")?;
            }
            write!(f, "{}: {}", problem.code.as_str(), problem.text)?;
        }
        Ok(())
    }
}

/// One problem of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind, from the closed set.
    pub code: Code,
    /// What is wrong; what to do. Without the code.
    pub text: String,
}

impl Problem {
    /// A problem; the text must hold no value of the body.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

/// Declares a closed set of words: the enum, `ALL` and `as_str`.
#[macro_export]
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }
        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The word used in labels, headers and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }
    };
}

closed_set! {
    /// Why an event is refused: metric label, dead-letter header and the first word of the text.
    Code {
        /// Nothing in the body.
        EmptyBody => "empty_body",
        /// Not JSON.
        MalformedJson => "malformed_json",
        /// Not UTF-8.
        NotUtf8 => "not_utf8",
        /// A `content_encoding` other than identity.
        UnsupportedEncoding => "unsupported_encoding",
        /// A `content_type` other than JSON.
        UnsupportedContentType => "unsupported_content_type",
        /// Over the size limit.
        TooLarge => "too_large",
        /// JSON, but not an object.
        NotAnObject => "not_an_object",
        /// No target.
        TargetMissing => "target_missing",
        /// More than one target.
        TargetAmbiguous => "target_ambiguous",
        /// A field that the event does not have.
        UnknownField => "unknown_field",
        /// A field of the wrong JSON type.
        WrongType => "wrong_type",
        /// A field whose value breaks its rule.
        BadFormat => "bad_format",
        /// A live id for a test project or the reverse.
        WrongEnvironment => "wrong_environment",
        /// A field named twice.
        DuplicateField => "duplicate_field",
        /// `ext` nested too deep.
        TooDeep => "too_deep",
        /// Another `type`.
        UnsupportedType => "unsupported_type",
        /// A required field is missing.
        FieldMissing => "field_missing",
        /// A time that is not RFC 3339.
        BadTime => "bad_time",
        /// A time in the future where none may be.
        TimeInFuture => "time_in_future",
        /// A control character in text for people.
        ControlCharacter => "control_character",
        /// A session JWT that cannot be read.
        JwtMalformed => "jwt_malformed",
        /// A session JWT of another project.
        JwtWrongProject => "jwt_wrong_project",
        /// A JWT without a session.
        JwtNoSession => "jwt_no_session",
        /// An event for another project.
        WrongProject => "wrong_project",
        /// It came to a lane's queue by a way that does not lead there.
        LaneMismatch => "lane_mismatch",
        /// A CloudEvent of another version.
        CloudeventVersion => "cloudevent_version",
        /// A CloudEvent whose data is not JSON.
        CloudeventDataBase64 => "cloudevent_data_base64",
        /// A CloudEvent with headers of several bindings.
        CloudeventMixedPrefixes => "cloudevent_mixed_prefixes",
    }
}
