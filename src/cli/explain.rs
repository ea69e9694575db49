//! `revoker explain`: what a word of ours or of Stytch's means, and what to do about it.
//!
//! Takes what stands on dead letters, in logs, metrics and answers: dead-letter codes, error types, HTTP
//! statuses, states and their reasons. A word may be several of these, and then all are told. Needs no
//! settings and asks nobody; the texts are those of the code.

use std::fmt::Write;

use anyhow::anyhow;
use serde_json::{Map, Value};

use super::{
    policy::{self, Row},
    print,
};
use crate::{
    revoke::{
        Class,
        outcome::{ApiCode, classify},
        rules::{RULES, Types},
    },
    settle::code::Code,
    telemetry::{State, Why, labels::dead_letter_codes},
};

/// How alike two words must be to be suggested; from strsim's range 0 to 1.
const SIMILARITY_MIN: f64 = 0.85;
/// Longer words, or words of other characters, are not repeated: they may be anything.
const WORD_LEN_MAX: usize = 64;
/// Stands for every error type that no rule names.
const UNKNOWN_TYPE: &str = "an_error_type_that_is_not_known";

/// Which word.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples: revoker explain user_not_found, revoker explain attempts_exhausted, revoker explain 429"
)]
pub struct Args {
    /// A dead-letter code, an error type of Stytch's, an HTTP status, or a state or its reason.
    #[arg(value_name = "CODE|ERROR_TYPE")]
    word: String,
    /// Print JSON, one object a meaning.
    #[arg(long)]
    json: bool,
}

/// One meaning of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// What kind of word it is.
    pub kind: &'static str,
    /// What there is to say: what about, and the words.
    pub says: Vec<(&'static str, String)>,
}

/// Prints what the word means.
///
/// # Errors
/// When nobody knows it, and when standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let word = args.word.trim().to_ascii_lowercase();
    let meanings = meanings(&word);
    if meanings.is_empty() {
        return Err(anyhow!(unknown(&word)));
    }
    let mut text = String::new();
    for meaning in &meanings {
        match args.json {
            true => _ = writeln!(text, "{}", meaning.object(&word)),
            false => text += &meaning.text(&word),
        }
    }
    print(&text)
}

/// All that a word means; empty if nobody knows it.
pub fn meanings(word: &str) -> Vec<Meaning> {
    let mut all = Vec::new();
    all.extend(error_type(word));
    all.extend(dead_letter(word));
    all.extend(status(word));
    let reasons = Why::all().filter(|why| why.as_str() == word || why.state().as_str() == word);
    all.extend(reasons.map(reason));
    all
}

/// What is said of a word that nobody knows.
pub fn unknown(word: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if word.is_empty() || word.len() > WORD_LEN_MAX || !word.chars().all(plain) {
        return "that is no word of ours or of Stytch's; they are lower-case letters, digits and _, such as user_not_found; revoker policy shows all error types".to_owned();
    }
    let nearest = known()
        .into_iter()
        .map(|other| (strsim::jaro_winkler(word, other), other));
    match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, other)) if likeness >= SIMILARITY_MIN => {
            format!("{word} is not known; did you mean {other}?")
        }
        _ => format!(
            "{word} is not known; as an error type of Stytch's with a 4xx it would be {}, see revoker explain {}; revoker policy shows all that are known",
            Class::Permanent(ApiCode::ApiOther).name(),
            ApiCode::ApiOther.as_str()
        ),
    }
}

/// Every word that has a meaning, but HTTP statuses and the members of families.
pub fn known() -> Vec<&'static str> {
    let types = RULES.iter().filter_map(|rule| match rule.types {
        Types::One(word) => Some(word),
        Types::Family(_) | Types::Some | Types::Any => None,
    });
    types
        .chain(Code::all().map(Code::as_str))
        .chain(State::ALL.iter().map(|state| state.as_str()))
        .chain(Why::all().map(Why::as_str))
        .collect()
}

