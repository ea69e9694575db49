//! Refusals of plain values and times: each with the text that says what to do, without the value.

use serde_json::json;

use super::*;

#[test]
fn plain_fields() {
    let id = "bad_format: id must be 1 to 128 letters, digits, . _ : or -; use a new UUID for each event";
    let reason = "bad_format: reason must be lower-case letters, digits and _ (such as password_reset), at most 64 characters";
    let actor = "bad_format: actor must be 1 to 128 visible ASCII characters, without spaces";
    let campaign = "bad_format: campaign_id must be 1 to 64 letters, digits, . _ or -";
    let initiated_by = "bad_format: initiated_by must be one of admin, user, policy, system";
    let rows = [
        ("id", "".to_owned(), id),
        ("id", "a b".to_owned(), id),
        ("id", "ä".to_owned(), id),
        ("id", "a\0".to_owned(), id),
        ("id", "a".repeat(129), id),
        ("reason", "Password reset!".to_owned(), reason),
        ("reason", "1st".to_owned(), reason),
        ("reason", "".to_owned(), reason),
        ("reason", "a".repeat(65), reason),
        ("reason", CANARY.to_owned(), reason),
        ("actor", "a b".to_owned(), actor),
        ("actor", "a".repeat(129), actor),
        ("campaign_id", "a:b".to_owned(), campaign),
        ("campaign_id", "a".repeat(65), campaign),
        ("initiated_by", CANARY.to_owned(), initiated_by),
        ("initiated_by", "Admin".to_owned(), initiated_by),
        (
            "note",
            "ä".repeat(257),
            "bad_format: note has 257 characters, the limit is 256; shorten it",
        ),
        (
            "note",
            "SECRET_CANARY\n".to_owned(),
            "control_character: note has a control character (at character 14); write it as one line of text",
        ),
        (
            "note",
            "\u{9b}31m".to_owned(),
            "control_character: note has a control character (at character 1); write it as one line of text",
        ),
        (
            "project_id",
            CANARY.to_owned(),
            "wrong_project: project_id is not the project that this worker serves; publish to that project's worker",
        ),
    ];
    for (field, value, wanted) in rows {
        check_change(json!({ field: value }), wanted);
    }
}

#[test]
fn missing_fields() {
    // A null in `body` takes the field out.
    check_change(
        json!({"id": null}),
        "field_missing: id is required; use a new UUID for each event",
    );
    check_change(
        json!({"type": null}),
        "field_missing: type is required; write session.revoke.v1",
    );
    check_change(
        json!({"reason": null}),
        "field_missing: reason is required; say why in one word, such as password_reset",
    );
    check_change(
        json!({"occurred_at": null}),
        "field_missing: occurred_at is required; give the time just before the change, such as 2026-11-22T06:30:00Z",
    );
    check_change(
        json!({"session_id": null}),
        "target_missing: no target; give exactly one of session_id, session_token, session_jwt, user_id",
    );
    // Without a target nobody knows whether a cutoff was right.
    check_change(
        json!({"session_id": null, "cutoff": "2026-11-22T06:00:00Z"}),
        "target_missing: no target; give exactly one of session_id, session_token, session_jwt, user_id",
    );
}

#[test]
fn times() {
    let no_zone = "has no time zone";
    let other = "is not an RFC 3339 time";
    let no_such = "is not a date and time that exists";
    let rows = [
        ("2026-11-22T06:30:00", no_zone),
        ("2026-11-22T06:30:00.5", no_zone),
        ("2026-11-22 06:30:00Z", other),
        ("2026-11-22T06:30:00[Europe/Berlin]", other),
        ("2026-11-22T06:30:00+01:00[Europe/Berlin]", other),
        ("2026-11-22T06:30:00Z[u-ca=hebrew]", other),
        ("2026-11-22T06:30Z", other),
        ("2026-11-22T06:30:00+01", other),
        ("2026-11-22T06:30:00+0100", other),
        ("2026-11-22T06:30:00+24:00", other),
        ("2026-11-22T06:30:00,5Z", other),
        ("2026-11-22T06:30:00.Z", other),
        ("2026-11-22T06:30:00.1234567890Z", other),
        ("20261122T063000Z", other),
        ("+002026-11-22T06:30:00Z", other),
        ("2026-11-22", other),
        ("1795329000", other),
        ("Sun, 22 Nov 2026 06:30:00 GMT", other),
        ("2026-11-22T06:30:0ä", other),
        ("", other),
        (CANARY, other),
        ("2026-02-30T06:30:00Z", no_such),
        ("2026-11-22T25:30:00Z", no_such),
        ("2026-11-22T06:30:00+01:60", no_such),
    ];
    for (field, (value, what)) in ["occurred_at", "cutoff", "not_after"]
        .into_iter()
        .flat_map(|field| rows.map(|row| (field, row)))
    {
        let wanted = format!("bad_time: {field} {what}; write it as 2026-11-22T06:30:00Z");
        check_change(
            json!({"session_id": null, "user_id": USER, field: value}),
            &wanted,
        );
    }
}
