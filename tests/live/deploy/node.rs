//! A broker with TLS and a CA of its own, and listeners that refuse us, each in its way.

use std::{fs, path::Path};

use crate::harness::{
    World,
    certificates::{Certificates, free_port},
    worker::Settings,
};

pub(super) const CA_FILE: &str = "REVOKER_AMQP_CA_FILE";
pub(super) const CERT_FILE: &str = "REVOKER_AMQP_CLIENT_CERT_FILE";
pub(super) const KEY_FILE: &str = "REVOKER_AMQP_CLIENT_KEY_FILE";
/// The user that our certificate names.
pub(super) const USER: &str = "revoker";

/// A broker with TLS, and who vouches for whom.
pub(super) struct Tls {
    pub(super) world: World,
    /// The broker's CA, and what it has issued.
    pub(super) ours: Certificates,
    /// Another one.
    pub(super) theirs: Certificates,
    /// The listener of the configuration: asks for a certificate, and does not insist.
    pub(super) port: u16,
}

/// How a listener differs.
pub(super) struct Listener {
    pub(super) port: u16,
    certificate: &'static str,
    options: &'static str,
}

impl Listener {
    pub(super) fn new(certificate: &'static str, options: &'static str) -> Self {
        let port = free_port();
        Self {
            port,
            certificate,
            options,
        }
    }
}

impl Tls {
    pub(super) async fn start(name: &str) -> Self {
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
    pub(super) async fn listen(&self, listeners: &[&Listener]) {
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

    /// The broker has a certificate by another CA from now on, and all must connect again.
    pub(super) async fn serve_theirs(&self) {
        for name in ["server.pem", "server.key"] {
            copy(&self.theirs.path(name), &self.ours.path(name));
        }
        self.close_connections().await;
    }

    /// The broker reads its files again, and all must connect again.
    pub(super) async fn close_connections(&self) {
        let close =
            "ssl:clear_pem_cache(), rabbit_networking:close_all_connections(<<\"by a test\">>).";
        self.world.node().ctl(&["eval", close]).await;
    }

    /// A worker that connects there, as guest, and trusts the broker's CA.
    pub(super) fn worker(&self, host: &str, port: u16) -> Settings<'_> {
        self.at(&format!("amqps://guest:guest@{host}:{port}/%2f"))
    }

    fn at(&self, url: &str) -> Settings<'_> {
        let worker = self.world.worker().set("REVOKER_AMQP_URL", url);
        worker.set(CA_FILE, self.ours.path("ca.pem").display())
    }

    /// One that logs in by a certificate of that CA.
    pub(super) fn certified(&self, by: &Certificates, port: u16) -> Settings<'_> {
        let worker = self.at(&format!("amqps://127.0.0.1:{port}/%2f"));
        let worker = worker.set(CERT_FILE, by.path("revoker.pem").display());
        worker.set(KEY_FILE, by.path("revoker.key").display())
    }
}

/// Replaces a file as an orchestrator does, whole or not at all.
pub(super) fn copy(from: &Path, to: &Path) {
    let new = to.with_extension("new");
    fs::copy(from, &new).unwrap();
    fs::rename(new, to).unwrap();
}
