//! TLS against a real RabbitMQ with a CA of its own: what works, what is refused and what is said of it.
//!
//! One node for all: beside the listener of its configuration it opens one for each way to refuse us.

use std::{fs, path::Path, time::Duration};

use futures_util::future::join_all;
use tokio::time::sleep;

use crate::harness::{
    Event, PATIENCE, World,
    certificates::{Certificates, free_port},
    wait,
    worker::{Settings, Worker},
};

const CA_FILE: &str = "REVOKER_AMQP_CA_FILE";
const CERT_FILE: &str = "REVOKER_AMQP_CLIENT_CERT_FILE";
const KEY_FILE: &str = "REVOKER_AMQP_CLIENT_KEY_FILE";
const EXIT_FAILED: i32 = 1;
/// The user that our certificate names.
const USER: &str = "revoker";

/// A broker with TLS, and who vouches for whom.
struct Tls {
    world: World,
    /// The broker's CA, and what it has issued.
    ours: Certificates,
    /// Another one.
    theirs: Certificates,
    /// The listener of the configuration: asks for a certificate, and does not insist.
    port: u16,
}

/// How a listener differs.
struct Listener {
    port: u16,
    certificate: &'static str,
    options: &'static str,
}

impl Listener {
    fn new(certificate: &'static str, options: &'static str) -> Self {
        let port = free_port();
        Self {
            port,
            certificate,
            options,
        }
    }
}

impl Tls {
    async fn start(name: &str) -> Self {
        let (ours, theirs, port) = (Certificates::new(), Certificates::new(), free_port());
        ours.issue(USER, "DNS:worker.example");
        theirs.issue(USER, "DNS:worker.example");
        let path = |name| ours.path(name).display().to_string();
        let configuration = format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n\
             auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\nssl_cert_login_from = common_name\n",
            path("ca.pem"),
            path("server.pem"),
            path("server.key"),
        );
        let plugin = "rabbitmq_auth_mechanism_ssl";
        let world = World::with_plugins(name, &configuration, plugin).await;
        Self {
            world,
            ours,
            theirs,
            port,
        }
    }

    /// Opens listeners beside the one of the configuration.
    async fn listen(&self, listeners: &[&Listener]) {
        let path = |name: &str| self.ours.path(name).display().to_string();
        let open = listeners.iter().map(|listener| {
            let Listener { port, certificate, options } = listener;
            let (ca, certificate, key) = (
                path("ca.pem"),
                path(&format!("{certificate}.pem")),
                path(&format!("{certificate}.key")),
            );
            format!(
                "{{ok,_}} = Open({{\"127.0.0.1\",{port}}}, [{{cacertfile,\"{ca}\"}},{{certfile,\"{certificate}\"}},{{keyfile,\"{key}\"}}{options}])"
            )
        });
        let open: Vec<_> = open.collect();
        // RabbitMQ 3.12 has one argument more.
        let eval = format!(
            "Open = fun(L, O) -> case erlang:function_exported(rabbit_networking, start_ssl_listener, 4) of \
             true -> rabbit_networking:start_ssl_listener(L, O, 1, 1); \
             false -> rabbit_networking:start_ssl_listener(L, O, 1) end end, {}.",
            open.join(", ").replace("{ok,_} = ", "")
        );
        self.world.node().ctl(&["eval", &eval]).await;
    }

    /// A worker that connects there, as guest, and trusts the broker's CA.
    fn worker(&self, host: &str, port: u16) -> Settings<'_> {
        self.at(&format!("amqps://guest:guest@{host}:{port}/%2f"))
    }

    fn at(&self, url: &str) -> Settings<'_> {
        let worker = self.world.worker().set("REVOKER_AMQP_URL", url);
        worker.set(CA_FILE, self.ours.path("ca.pem").display())
    }

    /// One that logs in by a certificate of that CA.
    fn certified(&self, by: &Certificates, port: u16) -> Settings<'_> {
        let worker = self.at(&format!("amqps://127.0.0.1:{port}/%2f"));
        let worker = worker.set(CERT_FILE, by.path("revoker.pem").display());
        worker.set(KEY_FILE, by.path("revoker.key").display())
    }
}

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
        messages.any(|m| m.starts_with("no session with the broker: ") && m.contains(said))
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

    let local = "127.0.0.1";
    let other_ca = tls.theirs.path("ca.pem");
    let plain_port = tls.world.broker.url.rsplit(':').next().unwrap();
    let plain_port = plain_port.split('/').next().unwrap().parse().unwrap();
    let cases = [
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
    ];
    join_all(cases.map(|(worker, why, said)| refused(worker, why, said))).await;

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

/// Files that are replaced under a worker are used at the next connect; one that is broken meanwhile is named.
async fn replaced(tls: &Tls) {
    let file = tls.world.file("ca.pem");
    copy(&tls.ours.path("ca.pem"), &file);
    let worker = tls
        .worker("127.0.0.1", tls.port)
        .set(CA_FILE, file.display());
    let mut worker = worker.start().await;
    // The broker is given a certificate by another CA.
    for name in ["server.pem", "server.key"] {
        copy(&tls.theirs.path(name), &tls.ours.path(name));
    }
    let close =
        "ssl:clear_pem_cache(), rabbit_networking:close_all_connections(<<\"by a test\">>).";
    tls.world.node().ctl(&["eval", close]).await;
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

/// Replaces a file as an orchestrator does, whole or not at all.
fn copy(from: &Path, to: &Path) {
    let new = to.with_extension("new");
    fs::copy(from, &new).unwrap();
    fs::rename(new, to).unwrap();
}
