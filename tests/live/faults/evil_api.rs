//! The API answers a byte a second, with a body of 1 GiB, or with headers that do not end, to as many
//! calls at once as the worker makes.

use std::{fs, time::Duration};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::{
    evil::{Evil, Server},
    form::form,
    row::{Row, proc_kib},
};
use crate::harness::{PATIENCE, World, ledger::Ledger, metrics::Metrics, wait, worker::Worker};

/// For all of a call.
const DEADLINE: &str = "5s";
/// A bucket's bound above it, with room for a busy machine.
const DEADLINE_BUCKET: &str = "10";
/// Calls on the wire at once: the default.
const SLOTS: usize = 200;
/// The memory that evil answers may cost beyond what late ones do.
const RSS_KIB_GROWTH_MAX: u64 = 5 << 10;
/// What the HTTP library keeps of one header, at most, for each call on the wire: it has no setting.
const HEADER_KIB_MAX: u64 = 408;
/// What is read of a body, at most, for each call on the wire. On a quiet machine few are read at once.
const BODY_KIB_MAX: u64 = 64;
/// What one connection may take of an answer that does not end: a body's limit is 64 KiB, the rest is
/// what the kernels of both sides keep in their buffers.
const TAKEN_BYTES_MAX: u64 = 16 << 20;

/// An evil, how each of its calls ends, and what it may cost.
struct Way(&'static str, Evil, &'static str, u64);

const WAYS: [Way; 7] = {
    let head = RSS_KIB_GROWTH_MAX;
    let body = RSS_KIB_GROWTH_MAX + SLOTS as u64 * BODY_KIB_MAX;
    let header = RSS_KIB_GROWTH_MAX + SLOTS as u64 * HEADER_KIB_MAX;
    [
        Way("slow head", Evil::SlowHead, "timeout", head),
        Way("slow body", Evil::SlowBody, "timeout", head),
        Way("body of 1 GiB", Evil::HugeBody, "invalid_response", body),
        Way("endless body", Evil::EndlessBody, "invalid_response", body),
        Way("endless headers", Evil::EndlessHeaders, "network", head),
        Way("endless header", Evil::EndlessHeader, "network", header),
        Way("held header", Evil::HeldHeader, "timeout", header),
    ]
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_12_evil_api() {
    let lasts = Duration::from_secs(form(5, 10, 60));
    join_all(WAYS.map(|way| check(way, lasts))).await;
}

async fn check(Way(name, evil, end, growth_max): Way, lasts: Duration) {
    let mut row = Row::new(12, name);
    let world = World::new("evil").await;
    let server = Server::before(&world.sandbox.url).await;
    let worker = world.worker().set("REVOKER_STYTCH_BASE_URL", &server.url);
    let worker = worker.set("REVOKER_CALL_TIMEOUT", DEADLINE);
    let mut worker = worker.set("REVOKER_START_RATE", "2000/s").start().await;
    let ledger = Ledger::of_good(&world, 4 * SLOTS).await;
    let (first, then) = ledger.events.split_at(2 * SLOTS);

    server.be(Evil::Late);
    world.broker.publish(first).await;
    wait::until("late answers are taken", PATIENCE, async || {
        world.sandbox.revoked().await == first.len() as u64
    })
    .await;
    let late_kib = peak_kib(&worker);
    row.begins(&worker);
    forget_peak(&worker);
    let before = worker.metrics().await;
    server.be(evil);
    world.broker.publish(then).await;
    wait::until("the API counts as out", PATIENCE, async || {
        worker.metrics().await.state() == "outage"
    })
    .await;
    sleep(lasts).await;
    row.faults += check_calls(&before, &worker.metrics().await, end);
    let (peak_kib, taken) = (peak_kib(&worker), server.taken_max());
    eprintln!("{name}: peak {peak_kib} KiB, {late_kib} when late; {taken} bytes sent in vain");
    assert!(taken <= TAKEN_BYTES_MAX, "{name}: {taken} bytes were taken");
    assert!(
        peak_kib <= late_kib + growth_max,
        "{name}: {peak_kib} KiB at most, {late_kib} when answers are late"
    );

    // Every slot had such a call: with one that is not freed, this would take for ever.
    server.be(Evil::No);
    ledger.settled(&world, PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
}

/// Every call that failed since ended as it should and in time; returns how many there were.
fn check_calls(before: &Metrics, after: &Metrics, end: &str) -> u64 {
    let calls = "revoker_stytch_requests_total";
    let of = |result| {
        let [after, before] = [after, before].map(|m| m.sum(calls, &[("result", result)]));
        after - before
    };
    let failures = ["timeout", "network", "invalid_response", "server_error"];
    let failed: f64 = failures.into_iter().map(of).sum();
    assert!(failed >= 5.0, "{failed} calls failed");
    let otherwise = failures.map(|failure| (failure, of(failure)));
    assert_eq!(of(end), failed, "{otherwise:?}");
    let took = "revoker_stytch_request_duration_seconds";
    let in_time = after.sum(&format!("{took}_bucket"), &[("le", DEADLINE_BUCKET)]);
    assert_eq!(in_time, after.sum(&format!("{took}_count"), &[]));
    failed as u64
}

/// The most memory in RAM that a worker had since its start or since it was forgotten, KiB.
fn peak_kib(worker: &Worker) -> u64 {
    proc_kib(worker.process.pid(), "VmHWM:")
}

/// Has the kernel measure anew. Only root may: a worker is closed to its own user. Without it the peak is
/// that since the start, which is judged no more mildly.
fn forget_peak(worker: &Worker) {
    let file = format!("/proc/{}/clear_refs", worker.process.pid());
    let _ = fs::write(file, "5");
}
