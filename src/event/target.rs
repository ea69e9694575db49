//! The rules of targets: ids, tokens and the environment they belong to.
//!
//! Two failures are weighed here. Refusing a revocation over a guess about formats is bad, so an id
//! of unknown format is sent, with a flag. Sending a thing under the wrong name is worse: Stytch
//! answers "no such session", which reads as success, and a credential would be kept and logged as
//! if it were an id. So whatever is recognisably something else is refused, with the right name.

use secrecy::SecretString;

use super::fields::{Field, made_of};
use super::{Code, Environment, Expectations, Problem, jwt};

/// Longest id of unknown format that is sent, in bytes.
pub(super) const UNKNOWN_ID_LEN_MAX: usize = 256;
/// The length of every session token that Stytch has published, in characters. A user's external
/// id may well look as random as that; those in use are shorter (a SHA-256 has 43).
pub const TOKEN_LEN_TYPICAL: usize = 44;
/// Shortest token that is taken, in characters.
pub(super) const TOKEN_LEN_MIN: usize = 20;
/// Longest token that is taken, in characters.
pub(super) const TOKEN_LEN_MAX: usize = 512;

/// The two kinds of id that an event can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    User,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::User => "user",
        }
    }
}

/// An id that may be sent.
pub(super) struct Id {
    pub(super) text: String,
    /// Whether its format is one that Stytch documents.
    pub(super) is_known: bool,
}

/// What a text is, judged by its look alone.
enum Look {
    Id(Kind, Environment),
    /// Begins like an id and goes on otherwise.
    Nearly(Kind, Environment),
    Jwt,
    Token,
    Else,
}

fn look(text: &str, kind: Kind) -> Look {
    for kind in [Kind::Session, Kind::User] {
        for environment in [Environment::Test, Environment::Live] {
            if let Some(rest) = after_prefix(text, kind, environment) {
                return match is_uuid(rest) {
                    true => Look::Id(kind, environment),
                    false => Look::Nearly(kind, environment),
                };
            }
        }
    }
    match text {
        _ if jwt::looks_like_one(text) => Look::Jwt,
        _ if looks_like_token(text, kind) => Look::Token,
        _ => Look::Else,
    }
}

fn after_prefix(text: &str, kind: Kind, environment: Environment) -> Option<&str> {
    let rest = text.strip_prefix(kind.word())?.strip_prefix('-')?;
    rest.strip_prefix(environment.as_str())?.strip_prefix('-')
}

