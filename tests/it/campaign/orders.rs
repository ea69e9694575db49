//! What a stream of records comes to: which campaigns there are, and what becomes of their events.

use revoker::{
    campaign::{
        Order, Orders, Standing,
        control::{Anchor, Checkpoint},
        orders::{CAMPAIGNS_MAX, PARTS_MAX},
    },
    event::Lane,
};

use super::{about, at, manifest, record, started};

/// Takes in one order a second, from second 0 on.
fn taken(orders: &[Order]) -> Orders {
    let mut known = Orders::default();
    for (second, order) in (0..).zip(orders) {
        known.take(record(order.clone(), second));
    }
    known
}

/// What becomes of a bulk event of the campaign `c`, published by `ops`, after these orders.
fn check(orders: &[Order], wanted: Standing) {
    let known = taken(orders);
    let found = known.standing(Lane::Bulk, "ops", Some("c"));
    assert_eq!(found, wanted, "{orders:?}");
}

#[test]
fn a_campaigns_events_do_as_it_is_told() {
    use Order::{CampaignCancelled as Cancelled, CampaignPaused as Paused};
    let begun = started("c", "ops");
    let (paused, cancelled) = (about(Paused, "c"), about(Cancelled, "c"));
    let resumed = about(Order::CampaignResumed, "c");
    let of = |orders: &[&Order]| orders.iter().map(|o| (*o).clone()).collect::<Vec<_>>();
    check(&[], Standing::Go);
    check(&of(&[&begun]), Standing::Go);
    check(&of(&[&begun, &paused]), Standing::Paused(at(1)));
    // Paused again, it still is so since the first time.
    check(&of(&[&begun, &paused, &paused]), Standing::Paused(at(1)));
    check(&of(&[&begun, &paused, &resumed]), Standing::Go);
    let again = of(&[&begun, &paused, &resumed, &paused]);
    check(&again, Standing::Paused(at(3)));
    check(&of(&[&begun, &cancelled]), Standing::Cancelled);
    // For ever.
    let revived = of(&[&begun, &cancelled, &resumed, &begun]);
    check(&revived, Standing::Cancelled);
    check(&of(&[&begun, &paused, &cancelled]), Standing::Cancelled);
    // What is ordered about another, or before there is a campaign, is for nobody.
    check(&of(&[&begun, &about(Cancelled, "d")]), Standing::Go);
    check(&of(&[&cancelled, &paused]), Standing::Go);
    check(&of(&[&cancelled, &begun]), Standing::Go);
}

#[test]
fn nobody_elses_events_obey() {
    for order in [Order::CampaignCancelled, Order::CampaignPaused] {
        let known = taken(&[started("c", "ops"), about(order, "c")]);
        assert_ne!(
            known.standing(Lane::Bulk, "ops", Some("c")),
            Standing::Go,
            "its own do"
        );
        for (lane, publisher, campaign_id) in [
            (Lane::Urgent, "ops", Some("c")),
            (Lane::Bulk, "password-reset", Some("c")),
            (Lane::Bulk, "ops", Some("C")),
            (Lane::Bulk, "ops", Some("")),
            (Lane::Bulk, "ops", None),
        ] {
            let found = known.standing(lane, publisher, campaign_id);
            assert_eq!(found, Standing::Go, "{lane:?} {publisher} {campaign_id:?}");
        }
    }
}

#[test]
fn a_hold_is_for_all_of_bulk_until_it_is_released() {
    assert_eq!(taken(&[]).bulk_held, None);
    let held = [Order::BulkHeld, Order::BulkHeld];
    assert_eq!(taken(&held).bulk_held, Some(at(0)));
    let released = [Order::BulkHeld, Order::BulkReleased];
    assert_eq!(taken(&released).bulk_held, None);
}

/// A part is counted once, in order, by one publisher: whoever comes second is not heard.
#[test]
fn the_first_manifest_of_a_part_counts() {
    let part = |publisher: &str, part: u32, expected: u64| {
        let mut manifest = manifest("c", publisher, part);
        manifest.expected = expected;
        Order::CampaignStarted(manifest)
    };
    let known = taken(&[
        part("ops", 2, 1), // before the first
        part("ops", 1, 10),
        part("ops", 1, 20),      // again
        part("stranger", 2, 30), // another's
        part("ops", 3, 40),      // before the second
        part("ops", 2, 50),
    ]);
    let campaign = known.campaign("c").unwrap();
    let parts: Vec<_> = campaign.parts.iter().map(|p| p.manifest.expected).collect();
    assert_eq!(parts, [10, 50]);
    assert_eq!(campaign.expected(), 60);
    assert_eq!(campaign.started_at(), Some(at(1)));
    assert!(campaign.is_published_by("ops") && !campaign.is_published_by("stranger"));
    let ids: Vec<_> = known.campaigns().map(|(id, _)| id).collect();
    assert_eq!(ids, ["c"], "one without its first part is none");
    assert_eq!(taken(&[part("ops", 2, 1)]).campaigns().count(), 0);
    let many: Vec<_> = (1..=PARTS_MAX + 1).map(|n| part("ops", n, 1)).collect();
    assert_eq!(
        taken(&many).campaign("c").unwrap().expected(),
        u64::from(PARTS_MAX)
    );
}

#[test]
fn a_checkpoint_goes_only_forward() {
    let point = |part: u32, line: u64, done: bool| {
        Order::CampaignPublished(Checkpoint {
            campaign_id: "c".into(),
            part,
            line,
            published: line,
            done,
        })
    };
    let begun = started("c", "ops");
    let published = |points: &[Order]| {
        let orders: Vec<_> = [std::slice::from_ref(&begun), points].concat();
        let known = taken(&orders);
        let campaign = known.campaign("c").unwrap();
        (campaign.published(), campaign.is_published())
    };
    assert_eq!(published(&[]), (0, false));
    assert_eq!(published(&[point(1, 5, false)]), (5, false));
    let back = [point(1, 5, false), point(1, 3, true)];
    assert_eq!(published(&back), (5, false));
    assert_eq!(
        published(&[point(1, 5, false), point(1, 9, true)]),
        (9, true)
    );
    assert_eq!(published(&[point(0, 5, true)]), (0, false));
    assert_eq!(published(&[point(2, 5, true)]), (0, false), "no such part");
}

#[test]
fn reports_are_kept_in_their_order() {
    let report = |lines: u64| {
        Order::CampaignReported(Anchor {
            campaign_id: "c".into(),
            lines,
            digest: "a7".repeat(32),
            complete: lines == 3,
        })
    };
    let known = taken(&[report(1), started("c", "ops"), report(2), report(3)]);
    let campaign = known.campaign("c").unwrap();
    let lines: Vec<_> = campaign
        .anchors
        .iter()
        .map(|(at, a)| (*at, a.lines))
        .collect();
    assert_eq!(lines, [(at(2), 2), (at(3), 3)]);
}

/// Memory is bounded, and what is forgotten is what began first.
#[test]
fn the_oldest_campaign_is_forgotten_first() {
    let mut known = Orders::default();
    for n in 0..=CAMPAIGNS_MAX {
        // Names in another order than times.
        let id = format!("c{:05}", CAMPAIGNS_MAX - n);
        known.take(record(started(&id, "ops"), i64::try_from(n).unwrap()));
    }
    assert_eq!(known.campaigns().count(), CAMPAIGNS_MAX);
    let oldest = format!("c{CAMPAIGNS_MAX:05}");
    assert!(known.campaign(&oldest).is_none(), "the first to begin");
    assert!(known.campaign("c00000").is_some(), "the last to begin");
}
