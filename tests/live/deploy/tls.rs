//! TLS against a real RabbitMQ with a CA of its own: what works, what is refused and what is said of it.
//!
//! One node for all.

use std::{fs, time::Duration};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::{
    book::Book,
    node::{CA_FILE, CERT_FILE, KEY_FILE, Listener, Tls, USER, copy},
};
use crate::harness::{
    Event, PATIENCE, wait,
    worker::{Settings, Worker},
};

const NO_SESSION: &str = "no session with the broker: ";
const EXIT_FAILED: i32 = 1;
/// Commands that connect to the broker, beside `check` and `run`.
const COMMANDS: &[&[&str]] = &[
    &["campaign", "list"],
    &["dead-letters", "list"],
    &[
        "publish",
        "--reason",
        "test",
        "--session-id",
        "session-test-00000000-0000-4000-8000-000000000000",
    ],
];

/// It is refused: `check`, the log and `/readyz` say so.
async fn refused(worker: Settings<'_>, why: &str, said: &str) {
    let report = worker.once(&["check", "--json"]).await;
    assert_eq!(report.code, EXIT_FAILED, "{said}: {report:?}");
    let report = report.json();
    let lines = report["lines"].as_array().unwrap().iter();
    let failed: Vec<_> = lines.filter(|line| line["verdict"] == "failed").collect();
    let [line] = &failed[..] else {
        panic!("{said}: {report:#}")
    };
    let told = format!(
        "{}; {}",
        line["said"].as_str().unwrap(),
        line["do"].as_str().unwrap()
    );
    assert!(
        line["check"] == "broker" && told.contains(said),
        "{said}: {told}"
    );

    let mut worker = worker.launch().await;
    is_away(&worker, why, said).await;
    assert!(worker.terminate().await.0.success());
}

/// The worker says why it has no session, and is not ready.
async fn is_away(worker: &Worker, why: &str, said: &str) {
    wait::until(&format!("it says {said}"), PATIENCE, async || {
        let log = worker.log();
        let mut messages = log.iter().filter_map(|line| line["message"].as_str());
        messages.any(|m| m.starts_with(NO_SESSION) && m.contains(said))
            && worker.shown().await["why"] == why
    })
    .await;
    let shown = worker.shown().await;
    assert_eq!(
        (&shown["ready"], &shown["state"]),
        (&false.into(), &"broker".into()),
        "{shown}"
    );
    assert!(shown["reason"].as_str().unwrap().contains("; "), "{shown}");
}

/// It works there: an event comes to its end.
async fn works(tls: &Tls, worker: Settings<'_>) {
    let report = worker.once(&["check", "--json"]).await;
    let mut worker = worker.start().await;
    let session = tls.world.sandbox.seed_sessions(1).await.remove(0);
    tls.world
        .broker
        .publish_one(&Event::session(&session))
        .await;
    until_revoked(tls, &session).await;
    assert!(worker.terminate().await.0.success());
    // Before the first worker the topology lacks; all else is well.
    let broker = report.json()["lines"]
        .as_array()
        .unwrap()
        .iter()
        .any(|line| line["check"] == "broker" && line["verdict"] == "ok");
    assert!(broker, "{report:?}");
}

async fn until_revoked(tls: &Tls, session: &str) {
    wait::until("it is revoked", PATIENCE, async || {
        tls.world.sandbox.sessions().await[session]
            .revoked_at_ms
            .is_some()
    })
    .await;
}

#[tokio::test]
async fn a_private_ca_and_a_certificate_of_ours_work_and_what_is_wrong_is_told() {
    let tls = Tls::start("tls-deployed").await;
    tls.ours.issue_expired("expired", "IP:127.0.0.1");
    let must = ",{verify,verify_peer},{fail_if_no_peer_cert,true}";
    let expired = Listener::new("expired", "");
    let old = Listener::new("server", ",{versions,['tlsv1.1']}");
    let insists = Listener::new("server", must);
    let insists_1_2 = Listener::new(
        "server",
        ",{verify,verify_peer},{fail_if_no_peer_cert,true},{versions,['tlsv1.2']}",
    );
    tls.listen(&[&expired, &old, &insists, &insists_1_2]).await;
    let node = tls.world.node();
    node.ctl(&["add_user", USER, "nobody knows it"]).await;
    node.ctl(&["set_permissions", USER, ".*", ".*", ".*"]).await;

    works(&tls, tls.worker("127.0.0.1", tls.port)).await;
    works(&tls, tls.certified(&tls.ours, tls.port)).await;
    works(&tls, tls.certified(&tls.ours, insists_1_2.port)).await;
    let certified = tls.certified(&tls.ours, insists.port);
    for command in COMMANDS {
        let ended = certified.once(command).await;
        assert_eq!(ended.code, 0, "{command:?}: {ended:?}");
    }

    let cases = wrong(&tls, &expired, &old, [&insists, &insists_1_2]);
    join_all(cases.map(|(worker, why, said)| refused(worker, why, said))).await;

    by_the_book(&tls).await;
    // A certificate that is good, and no user's.
    node.ctl(&["delete_user", USER]).await;
    refused(
        tls.certified(&tls.ours, tls.port),
        "client_certificate_refused",
        "our certificate is no user's",
    )
    .await;
    replaced(&tls).await;
}

