//! Tests of the evidence: whatever is done to it shows, but for a chain that is made anew.

use std::io::{self, Write};

use revoker::campaign::evidence::{Chain, Checked, Checker, Footer, Header, Writer, Wrong};
use serde_json::{Value, json};

use super::given::{ID, at, campaign, evidence, manifest, outcome};

/// Three of three proven, one of them only after it had failed; and one outcome that does not count.
fn whole() -> String {
    let outcomes = [
        outcome(1, json!({})),
        outcome(
            2,
            json!({"outcome": "dead_lettered", "code": "attempts_exhausted", "attempts": 6}),
        ),
        outcome(3, json!({"publisher": "forger"})),
        outcome(3, json!({"outcome": "already_gone", "sessions": null})),
        outcome(2, json!({"exposure_seconds": 0.1 + 0.2})),
    ];
    evidence(&campaign(&[manifest(1, &[1, 2, 3])]), &outcomes).0
}

fn check(text: &str) -> Result<Checked, (u64, Wrong)> {
    let mut checker = Checker::default();
    for line in text.lines() {
        let taken = checker.take(line.as_bytes().to_vec());
        taken.map_err(|wrong| (checker.lines(), wrong))?;
    }
    let lines = checker.lines();
    checker.finish().map_err(|wrong| (lines, wrong))
}

/// Changes the bodies of the lines and chains them again, as a forger would.
fn rechained(text: &str, change: impl FnOnce(&mut Vec<Value>)) -> String {
    let body = |line: &str| {
        let mut body: Value = serde_json::from_str(line).unwrap();
        body.as_object_mut().unwrap().remove("chain");
        body
    };
    let mut bodies: Vec<Value> = text.lines().map(body).collect();
    change(&mut bodies);
    let mut chain = Chain::default();
    let in_order = |body: &Value| {
        // An outcome's line is known by its first field.
        let fields = body.as_object().unwrap();
        let first = fields.get_key_value("seq");
        let rest = fields.iter().filter(|(name, _)| *name != "seq");
        let fields = first.into_iter().chain(rest);
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        format!("{{{}}}", fields.join(","))
    };
    let lines = bodies
        .iter()
        .map(|body| chain.link(in_order(body).into_bytes()));
    lines.map(|line| String::from_utf8(line).unwrap()).collect()
}

#[test]
fn whole_evidence_is_right() {
    let text = whole();
    let checked = check(&text).unwrap();
    assert_eq!((checked.lines, checked.footer.outcomes), (6, 4));
    assert!(checked.footer.complete);
    assert_eq!((checked.footer.proven, checked.footer.refused), (3, 1));
    assert!(
        text.trim_end()
            .ends_with(&format!("\"chain\":\"{}\"}}", checked.chain_end))
    );
}

#[test]
fn the_chain_is_what_its_rules_say() {
    // Step by step as the module tells it, with nothing of the module.
    use sha2::{Digest, Sha256};
    let mut chain = vec![0; 32];
    for line in whole().lines() {
        let body = format!("{}}}", &line[..line.len() - 76]);
        let hash = Sha256::new()
            .chain_update(&chain)
            .chain_update(body)
            .finalize();
        chain = hash.to_vec();
        let digits: String = chain.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            line[line.len() - 76..],
            format!(",\"chain\":\"{digits}\"}}")
        );
    }
}

#[test]
fn every_edit_breaks_the_chain() {
    let text = whole();
    let lines: Vec<&str> = text.lines().collect();
    let wrong = |lines: &[&str]| check(&lines.join("\n")).unwrap_err();
    for (number, line) in lines.iter().enumerate() {
        for edited in [
            line.replacen("e", "E", 1),
            line.replacen(':', ": ", 1),
            line.replacen("\"chain\":\"", "\"chain\":\"0", 1),
            line.to_uppercase(),
        ] {
            let mut changed = lines.clone();
            changed[number] = &edited;
            let (at, why) = wrong(&changed);
            assert_eq!(at, number as u64 + 1, "{edited}");
            assert!(matches!(why, Wrong::Chain | Wrong::NoChain), "{why}");
        }
        let mut dropped = lines.clone();
        dropped.remove(number);
        let (_, why) = wrong(&dropped);
        let is_last = number + 1 == lines.len();
        assert_eq!(why, if is_last { Wrong::CutOff } else { Wrong::Chain });
    }
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    assert_eq!(wrong(&swapped), (2, Wrong::Chain));
    let twice = [&lines[..], &lines[5..]].concat();
    assert_eq!(wrong(&twice), (7, Wrong::Behind));
    assert_eq!(check("").unwrap_err(), (0, Wrong::CutOff));
}

