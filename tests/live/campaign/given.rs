//! A campaign as it stands in the streams, without a worker: manifests and outcomes that we publish.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use revoker::campaign::{EventHash, Kind, Manifest, Order, Record, control::Checkpoint, id};
use serde_json::{Value, json};

use crate::harness::{Event, World, once::Ended, sandbox::PROJECT_ID};

pub(super) const ID: &str = "leak-2026";
const CUTOFF: &str = "2026-11-28T10:00:00Z";

/// The n-th user.
pub(super) fn user(n: u32) -> String {
    format!("user-test-00000000-0000-4000-8000-{n:012}")
}

fn hash(n: u32) -> EventHash {
    EventHash::new(ID, Kind::User, &user(n))
}

/// The manifest of the only part, which asks for users 1 to `count`.
pub(super) fn manifest(count: u32, audit_offset: u64) -> Manifest {
    let mut hashes: Vec<_> = (1..=count).map(hash).collect();
    hashes.sort();
    let mut xor = EventHash::default();
    hashes.iter().for_each(|hash| xor.xor(*hash));
    Manifest {
        campaign_id: ID.to_owned(),
        part: 1,
        project_id: PROJECT_ID.to_owned(),
        publisher: "campaign".to_owned(),
        target_kind: "user".to_owned(),
        expected: u64::from(count),
        xor: xor.to_string(),
        digest: id::digest(Kind::User, &hashes),
        cutoff: CUTOFF.parse().unwrap(),
        occurred_at: CUTOFF.parse().unwrap(),
        reason: "security_incident".to_owned(),
        audit_offset,
        drill: false,
    }
}

/// The outcome of a user's event, with some fields changed.
pub(super) fn outcome(n: u32, changed: Value) -> Event {
    let mut body = json!({
        "type": "session.revoke.outcome.v1",
        "event_id": id::event_id(ID, 1, hash(n)),
        "campaign_id": ID,
        "publisher": "campaign",
        "publisher_verified": false,
        "lane": "bulk",
        "outcome": "revoked",
        "target_kind": "user",
        "target": user(n),
        "sessions": 2,
        "sessions_newer": 0,
        "cutoff": CUTOFF,
        "attempts": 0,
        "request_id": format!("request-id-test-{n}"),
        "completed_at": "2026-11-28T10:10:00Z",
        "exposure_seconds": 600.5,
        "safe_at": "2026-11-28T10:15:00Z",
    });
    let fields = body.as_object_mut().unwrap();
    fields.extend(changed.as_object().unwrap().clone());
    Event::raw(body.to_string()).in_exchange("outcomes")
}

/// A worker's word of itself, which stands among the outcomes.
pub(super) fn state() -> Event {
    let body = json!({
        "type": "revoker.worker.state.v1", "worker": "w", "at": CUTOFF, "state": "flowing",
        "why": "", "since": CUTOFF, "rate": 100.0,
    });
    Event::raw(body.to_string()).in_exchange("outcomes")
}

impl World {
    /// Publishes the manifest, and that all of it is published.
    pub(super) async fn begin(&self, manifest: Manifest) {
        let point = Checkpoint {
            campaign_id: ID.to_owned(),
            part: 1,
            line: manifest.expected,
            published: manifest.expected,
            done: true,
        };
        let orders = [
            Order::CampaignStarted(manifest),
            Order::CampaignPublished(point),
        ];
        let records = orders.map(|order| {
            let why = Some("the keys leaked".to_owned());
            let record = Record::new(order, "alice@ops".into(), why, CUTOFF.parse().unwrap());
            Event::raw(record.write()).in_exchange("control")
        });
        self.broker.publish(&records).await;
    }

    /// A campaign of so many users, all revoked.
    pub(super) async fn with_campaign(name: &str, count: u32) -> Self {
        let world = Self::new(name).await;
        world.declare().await;
        world.begin(manifest(count, 0)).await;
        let outcomes: Vec<_> = (1..=count).map(|n| outcome(n, json!({}))).collect();
        world.broker.publish(&outcomes).await;
        world
    }

    /// `revoker campaign` with a worker's settings and these arguments.
    pub(super) async fn campaign(&self, arguments: &[&str]) -> Ended {
        let arguments = [&["campaign"], arguments].concat();
        self.worker().once(&arguments).await
    }

    /// The same, without a broker.
    pub(super) async fn offline(&self, arguments: &[&str]) -> Ended {
        let arguments = [&["campaign"], arguments].concat();
        let settings = self.worker().without("REVOKER_AMQP_URL");
        settings.once(&arguments).await
    }

    /// The same, with a key that signs.
    pub(super) async fn signing(&self, key: &Path, arguments: &[&str]) -> Ended {
        let arguments = [&["campaign"], arguments].concat();
        let settings = self.worker().set("REVOKER_SIGN_KEY_FILE", key.display());
        settings.once(&arguments).await
    }

    /// A path of this world as an argument.
    pub(super) fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// What ssh-keygen makes of these arguments.
    pub(super) fn key(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.file(name);
        let mut command = Command::new("ssh-keygen");
        command.args(arguments).arg("-q").arg("-f").arg(&path);
        assert!(command.status().unwrap().success(), "ssh-keygen failed");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        path
    }

    /// A key, and the file that lets it sign.
    pub(super) fn signer(&self) -> (PathBuf, String) {
        let key = self.key("signer", &["-t", "ed25519", "-N", ""]);
        let public = std::fs::read_to_string(self.file("signer.pub")).unwrap();
        let allowed = self.file("allowed_signers");
        std::fs::write(&allowed, format!("# auditors\nrevoker {public}")).unwrap();
        (key, allowed.display().to_string())
    }
}