/// The word as Stytch's: by the first rule that names it, or the code of a family or of none.
fn error_type(word: &str) -> Option<Meaning> {
    let named = RULES.iter().find(|rule| rule.types.name(word));
    let coded = || {
        let own = |class: &Class| policy::code(class) == Some(word) && api_code(class).is_some();
        RULES.iter().find(|rule| own(&rule.class))
    };
    let rule = named.or_else(coded)?;
    let row = Row::of(rule);
    let mut says = vec![("http", row.http.clone())];
    if row.error_type != word && !row.error_type.is_empty() {
        says.push(("error type", row.error_type.clone()));
    }
    says.extend(class(&rule.class));
    Some(Meaning {
        kind: "an answer of Stytch's",
        says,
    })
}

/// The word as a code on a dead letter; those that blame us never stand on one.
fn dead_letter(word: &str) -> Option<Meaning> {
    let code = dead_letter_codes().find(|code| code.as_str() == word)?;
    let says = vec![
        ("means", code.meaning().to_owned()),
        ("do", code.remedy().to_owned()),
    ];
    Some(Meaning {
        kind: "a dead-letter code",
        says,
    })
}

/// The word as an HTTP status, with an error type that nobody knows and without one.
fn status(word: &str) -> Vec<Meaning> {
    let Some(status) = word.parse::<u16>().ok().filter(|s| (100..=599).contains(s)) else {
        return Vec::new();
    };
    if status == 200 {
        return vec![Meaning {
            kind: "an HTTP status",
            says: class(&Class::Revoked),
        }];
    }
    let (with, without) = (classify(status, Some(UNKNOWN_TYPE)), classify(status, None));
    let one = |when: &str, of: &Class| Meaning {
        kind: "an HTTP status",
        says: [("when", when.to_owned())]
            .into_iter()
            .chain(class(of))
            .collect(),
    };
    if with == without {
        return vec![one("with no error type that is known, or none", &with)];
    }
    vec![
        one("with an error type that is not known", &with),
        one("without an error type: not the API's own answer", &without),
    ]
}

/// A reason of a state.
fn reason(why: Why) -> Meaning {
    Meaning {
        kind: "a reason of a worker's state",
        says: vec![
            ("state", why.state().as_str().to_owned()),
            ("reason", why.as_str().to_owned()),
            ("means", why.sentence().to_owned()),
        ],
    }
}

/// What there is to say of a class.
fn class(class: &Class) -> Vec<(&'static str, String)> {
    let mut says = vec![("class", class.name().to_owned())];
    if let Some(code) = api_code(class) {
        says.push(("code", code.as_str().to_owned()));
        says.push(("means", code.meaning().to_owned()));
    }
    says.push(("worker", policy::deed(class).to_owned()));
    if let Some(blame) = api_code(class).and_then(ApiCode::blames) {
        says.push(("do", Why::Credentials(blame).sentence().to_owned()));
    }
    says
}

fn api_code(class: &Class) -> Option<ApiCode> {
    match class {
        Class::Permanent(code) | Class::Credentials(code) => Some(*code),
        Class::Revoked
        | Class::AlreadyGone
        | Class::RateLimited
        | Class::OwnLimit
        | Class::Retryable(_) => None,
    }
}

impl Meaning {
    fn text(&self, word: &str) -> String {
        let mut text = format!("{word}: {}\n", self.kind);
        for (about, said) in &self.says {
            let _ = writeln!(text, "  {about:<11} {said}");
        }
        text
    }

    fn object(&self, word: &str) -> Value {
        let of = |text: &str| Value::from(text);
        let mut object = Map::new();
        object.insert("word".into(), of(word));
        object.insert("kind".into(), of(self.kind));
        for (about, said) in &self.says {
            object.insert(about.replace(' ', "_"), of(said));
        }
        Value::Object(object)
    }
}