#[test]
fn a_chain_that_is_made_anew_must_still_add_up() {
    let text = whole();
    assert_eq!(check(&rechained(&text, |_| {})).unwrap().footer.proven, 3);
    let check = |why: &str, number: u64, change: &dyn Fn(&mut Vec<Value>)| {
        let (at, wrong) = check(&rechained(&text, |bodies| change(bodies))).unwrap_err();
        assert_eq!(at, number, "{why}: {wrong}");
        assert_ne!(wrong, Wrong::Chain, "{why}");
    };
    check("a line less", 3, &|b| drop(b.remove(2)));
    check("lines swapped", 2, &|b| b.swap(1, 2));
    check("another target", 2, &|b| {
        b[1]["target"] = "user-test-x".into()
    });
    check("an older cutoff", 2, &|b| {
        b[1]["cutoff"] = "2026-11-28T09:00:00Z".into()
    });
    check("another part", 2, &|b| b[1]["part"] = 2.into());
    check("an earlier entry", 2, &|b| b[1]["offset"] = 6.into());
    check("the same entry twice", 3, &|b| {
        b[2]["offset"] = b[1]["offset"].clone()
    });
    check("a better outcome", 6, &|b| {
        b[3]["outcome"] = "revoked".into()
    });
    check("fewer sessions left", 6, &|b| {
        b[1]["sessions_newer"] = 5.into()
    });
    check("one more expected", 6, &|b| {
        b[0]["parts"][0]["manifest"]["expected"] = 4.into()
    });
    check("a foreign field", 2, &|b| b[1]["x"] = 1.into());
    check("another campaign's part", 1, &|b| {
        b[0]["parts"][0]["manifest"]["campaign_id"] = "y".into()
    });
    check("another project", 1, &|b| {
        b[0]["project_id"] = "project-live-1".into()
    });
    check("a drill made real", 1, &|b| {
        b[0]["parts"][0]["manifest"]["drill"] = true.into()
    });
    check("parts that overflow", 1, &|b| {
        b[0]["parts"][0]["manifest"]["expected"] = u64::MAX.into()
    });
    check("read to before the last line", 6, &|b| {
        b[5]["read_to"] = 7.into()
    });
    for name in [
        "proven",
        "expected",
        "published",
        "outcomes",
        "sessions_revoked",
        "attempts",
    ] {
        check(name, 6, &|b| b[5][name] = 99.into());
    }
    check("not complete", 6, &|b| b[5]["complete"] = false.into());
    check("safe earlier", 6, &|b| {
        b[5]["safe_at"] = "2026-11-28T10:00:00Z".into()
    });
    check("less exposed", 6, &|b| {
        b[5]["exposure_seconds_max"] = 1.0.into()
    });
    check("a better count", 6, &|b| {
        b[5]["events"]["revoked"] = 3.into()
    });
}

#[test]
fn a_chain_that_is_made_anew_and_adds_up_passes_here() {
    // Why something else must vouch for the end of the chain.
    let forged = rechained(&whole(), |bodies| bodies[1]["request_id"] = "forged".into());
    let checked = check(&forged).unwrap();
    assert_ne!(checked.chain_end, check(&whole()).unwrap().chain_end);
}

#[test]
fn the_digest_follows_from_the_evidence() {
    let checked = check(&whole()).unwrap();
    let text = checked
        .footer
        .digest_text(&checked.header, checked.lines, "00ff");
    let expected = "revoker report v1\ncampaign: leak-2026\n\
                    project: project-test-11111111-1111-4111-8111-111111111111\n\
                    drill: no\nlines: 6\ncomplete: yes\nproven: 3 of 3\nsha256: 00ff\n";
    assert_eq!(text, expected);
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        match taken {
            0 => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_happens() {
    let campaign = campaign(&[manifest(1, &[1])]);
    let (text, header, footer) = evidence(&campaign, &[]);
    let write = |room: usize, header: &Header, footer: &Footer| {
        Writer::new(Full(room), header)?.finish(footer).map(|_| ())
    };
    for room in [0, 1, text.len() / 2, text.len() - 1] {
        let error = write(room, &header, &footer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
    }
    write(text.len(), &header, &footer).unwrap();
}

#[test]
fn a_header_tells_whose_manifests_it_has() {
    let one = campaign(&[manifest(1, &[1])]);
    let two = campaign(&[manifest(1, &[1]), manifest(2, &[2])]);
    let header = Header::new(ID, &one, "bob".into(), at("2026-11-28T12:00:00Z")).unwrap();
    assert!(header.is_of(&one) && !header.is_of(&two));
    assert!(header.is_of(&header.campaign()));
    assert!(
        Header::new(
            ID,
            &Default::default(),
            "bob".into(),
            at("2026-11-28T12:00:00Z")
        )
        .is_none()
    );
}
