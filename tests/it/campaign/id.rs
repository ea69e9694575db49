//! Ids of campaigns and events: what names a target is the same for ever, and nothing else is taken for it.

use revoker::campaign::{
    self,
    id::{EventHash, Kind, digest, event_id, read_event_id},
};

const CAMPAIGN: &str = "breach-2026-11";
const USER: &str = "user-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6";
const FROZEN: &str =
    "events that are published name their targets so: mend the code, never the test";

#[test]
fn a_campaigns_id_is_short_and_plain() {
    for good in ["a", "breach-2026-11", "A.b_c-9", &"x".repeat(64)] {
        assert!(campaign::is_id(good), "{good}");
    }
    for bad in ["", "a b", "a:b", "a/b", "ä", "a\n", &"x".repeat(65)] {
        assert!(!campaign::is_id(bad), "{bad:?}");
    }
}

#[test]
fn a_hash_is_the_same_for_ever() {
    let hash = EventHash::new(CAMPAIGN, Kind::User, USER);
    assert_eq!(
        hash.to_string(),
        "02dcc280f225d722ab6705d7e5c22b0d",
        "{FROZEN}"
    );
    let of_session = EventHash::new(CAMPAIGN, Kind::Session, USER);
    let sorted = {
        let mut both = [hash, of_session];
        both.sort();
        both
    };
    assert_eq!(
        digest(Kind::User, &sorted),
        "484a250f88a0ff684e9e45f7acac94d50125703e429b3e9c64815ed3c453152b",
        "{FROZEN}"
    );
}

/// Each part of what is hashed counts, and none runs into the next.
#[test]
fn whatever_differs_makes_another_hash() {
    let all = [
        (CAMPAIGN, Kind::User, USER),
        ("breach-2026-12", Kind::User, USER),
        (CAMPAIGN, Kind::Session, USER),
        (CAMPAIGN, Kind::User, "user-test-x"),
        ("ab", Kind::User, "c"),
        ("a", Kind::User, "bc"),
        ("a", Kind::User, "b"),
    ];
    let hashes: std::collections::BTreeSet<_> = all
        .iter()
        .map(|(campaign, kind, target)| EventHash::new(campaign, *kind, target))
        .collect();
    assert_eq!(hashes.len(), all.len());
    let one = &hashes.iter().copied().take(1).collect::<Vec<_>>();
    assert_ne!(digest(Kind::User, one), digest(Kind::Session, one));
    assert_ne!(digest(Kind::User, one), digest(Kind::User, &[]));
}

#[test]
fn a_hash_is_read_as_it_is_written_and_in_no_other_form() {
    let hash = EventHash::new(CAMPAIGN, Kind::User, USER);
    let text = hash.to_string();
    assert_eq!(EventHash::parse(&text), Some(hash));
    let zero = EventHash::default();
    assert_eq!(EventHash::parse(&zero.to_string()), Some(zero));
    for wrong in [
        &text[1..],
        &format!("{text}0"),
        &text.to_uppercase(),
        &format!("+{}", &text[1..]),
        &format!(" {}", &text[1..]),
        "",
    ] {
        assert_eq!(EventHash::parse(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_sum_depends_on_no_order_and_each_goes_out_as_it_came_in() {
    let hashes = ["a", "b", "c"].map(|user| EventHash::new(CAMPAIGN, Kind::User, user));
    let sum = |order: [usize; 3]| {
        let mut sum = EventHash::default();
        order.iter().for_each(|n| sum.xor(hashes[*n]));
        sum
    };
    assert_eq!(sum([0, 1, 2]), sum([2, 0, 1]));
    assert_ne!(
        sum([0, 1, 2]),
        sum([0, 0, 2]),
        "one in the place of another"
    );
    let mut all = sum([0, 1, 2]);
    hashes.iter().for_each(|hash| all.xor(*hash));
    assert_eq!(all, EventHash::default());
}

#[test]
fn an_event_id_tells_whose_it_is_and_no_other_text_does() {
    let hash = EventHash::new(CAMPAIGN, Kind::User, USER);
    let id = event_id(CAMPAIGN, 12, hash);
    assert!(id.len() <= 128, "longer than an event's id may be");
    assert_eq!(read_event_id(CAMPAIGN, &id), Some((12, hash)));
    assert_eq!(read_event_id("breach-2026-1", &id), None);
    assert_eq!(read_event_id("breach-2026-11-b", &id), None);
    for wrong in [
        id.replace(":12:", ":+12:"),
        id.replace(":12:", ":012:"),
        id.replace(":12:", ":-1:"),
        id.replace(":12:", "::"),
        id.replace(":12:", ":4294967296:"),
        id.replace(":12:", ":12"),
        format!("{id}0"),
        format!("x{id}"),
        CAMPAIGN.to_owned(),
        String::new(),
    ] {
        assert_eq!(read_event_id(CAMPAIGN, &wrong), None, "{wrong}");
    }
    // The longest that can be.
    let longest = event_id(&"c".repeat(campaign::ID_LEN_MAX), u32::MAX, hash);
    assert!(longest.len() <= 128, "{}", longest.len());
}

#[test]
fn a_kind_is_known_by_its_word_and_names_its_field() {
    for kind in Kind::ALL {
        assert_eq!(Kind::named(kind.as_str()), Some(*kind));
        assert_eq!(kind.field(), format!("{}_id", kind.as_str()));
    }
    assert_eq!(Kind::named("token"), None);
}
