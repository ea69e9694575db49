//! The dashboard of an incident: are we logged out yet, and if not, when, and what stands in the way?

use super::{
    Dashboard,
    panel::{CALLS_PER_SECOND, Kind, PER_SECOND, Panel, Row, SECONDS, SHARE},
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        file: "incident.json",
        uid: "revoker-incident",
        title: "Revoker / Are we logged out yet?",
        description: "For an incident: how many sessions that must die are still alive, for how long, and when that ends.",
        range: "now-6h",
        refresh: "10s",
        by_instance: false,
        rows: vec![verdict(), campaigns(), speed(), hindrances()],
    }
}

fn verdict() -> Row {
    Row::new(
        "Verdict",
        vec![
            Panel::new(Kind::Stat, "Workers up?")
                .good("as many as you run")
                .otherwise("nothing below is true any more: start them, see their logs")
                .ask("sum(up{$where}) or vector(0)", "workers")
                .steps("red", &[(1.0, "green")])
                .runbook("RevokerDown"),
            Panel::new(Kind::Stat, "Still alive?")
                .good("0: every event that was published has come to an end; unknown is never 0")
                .otherwise(
                    "see when it will be done, and what stands in the way. Unknown: the queues were not read for a minute",
                )
                .ask(
                    "(sum(max by (job, queue) (revoker_queue_messages{$where,queue!=\"dead\"})) \
                     + sum(revoker_inflight_events{$where})) \
                     and on () (time() - max(revoker_queue_polled_timestamp_seconds{$where}) < 60)",
                    "still alive",
                )
                .none("unknown")
                .turns(&[(1.0, "orange")])
                .runbook("RevokerStalled"),
            Panel::new(Kind::Stat, "How old is the oldest?")
                .good("urgent under 60 s; bulk for as long as its backlog lasts")
                .otherwise("an urgent event that is older than 2 minutes waits for Stytch or for us: see what stands in the way")
                .unit(SECONDS)
                .decimals(0)
                .ask(
                    "(time() - min by (lane) (revoker_oldest_unfinished_event_timestamp_seconds{$where} > 0)) \
                     or 0 * max by (lane) (revoker_oldest_unfinished_event_timestamp_seconds{$where})",
                    "{{lane}}",
                )
                .none("unknown")
                .turns_of("urgent", &[(60.0, "orange"), (120.0, "red")])
                .runbook("RevokerOldestEventTooOld"),
            Panel::new(Kind::Stat, "Given up on?")
                .good("0: no dead letter is left; each is a session that may still live")
                .otherwise("see why below, then revoker dead-letters list; mend the cause and replay them")
                .ask("sum(max by (job) (revoker_queue_messages{$where,queue=\"dead\"}))", "dead letters")
                .none("unknown")
                .turns(&[(1.0, "red")])
                .runbook("RevokerDeadLetterQueueNotEmpty"),
            Panel::new(Kind::Stat, "Done when?")
                .good("sooner than was announced; 0 is done")
                .otherwise("compare allowed and used rate below: ask Stytch for more, or start another worker")
                .unit(SECONDS)
                .decimals(0)
                .ask(
                    "(sum(max by (job, queue) (revoker_queue_messages{$where,queue!=\"dead\"})) \
                     + sum(revoker_inflight_events{$where})) \
                     / (sum(rate(revoker_events_completed_total{$where}[$__rate_interval])) > 0) \
                     or (sum(max by (job, queue) (revoker_queue_messages{$where,queue!=\"dead\"})) \
                     + sum(revoker_inflight_events{$where})) == 0",
                    "from now",
                )
                .none("not at this pace")
                .turns(&[(3600.0, "orange")])
                .runbook("RevokerCampaignTooSlow"),
            Panel::new(Kind::Stat, "Revoked so far?")
                .good("what the incident's list has, over a time range that holds all of it. Counted from scrapes: the exact number is in revoker campaign report")
                .otherwise("see what stands in the way, and whether most were already gone: then it is the wrong list or project")
                .ask("floor(sum(increase(revoker_events_completed_total{$where,outcome=\"revoked\"}[$__range])) + 0.01)", "revoked")
                .none("unknown")
                .turns(&[]),
        ],
    )
}