/// Lower case, as Stytch writes them.
fn is_uuid(text: &str) -> bool {
    is_any_uuid(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// In either case.
fn is_any_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Random text in base64url has both cases; an id of a user's own making seldom is that long.
/// Sessions have no ids but Stytch's, so there a shorter one is suspect too.
fn looks_like_token(text: &str, kind: Kind) -> bool {
    let len_min = match kind {
        Kind::Session => TOKEN_LEN_MIN,
        Kind::User => TOKEN_LEN_TYPICAL,
    };
    let ends_in_uuid = text
        .len()
        .checked_sub(36)
        .and_then(|start| text.get(start..))
        .is_some_and(is_any_uuid);
    text.len() >= len_min
        && is_token(text)
        && text.bytes().any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && !ends_in_uuid
}

fn is_token(text: &str) -> bool {
    text.len() >= TOKEN_LEN_MIN
        && made_of(text, TOKEN_LEN_MAX, |b| {
            b.is_ascii_alphanumeric() || b"_=-".contains(&b)
        })
}

/// Checks an id that stands in no event yet, by the rules of an event. True if its format is one that
/// Stytch documents.
///
/// # Errors
/// What is wrong with it, without its value.
pub fn check_id(user: bool, text: &str, expect: &Expectations) -> Result<bool, Problem> {
    let (field, kind) = match user {
        true => (Field::UserId, Kind::User),
        false => (Field::SessionId, Kind::Session),
    };
    id(field, kind, text, expect).map(|id| id.is_known)
}

/// An id of that kind. Also used for the session that a JWT names, then under the JWT's name.
pub(super) fn id(
    field: Field,
    kind: Kind,
    text: &str,
    expect: &Expectations,
) -> Result<Id, Problem> {
    match look(text, kind) {
        Look::Id(found, environment) if found == kind => {
            in_environment(field, environment, expect)?;
            Ok(Id {
                text: text.to_owned(),
                is_known: true,
            })
        }
        Look::Nearly(found, environment) if found == kind => {
            in_environment(field, environment, expect)?;
            unknown(field, kind, text, expect)
        }
        Look::Else => unknown(field, kind, text, expect),
        Look::Id(..) | Look::Nearly(..) => Err(other_kind(field, kind)),
        Look::Jwt => Err(withheld(
            field,
            kind,
            text,
            "a session JWT goes in \"session_jwt\"",
        )),
        Look::Token => Err(withheld(
            field,
            kind,
            text,
            "a session token goes in \"session_token\"",
        )),
    }
}

fn unknown(field: Field, kind: Kind, text: &str, expect: &Expectations) -> Result<Id, Problem> {
    if !made_of(text, UNKNOWN_ID_LEN_MAX, |b| b.is_ascii_graphic()) {
        let remedy = format!("give the {}_id that Stytch gave", kind.word());
        return Err(withheld(field, kind, text, &remedy));
    }
    if expect.strict_ids {
        let remedy = "this worker is set to refuse every other form (REVOKER_STRICT_IDS)";
        return Err(unlike(field, kind, remedy));
    }
    Ok(Id {
        text: text.to_owned(),
        is_known: false,
    })
}

fn withheld(field: Field, kind: Kind, text: &str, remedy: &str) -> Problem {
    let (word, chars) = (kind.word(), text.chars().count());
    field.bad_format(&format!(
        "does not look like a {word} id ({chars} characters, value withheld); {remedy}"
    ))
}

fn unlike(field: Field, kind: Kind, remedy: &str) -> Problem {
    let word = kind.word();
    field.bad_format(&format!(
        "does not look like a {word} id ({word}-test-… or {word}-live-…); {remedy}"
    ))
}

fn other_kind(field: Field, kind: Kind) -> Problem {
    let other = match kind {
        Kind::Session => "user",
        Kind::User => "session",
    };
    let remedy = match field {
        // There is no field to name the user whose session is kept, beside user_id, which is given.
        Field::KeepSessionId => format!("it looks like a {other} id"),
        _ => format!("it looks like a {other} id, use \"{other}_id\""),
    };
    unlike(field, kind, &remedy)
}

fn in_environment(field: Field, found: Environment, expect: &Expectations) -> Result<(), Problem> {
    if found == expect.environment {
        return Ok(());
    }
    let (name, found, ours) = (field.as_str(), found.as_str(), expect.environment.as_str());
    Err(Problem::new(
        Code::WrongEnvironment,
        format!(
            "{name} belongs to a {found} project, this worker serves a {ours} project; publish to the {found} worker"
        ),
    ))
}

/// A session token: a credential, so it is a secret from here on.
pub(super) fn token(field: Field, text: &str) -> Result<SecretString, Problem> {
    // An id fits the token's alphabet; sent as a token it would be "not found", which is success.
    let remedy = match look(text, Kind::Session) {
        Look::Id(kind, _) | Look::Nearly(kind, _) => {
            let word = kind.word();
            return Err(field.bad_format(&format!("looks like a {word} id, use \"{word}_id\"")));
        }
        Look::Jwt => "a session JWT goes in \"session_jwt\"",
        _ if is_token(text) => return Ok(SecretString::from(text)),
        _ => "give the session_token that Stytch gave",
    };
    let chars = text.chars().count();
    Err(field.bad_format(&format!(
        "must be {TOKEN_LEN_MIN} to {TOKEN_LEN_MAX} letters, digits, _ = or - ({chars} characters, value withheld); {remedy}"
    )))
}
