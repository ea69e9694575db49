//! Of the dashboard of every day: RabbitMQ as the worker sees it, and the process.

use super::super::panel::{BYTES, Kind, PER_SECOND, Panel, Row, SECONDS, SHARE};

pub(super) fn rabbitmq() -> Row {
    Row::new(
        "RabbitMQ",
        vec![
            Panel::new(Kind::Lines, "How deep are the queues?")
                .good("urgent and dead at 0; bulk and retry come back to it")
                .otherwise("dead above 0: see why in the other dashboard")
                .ask("sum by (queue) (max by (job, queue) (revoker_queue_messages{$where}))", "{{queue}}")
                .runbook("RevokerDeadLetterQueueNotEmpty")
                .wide(6),
            Panel::new(Kind::Stat, "How old is the depth?")
                .good("under 15 s")
                .otherwise("a depth that is not read looks like success: see whether the workers are connected")
                .unit(SECONDS)
                .decimals(0)
                .ask("time() - max(revoker_queue_polled_timestamp_seconds{$where} > 0)", "since it was read")
                .none("never read")
                .turns(&[(30.0, "orange"), (60.0, "red")])
                .runbook("RevokerQueueDepthStale")
                .wide(6),
            Panel::new(Kind::Lines, "Does the connection hold?")
                .good("0")
                .otherwise("several an hour: see the log for why, RabbitMQ's log, and what stands between")
                .ask("sum(increase(revoker_amqp_reconnects_total{$where}[$__rate_interval]))", "reconnects")
                .ask("sum by (lane) (increase(revoker_amqp_consumer_cancels_total{$where}[$__rate_interval]))", "{{lane}} cancelled")
                .runbook("RevokerAmqpFlapping")
                .wide(6),
            Panel::new(Kind::Lines, "How many publishes are confirmed?")
                .good("as many outcomes as events end")
                .otherwise("none, while events end: see what is not confirmed, to the right")
                .unit(PER_SECOND)
                .ask("sum by (to) (rate(revoker_amqp_publishes_total{$where,result=\"ack\"}[$__rate_interval]))", "{{to}}")
                .wide(6),
            Panel::new(Kind::Bars, "What was not confirmed?")
                .good("nothing")
                .otherwise("returned: no queue is bound; nack: it is full or may not be written to; timeout: RabbitMQ is slow, and the message may come twice")
                .ask("floor(sum by (to, result) (increase(revoker_amqp_publishes_total{$where,result!=\"ack\"}[$__range])) + 0.01) > 0", "{{to}} {{result}}")
                .none("all is confirmed")
                .turns(&[(1.0, "red")])
                .runbook("RevokerPublishFailing")
                .wide(8),
            Panel::new(Kind::Bars, "What was dead-lettered?")
                .good("nothing")
                .otherwise("revoker explain CODE says what it means; mend it, then revoker dead-letters replay")
                .ask("floor(sum by (code) (increase(revoker_dead_letters_total{$where}[$__range])) + 0.01) > 0", "{{code}}")
                .none("nothing was given up on")
                .turns(&[(1.0, "red")])
                .runbook("RevokerUrgentDeadLetter")
                .wide(8),
            Panel::new(Kind::Stat, "Which of them hold a credential?")
                .good("0")
                .otherwise("the token of a session that was not revoked lies sealed in the dead letters: replay it first")
                .ask("floor(sum by (lane) (increase(revoker_dead_letters_sealed_total{$where}[$__range])) + 0.01)", "{{lane}}")
                .none("unknown")
                .turns(&[(1.0, "red")])
                .runbook("RevokerSealedDeadLetter")
                .wide(8),
        ],
    )
}

pub(super) fn process() -> Row {
    Row::new(
        "Process",
        vec![
            Panel::new(Kind::Lines, "How much CPU does it take?")
                .good("under one core at a thousand events a second")
                .otherwise("at the limit it was given: the limit sets the pace")
                .unit(SHARE)
                .ask("rate(process_cpu_seconds_total{$where}[$__rate_interval])", "{{instance}}")
                .wide(6),
            Panel::new(Kind::Lines, "How much memory?")
                .good("level, below its limit")
                .otherwise("rising for hours: report it, with the log")
                .unit(BYTES)
                .ask("process_resident_memory_bytes{$where}", "{{instance}}")
                .wide(6),
            Panel::new(Kind::Lines, "How many file descriptors?")
                .good("under 50 %")
                .otherwise("rising: connections that are not closed; raise the limit and report it")
                .unit(SHARE)
                .up_to(1.0)
                .ask("process_open_fds{$where} / (process_max_fds{$where} > 0)", "{{instance}}")
                .turns(&[(0.8, "orange")])
                .runbook("RevokerCrashLooping")
                .wide(6),
            Panel::new(Kind::Lines, "What does it complain of?")
                .good("no errors, no panics, a warning at each change for the worse")
                .otherwise("read the log at that time; a panic is a bug: please report it")
                .ask("sum by (level) (increase(revoker_log_events_total{$where,level=~\"error|warn\"}[$__rate_interval]))", "{{level}}")
                .ask("sum(increase(revoker_task_panics_total{$where}[$__rate_interval]))", "panics")
                .runbook("RevokerTaskPanics")
                .wide(6),
        ],
    )
}
