//! What a list looks like, and what it comes to.

use std::io::Write;

use revoker::{
    campaign::{EventHash, Kind},
    cli::campaign::{input::List, scan::Scan, shape::look},
    event::{Environment, Expectations},
};

const USER: &str = "user-test-01234567-89ab-4cde-8f01-23456789abc";
const SESSION: &str = "session-test-01234567-89ab-4cde-8f01-23456789abc";

fn expect() -> Expectations {
    Expectations {
        project_id: "project-test-1".into(),
        environment: Environment::Test,
        strict_ids: false,
    }
}

/// `U0` to `U9` and `S0` to `S9` are ids.
fn filled(list: &str) -> String {
    (0..10).fold(list.to_owned(), |list, n| {
        list.replace(&format!("U{n}"), &format!("{USER}{n}"))
            .replace(&format!("S{n}"), &format!("{SESSION}{n}"))
    })
}

fn open(text: &str, column: Option<&str>, kind: Option<Kind>) -> anyhow::Result<List> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    List::open(file.path(), column, kind)
}

/// Every id with its line, or `!` and the line of what is wrong.
fn rows(mut list: List) -> Vec<String> {
    let mut rows = Vec::new();
    list.read(|(line, cell)| {
        let (user, session) = (
            |id: &str| id.replace(USER, "U"),
            |id: String| id.replace(SESSION, "S"),
        );
        rows.push(match cell {
            Ok(id) => format!("{line} {}", session(user(id))),
            Err(_) => format!("{line} !"),
        });
        Ok(())
    })
    .unwrap();
    rows
}

/// A list, `--column` and `--target`, what its ids are, and its rows.
type Form<'a> = (&'a str, Option<&'a str>, Option<Kind>, Kind, &'a [&'a str]);

#[test]
fn in_every_form() {
    use Kind::{Session, User};
    #[rustfmt::skip]
    let cases: &[Form<'_>] = &[
        ("U1\nU2\n", None, None, User, &["1 U1", "2 U2"]),
        ("U1", None, None, User, &["1 U1"]),
        ("user_id\nU1\n\nU2", None, None, User, &["2 U1", "4 U2"]),
        ("\u{feff}user_id\r\nU1\r\nU2\r\n", None, None, User, &["2 U1", "3 U2"]),
        ("name,user_id\n\"Doe, J\",U1\n\"x\ny\",U2\nonly\n", None, None, User, &["2 U1", "3 U2", "5 !"]),
        ("name;SESSION_ID\na; S1 \n", None, None, Session, &["2 S1"]),
        ("a\tuser_id\nb\tU1\n", None, None, User, &["2 U1"]),
        ("ID\nU1\n", None, None, User, &["2 U1"]),
        ("x1\nx2\n", None, Some(User), User, &["1 x1", "2 x2"]),
        ("user_id,session_id\nU1,S1\n", None, Some(Session), Session, &["2 S1"]),
        ("a,b\nU1,S1\n", Some("B"), Some(Session), Session, &["2 S1"]),
        ("user,b\nU1,S1\n", Some("user"), None, User, &["2 U1"]),
        ("user_id\nU1\n\"\"\n", None, None, User, &["2 U1", "3 !"]),
        ("{\"user_id\":\"U1\",\"x\":{}}\n\n{\"user_id\":\"U2\"}\n{}\n{\n", None, None, User, &["1 U1", "3 U2", "4 !", "5 !"]),
        ("{\"user_id\":\"U1\",\"session_id\":\"S1\"}", None, Some(Session), Session, &["1 S1"]),
    ];
    for (n, (text, column, kind, wanted_kind, wanted)) in cases.iter().enumerate() {
        let list = open(&filled(text), *column, *kind)
            .unwrap_or_else(|error| panic!("case {n}: {error:#}"));
        assert_eq!(list.kind(), *wanted_kind, "case {n}");
        assert_eq!(rows(list), *wanted, "case {n}");
    }
}

#[test]
fn that_do_not_tell_are_refused() {
    #[rustfmt::skip]
    let cases: &[(&[u8], Option<&str>, &str)] = &[
        (b"", None, "it is empty"),
        (b"\xef\xbb\xbf \r\n", None, "it is empty"),
        (b"\xff\xfeu\0", None, "UTF-16"),
        (b"[\"a\"]", None, "one JSON object a line"),
        (b"{\"id\":\"a\"}", None, "no JSON object with user_id or session_id"),
        (b"{\"id\"", None, "no JSON object with user_id or session_id"),
        (b"abc\ndef\n", None, "--target user or --target session"),
        (b"a,b\n1,2\n", None, "2 columns"),
        (b"user_id,session_id\n1,2\n", None, "both user_id and session_id"),
        (b"a,b\n1,2\n", Some("c"), "no column of that name"),
        (b"a,b\n1,2\n", Some("a"), "say what the column holds"),
    ];
    for (text, column, said) in cases {
        let error = format!("{:#}", look(text, *column, None).unwrap_err());
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn come_to_a_sum_that_no_order_changes() {
    let scan = |text: &str, exclude: &[EventHash]| {
        let mut list = open(&filled(text), None, None).unwrap();
        Scan::of(&mut list, "c1", &expect(), exclude).unwrap()
    };
    let (one, other) = (
        scan("U1\nU2\nU3\nU2\n", &[]),
        scan("user_id,x\nU3,\nU2,\nU1,\n", &[]),
    );
    assert_eq!(
        (one.sorted.len(), one.duplicates, other.duplicates),
        (3, 1, 0)
    );
    assert_eq!((one.digest(), one.xor()), (other.digest(), other.xor()));
    let (less, admins) = (scan("U1\nU3\n", &[]), scan("U2\nU7\n", &[]));
    assert_ne!(one.digest(), less.digest());
    let without = scan("U1\nU2\nU3\n", &admins.sorted);
    assert_eq!((without.digest(), without.excluded), (less.digest(), 1));
    // Sessions and users of one name are not the same.
    let named = |kind| {
        let mut list = open("x1\n", None, Some(kind)).unwrap();
        Scan::of(&mut list, "c1", &expect(), &[]).unwrap()
    };
    assert_ne!(named(Kind::User).digest(), named(Kind::Session).digest());
    assert_eq!(named(Kind::User).unknown_format, 1);
}

#[test]
fn with_many_wrong_lines_show_twenty() {
    let text = format!("U1\n{}", "no id\n".repeat(30));
    let mut list = open(&filled(&text), None, None).unwrap();
    let scan = Scan::of(&mut list, "c1", &expect(), &[]).unwrap();
    assert_eq!(
        (scan.sorted.len(), scan.invalid, scan.invalid_shown.len()),
        (1, 30, 20)
    );
    assert_eq!(scan.invalid_shown[0].0, 2);
    assert!(!format!("{scan:?}").contains("no id"), "a value is shown");
}