fn campaigns() -> Row {
    Row::new(
        "Campaigns",
        vec![
            Panel::new(Kind::Bars, "How far is each campaign?")
                .good("100 %, over a time range that holds every start of a worker since the campaign began. The proof is revoker campaign report, not this picture")
                .otherwise("below 100 % and not rising: paused or cancelled, not yet published, or given up on: revoker campaign status")
                .unit(SHARE)
                .up_to(1.0)
                .ask(
                    "clamp_max(floor(sum by (campaign) (increase(revoker_campaign_events_total{$where,campaign!=\"_other\",\
                     outcome=~\"revoked|already_gone|duplicate\"}[$__range]) \
                     + min_over_time(revoker_campaign_events_total{$where,campaign!=\"_other\",\
                     outcome=~\"revoked|already_gone|duplicate\"}[$__range])) + 0.01) \
                     / (max by (campaign) (revoker_campaign_expected_events{$where}) > 0), 1)",
                    "{{campaign}}",
                )
                .none("no campaign")
                .steps("blue", &[(1.0, "green")]),
            Panel::new(Kind::Stack, "How fast does the backlog shrink?")
                .good("a slope down to 0 in every queue")
                .otherwise("flat: see the state and what Stytch answers; rising: more comes in than is allowed to go out")
                .ask("sum by (queue) (max by (job, queue) (revoker_queue_messages{$where,queue!=\"dead\"}))", "{{queue}}"),
            Panel::new(Kind::Table, "What became of each campaign's events?")
                .good("revoked comes near expected; _other is all but the eight newest, and whatever bears no known campaign's id")
                .otherwise("many already gone: the list or the project is wrong; dead-lettered: see why below")
                .ask(
                    "floor(sum by (campaign, outcome) (increase(revoker_campaign_events_total{$where}[$__range]) \
                     + min_over_time(revoker_campaign_events_total{$where}[$__range])) + 0.01) > 0 \
                     or label_replace(max by (campaign) (revoker_campaign_expected_events{$where}) > 0, \"outcome\", \"expected\", \"\", \"\")",
                    "",
                )
                .none("no campaign"),
        ],
    )
}

fn speed() -> Row {
    Row::new(
        "Speed and exposure",
        vec![
            Panel::new(Kind::Stack, "How many end each second, and how?")
                .good("mostly revoked, at the allowed rate")
                .otherwise("mostly already gone: wrong list or project. Dead-lettered: see why below")
                .unit(PER_SECOND)
                .ask("sum by (outcome) (rate(revoker_events_completed_total{$where}[$__rate_interval]))", "{{outcome}}"),
            Panel::new(Kind::Lines, "How long are they exposed?")
                .good("urgent: 99 of 100 within 60 s. Of those that ended: what hangs is not in it, so look at the oldest first")
                .otherwise("see where the time goes, to the right")
                .unit(SECONDS)
                .ask(
                    "label_replace(histogram_quantile(0.5, sum by (le, lane) (rate(revoker_exposure_seconds_bucket{$where}[$__rate_interval]))), \"share\", \"p50\", \"\", \"\") \
                     or label_replace(histogram_quantile(0.99, sum by (le, lane) (rate(revoker_exposure_seconds_bucket{$where}[$__rate_interval]))), \"share\", \"p99\", \"\", \"\")",
                    "{{lane}} {{share}}",
                )
                .turns(&[(60.0, "red")])
                .runbook("RevokerExposureBudgetBurn"),
            Panel::new(Kind::Stack, "Where does the time go?")
                .good("under a second in all but queue, and queue as short as the backlog")
                .otherwise("queue or gate: the rate is the limit; api: Stytch is slow; backoff: it fails; settle: RabbitMQ is slow")
                .unit(SECONDS)
                .ask(
                    "sum by (stage) (rate(revoker_stage_duration_seconds_sum{$where}[$__rate_interval])) \
                     / (sum by (stage) (rate(revoker_stage_duration_seconds_count{$where}[$__rate_interval])) > 0)",
                    "{{stage}}",
                ),
        ],
    )
}

fn hindrances() -> Row {
    Row::new(
        "What stands in the way",
        vec![
            Panel::new(Kind::Stat, "Why not at full speed?")
                .good("nothing stands in the way")
                .otherwise("the word is explained by revoker explain WORD, and in the log of the worker that shows it")
                .ask("sum by (why) (revoker_state_why{$where,why!=\"all_well\"}) > 0", "{{why}}")
                .none("nothing stands in the way")
                .steps("orange", &[])
                .runbook("RevokerOutage"),
            Panel::new(Kind::Stack, "What does Stytch answer?")
                .good("green: revoked; some blue: ended already")
                .otherwise("orange: it limits our rate; red: it fails; dark red: it refuses our credentials")
                .unit(CALLS_PER_SECOND)
                .ask("sum by (result) (rate(revoker_stytch_requests_total{$where}[$__rate_interval]))", "{{result}}"),
            Panel::new(Kind::Lines, "Is the allowed rate used?")
                .good("used is close to allowed while there is a backlog; both are of calls that revoke, those that list have a rate of their own")
                .otherwise("used far below allowed: slots or RabbitMQ are the limit; allowed far below ceiling: Stytch holds us back")
                .unit(CALLS_PER_SECOND)
                .ask("sum(revoker_rate_permits_per_second{$where})", "allowed")
                .ask("sum(revoker_rate_ceiling_permits_per_second{$where} > 0)", "ceiling")
                .ask("sum(rate(revoker_stytch_requests_total{call=\"revoke\",$where}[$__rate_interval]))", "used")
                .runbook("RevokerRateLimited")
                .wide(6),
            Panel::new(Kind::Bars, "Why did we give up?")
                .good("nothing")
                .otherwise("revoker explain CODE says what it means; mend it, then revoker dead-letters replay")
                .ask("floor(sum by (code) (increase(revoker_dead_letters_total{$where}[$__range])) + 0.01) > 0", "{{code}}")
                .none("nothing was given up on")
                .turns(&[(1.0, "red")])
                .runbook("RevokerUrgentDeadLetter")
                .wide(6),
        ],
    )
}