/// Who is refused: why, and what is said of it.
fn wrong<'t>(
    tls: &'t Tls,
    expired: &Listener,
    old: &Listener,
    [insists, insists_1_2]: [&Listener; 2],
) -> [(Settings<'t>, &'static str, &'static str); 10] {
    let local = "127.0.0.1";
    let other_ca = tls.theirs.path("ca.pem");
    let plain_port = tls.world.broker.url.rsplit(':').next().unwrap();
    let plain_port = plain_port.split('/').next().unwrap().parse().unwrap();
    [
        (
            tls.worker("localhost", tls.port),
            "certificate_refused",
            "is for 127.0.0.1, not for localhost; use its name in REVOKER_AMQP_URL",
        ),
        (
            tls.worker(local, tls.port).set(CA_FILE, other_ca.display()),
            "certificate_refused",
            "is not signed by a CA in the file of REVOKER_AMQP_CA_FILE; ",
        ),
        (
            tls.worker(local, tls.port).without(CA_FILE),
            "certificate_refused",
            "is not signed by a CA that this system trusts; name a file with its CA's certificate in REVOKER_AMQP_CA_FILE",
        ),
        (
            tls.worker(local, expired.port),
            "certificate_refused",
            "RabbitMQ's certificate expired at 2",
        ),
        (
            tls.worker(local, old.port),
            "tls_failed",
            "does not offer TLS 1.2 or 1.3",
        ),
        (
            tls.worker(local, plain_port),
            "tls_failed",
            "does not speak TLS; check the port in REVOKER_AMQP_URL",
        ),
        (
            tls.worker(local, insists.port),
            "client_certificate_refused",
            "wants a certificate of ours",
        ),
        (
            tls.worker(local, insists_1_2.port),
            "client_certificate_refused",
            "wants a certificate of ours",
        ),
        (
            tls.certified(&tls.theirs, insists.port),
            "client_certificate_refused",
            "refuses our certificate",
        ),
        (
            tls.certified(&tls.theirs, insists_1_2.port),
            "client_certificate_refused",
            "refuses our certificate",
        ),
    ]
}

/// The CA, and our certificate, are replaced by the steps of SECRETS.md, and the worker never has to wait.
async fn by_the_book(tls: &Tls) {
    let node = tls.world.node();
    let file = |name| tls.world.file(name);
    let (ca, certificate, key) = (file("book.pem"), file("book.cert"), file("book.key"));
    copy(&tls.ours.path("ca.pem"), &ca);
    copy(&tls.ours.path("revoker.pem"), &certificate);
    copy(&tls.ours.path("revoker.key"), &key);
    let settings = || {
        let worker = tls
            .certified(&tls.ours, tls.port)
            .set(CA_FILE, ca.display());
        let worker = worker.set(CERT_FILE, certificate.display());
        worker.set(KEY_FILE, key.display())
    };
    let mut worker = settings().start().await;
    let mut book = Book::at("Certificates", &tls.world, node.folder());
    let new_ca = tls.theirs.path("ca.pem").display().to_string();
    let old = ["server.pem", "server.key"].map(|name| fs::read(tls.ours.path(name)).unwrap());
    book.run(&settings(), &[("NEW_CA", &new_ca)]).await;
    tls.serve_theirs().await;
    reconnected(&worker, 1).await;
    book.run(&settings(), &[("NEW_CA", &new_ca)]).await;
    tls.ours.issue(USER, "DNS:worker.example");
    let [new_key, new_certificate] =
        ["revoker.key", "revoker.pem"].map(|name| tls.ours.path(name).display().to_string());
    let own = [
        ("NEW_KEY", new_key.as_str()),
        ("NEW_CERTIFICATE", &new_certificate),
    ];
    book.run(&settings(), &own).await;
    book.close();
    tls.close_connections().await;
    reconnected(&worker, 2).await;
    let log = worker.log();
    let mut said = log.iter().filter_map(|line| line["message"].as_str());
    assert!(
        said.all(|message| !message.starts_with(NO_SESSION)),
        "{log:#?}"
    );
    assert!(worker.terminate().await.0.success());
    for (name, bytes) in ["server.pem", "server.key"].into_iter().zip(old) {
        fs::write(tls.ours.path(name), bytes).unwrap();
    }
    tls.close_connections().await;
}

/// The worker has made its session so many times again.
async fn reconnected(worker: &Worker, times: u32) {
    wait::until("it has connected again", PATIENCE, async || {
        let metrics = worker.metrics().await;
        metrics.sum("revoker_amqp_reconnects_total", &[]) >= f64::from(times)
            && worker.is_ready().await
    })
    .await;
}

/// Files that are replaced under a worker are used at the next connect; one that is broken meanwhile is named.
async fn replaced(tls: &Tls) {
    let file = tls.world.file("ca.pem");
    copy(&tls.ours.path("ca.pem"), &file);
    let worker = tls
        .worker("127.0.0.1", tls.port)
        .set(CA_FILE, file.display());
    let mut worker = worker.start().await;
    tls.serve_theirs().await;
    is_away(
        &worker,
        "certificate_refused",
        "is not signed by a CA in the file",
    )
    .await;
    fs::write(&file, "not yet").unwrap();
    let said = format!("{CA_FILE} names the file {file:?}, which holds no certificate; ");
    is_away(&worker, "tls_file", &said).await;
    sleep(Duration::from_secs(1)).await;
    assert!(worker.process.ended().is_none(), "it has ended");
    copy(&tls.theirs.path("ca.pem"), &file);
    worker.until_ready().await;
    let session = tls.world.sandbox.seed_sessions(1).await.remove(0);
    tls.world
        .broker
        .publish_one(&Event::session(&session))
        .await;
    until_revoked(tls, &session).await;
    assert!(worker.terminate().await.0.success());
}
