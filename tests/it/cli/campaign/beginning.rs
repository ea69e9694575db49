//! Where a start begins.

use revoker::cli::campaign::beginning::{Asked, Beginning, decide};

use super::{Told, at};

const ASKED: Asked<'_> = Asked {
    campaign_id: "c1",
    project_id: "project-test-1",
    publisher: "campaign",
    digest: "aa",
    cutoff: None,
    extend: false,
};

#[test]
fn follows_from_the_records() {
    let resume = |part, line, published| Beginning::Resume {
        part,
        line,
        published,
    };
    let one = || Told::new().part(1, "aa", 10);
    let two = || one().published(1, 11, true).part(2, "bb", 5);
    let cases = [
        (Told::new(), ASKED, Beginning::New(1)),
        (one(), ASKED, resume(1, 0, 0)),
        (one().published(1, 7, false), ASKED, resume(1, 7, 6)),
        (one().published(1, 11, true), ASKED, Beginning::Finished(1)),
        (
            one(),
            Asked {
                cutoff: Some(at(-60)),
                ..ASKED
            },
            resume(1, 0, 0),
        ),
        (
            one(),
            Asked {
                digest: "bb",
                extend: true,
                ..ASKED
            },
            Beginning::New(2),
        ),
        (
            two(),
            Asked {
                digest: "bb",
                ..ASKED
            },
            resume(2, 0, 0),
        ),
        (
            two(),
            Asked {
                digest: "bb",
                extend: true,
                ..ASKED
            },
            resume(2, 0, 0),
        ),
        (two(), ASKED, Beginning::Finished(1)),
        (
            two(),
            Asked {
                digest: "cc",
                extend: true,
                ..ASKED
            },
            Beginning::New(3),
        ),
    ];
    for (n, (told, asked, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(
            decide(told.orders.campaign("c1"), &asked),
            Ok(wanted),
            "case {n}"
        );
    }
}

#[test]
fn is_refused_with_what_to_do() {
    let one = || Told::new().part(1, "aa", 10);
    let cases = [
        (
            one(),
            Asked {
                digest: "bb",
                ..ASKED
            },
            "--extend",
        ),
        (one().cancelled(), ASKED, "a cancelled one stays so"),
        (
            one().cancelled(),
            Asked {
                digest: "bb",
                extend: true,
                ..ASKED
            },
            "a cancelled one stays so",
        ),
        (
            one(),
            Asked {
                publisher: "other",
                ..ASKED
            },
            "--publisher campaign",
        ),
        (
            one(),
            Asked {
                project_id: "project-test-2",
                ..ASKED
            },
            "is for the project project-test-1",
        ),
        (
            one(),
            Asked {
                cutoff: Some(at(0)),
                ..ASKED
            },
            "leave --cutoff out",
        ),
    ];
    for (n, (told, asked, said)) in cases.into_iter().enumerate() {
        let refused = decide(told.orders.campaign("c1"), &asked).unwrap_err();
        assert!(refused.contains(said), "case {n}: {refused}");
    }
}
