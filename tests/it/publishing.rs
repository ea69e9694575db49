//! The guide for publishers: its code is the files that the live tests run, and what it names exists.
//!
//! `UPDATE_README=1 cargo test --test it publishing` puts the files into it.

use std::{collections::BTreeSet, fs, path::Path};

use revoker::{
    event::fields::Field,
    settle::{code::Code, outcome::Outcome},
};

const GUIDE: &str = "deploy/PUBLISHING.md";
const EXAMPLES: &str = "deploy/examples/publish";

fn path(of: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn text_of(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// The names of all examples.
fn examples() -> BTreeSet<String> {
    let files = fs::read_dir(path(EXAMPLES)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// An example as it stands in the guide.
fn block(name: &str) -> String {
    let language = match name.rsplit_once('.').unwrap().1 {
        "py" => "python",
        "mjs" => "js",
        "rs" => "rust",
        other => other,
    };
    let code = text_of(&format!("{EXAMPLES}/{name}"));
    format!("<!-- {name} -->\n```{language}\n{code}```\n<!-- /{name} -->\n")
}

#[test]
fn examples_are_the_files() {
    let mut guide = text_of(GUIDE);
    if std::env::var_os("UPDATE_README").is_some() {
        for name in examples() {
            let (begins, ends) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
            let (before, rest) = guide.split_once(&begins).expect(&name);
            let (_, after) = rest.split_once(&ends).expect(&name);
            let renewed = format!("{before}{}{after}", block(&name));
            guide = renewed;
        }
        fs::write(path(GUIDE), &guide).unwrap();
    }
    for name in examples() {
        assert!(
            guide.contains(&block(&name)),
            "{name} is old in {GUIDE}: UPDATE_README=1 cargo test --test it publishing"
        );
    }
    assert_eq!(guide.matches("\n<!-- /").count(), examples().len());
    let readme = text_of("README.md");
    assert!(readme.contains(&format!("]({GUIDE})")));
}

/// Words in code that look like ours are ours: fields, outcomes, codes.
#[test]
fn words_are_those_of_the_code() {
    let guide = text_of(GUIDE);
    // Without the examples, whose code is full of other words.
    let prose: String = guide
        .split("<!-- ")
        .enumerate()
        .filter_map(|(i, part)| match i {
            0 => Some(part),
            _ if part.starts_with('/') => part.split_once("-->").map(|(_, rest)| rest),
            _ => None,
        })
        .collect();
    let fields = Field::ALL.iter().map(|field| field.as_str());
    let known: BTreeSet<&str> = fields
        .chain(Outcome::ALL.iter().map(|outcome| outcome.as_str()))
        .chain(Code::all().map(Code::as_str))
        .collect();
    let others: BTreeSet<&str> = OTHERS.iter().copied().collect();
    let plain = |word: &&str| {
        word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let mut seen = 0;
    for word in prose.split('`').skip(1).step_by(2).filter(plain) {
        assert!(known.contains(word) || others.contains(word), "{word}");
        seen += 1;
    }
    assert!(seen > 15, "only {seen} words were found");
    for outcome in Outcome::ALL {
        assert!(
            prose.contains(&format!("`{}`", outcome.as_str())),
            "{outcome:?}"
        );
    }
}

/// Properties of AMQP, and members of outcomes.
const OTHERS: &[&str] = &[
    "content_encoding",
    "content_type",
    "delivery_mode",
    "event_id",
    "message_id",
    "password_reset",
    "publisher_verified",
    "queue_declare",
    "safe_at",
    "sessions_newer",
];
