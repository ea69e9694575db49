//! What lies in `deploy/` says what the code says: RabbitMQ's definitions, and the format of sealed bodies.
//!
//! `UPDATE_DEFINITIONS=1 cargo test --test it deploy` writes the definitions anew. That they can be imported, and
//! what their rights come to, is tried by the live tests.

mod rules;
mod scaling;
mod settings;

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use revoker::{
    broker::topology::{Argument, topology},
    event::Properties,
    settle::seal::{CONTENT_TYPE, KEYS_MAX, KeyRing, new_key_line},
};
use serde_json::{Value, json};

const DEFINITIONS: &str = "deploy/rabbitmq/definitions.json";

fn text_of(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What `revoker definitions` prints.
fn definitions(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
    let output = command.arg("definitions").args(arguments).env_clear();
    let output = output.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_definitions_are_those_of_the_code() {
    let printed = definitions(&[]);
    if std::env::var_os("UPDATE_DEFINITIONS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFINITIONS);
        fs::write(path, &printed).unwrap();
    }
    assert!(
        text_of(DEFINITIONS) == printed,
        "{DEFINITIONS} is old: UPDATE_DEFINITIONS=1 cargo test --test it deploy"
    );
}

/// Told apart from how they are written: every exchange, argument and binding of the topology, and no other.
#[test]
fn they_hold_the_whole_topology_but_the_lock() {
    let seconds = [60, 600, 600].map(Duration::from_secs);
    let all = topology("revocation", "project-test-1", &seconds);
    let found: Value = serde_json::from_str(&text_of(DEFINITIONS)).unwrap();
    let list = |name: &str| found[name].as_array().unwrap().clone();
    let exchanges: BTreeSet<String> = list("exchanges")
        .iter()
        .map(|exchange| {
            assert_eq!(
                (&exchange["type"], &exchange["durable"]),
                (&json!("topic"), &json!(true))
            );
            exchange["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(exchanges, all.exchanges);
    assert!(
        !exchanges.contains(&all.owner.0),
        "the lock names a project"
    );
    let queues = list("queues");
    assert_eq!(queues.len(), all.queues.len());
    let bindings = list("bindings");
    let mut bound = 0;
    for queue in &all.queues {
        let same = |found: &&Value| found["name"] == queue.name.as_str();
        let found = queues.iter().find(same).unwrap();
        let arguments = queue.arguments.iter().map(|(name, value)| match value {
            Argument::Text(text) => ((*name).to_owned(), json!(text)),
            Argument::Int(number) => ((*name).to_owned(), json!(number)),
        });
        assert_eq!(
            found["arguments"],
            Value::Object(arguments.collect()),
            "{}",
            queue.name
        );
        for exchange in &queue.bound_to {
            let wanted = json!({
                "source": exchange, "vhost": "revoker", "destination": queue.name,
                "destination_type": "queue", "routing_key": "#", "arguments": {},
            });
            assert!(bindings.contains(&wanted), "{wanted}");
            bound += 1;
        }
    }
    assert_eq!(bindings.len(), bound);
}

#[test]
fn nobody_has_a_password_a_tag_or_all_rights() {
    let found: Value = serde_json::from_str(&definitions(&["--prefix", "a.b"])).unwrap();
    for user in found["users"].as_array().unwrap() {
        assert_eq!(
            (&user["password_hash"], &user["tags"]),
            (&json!(""), &json!([])),
            "{user}"
        );
    }
    let permissions = found["permissions"].as_array().unwrap();
    assert_eq!(permissions.len(), 3);
    for row in permissions {
        for right in ["configure", "write", "read"] {
            let pattern = row[right].as_str().unwrap();
            let is_ours = pattern == "^$" || pattern.starts_with("^a\\.b\\.");
            assert!(is_ours && pattern.ends_with('$'), "{pattern}");
        }
    }
    let topics = found["topic_permissions"].as_array().unwrap();
    let exchanges: Vec<_> = topics.iter().map(|topic| &topic["exchange"]).collect();
    assert_eq!(exchanges, ["a.b.urgent", "a.b.bulk"]);
}

/// Each setting is there once, as RabbitMQ reads it; the sizes leave room for what the worker itself stores.
#[test]
fn the_broker_takes_what_the_worker_stores() {
    let text = text_of("deploy/rabbitmq/rabbitmq.conf");
    let set = |name: &str| -> u64 {
        let lines = text.lines().filter_map(|line| line.split_once(" = "));
        let mut values = lines
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = values.next().expect(name);
        assert_eq!(values.next(), None, "{name}");
        value.parse().unwrap()
    };
    let ring = KeyRing::parse(&new_key_line()).unwrap();
    // Control characters are six times as long in JSON.
    let worst = "\u{1}".repeat(Properties::HEADER_BYTES_MAX);
    let properties = Properties {
        headers: vec![(String::new(), revoker::event::HeaderValue::Text(worst))],
        ..Properties::default()
    };
    let body = vec![b'x'; revoker::event::BODY_BYTES_MAX];
    let sealed = ring.seal("revocation.urgent.retry.10m", "e", &properties, &body);
    assert!(sealed.len() < 128 * 1024, "{}", sealed.len());
    assert!(set("max_message_size") > 2 * sealed.len() as u64);
    let hold_limit_ms = 600_000;
    assert!(set("consumer_timeout") >= 3 * hold_limit_ms);
}

/// The document is all that another tool has.
#[test]
fn sealed_md_names_the_constants_of_the_code() {
    let document = text_of("deploy/SEALED.md");
    let sources =
        ["mod", "keyring", "plaintext"].map(|name| text_of(&format!("src/settle/seal/{name}.rs")));
    let code = sources.concat();
    let constant = |name: &str| -> usize {
        let (_, rest) = code.split_once(&format!("const {name}: ")).expect(name);
        let (_, value) = rest.split_once(" = ").unwrap();
        value.split_once(';').unwrap().0.parse().expect(name)
    };
    let (version, id) = (constant("VERSION"), constant("KEY_ID_LEN"));
    let (nonce, tag) = (constant("NONCE_LEN"), constant("TAG_LEN"));
    let rows = [
        format!("## The layout, version {version}\n"),
        format!("| 0 | 1 | version, `0x{version:02x}` |"),
        format!("| 1 | {id} | key id |"),
        format!("| {} | {nonce} | nonce, random", 1 + id),
        format!("| {} | n + {tag} | XChaCha20-Poly1305", 1 + id + nonce),
        format!("its tag of {tag} bytes"),
        format!("the first {id} bytes of SHA-256"),
        format!("which are the {} bytes of the key", constant("KEY_LEN")),
        format!(
            "the first {} bytes, as {} hex digits",
            constant("HMAC_LEN"),
            2 * constant("HMAC_LEN")
        ),
        format!("at most {KEYS_MAX} keys"),
        format!("`{CONTENT_TYPE}`"),
    ];
    for row in rows {
        assert!(document.contains(&row), "not in deploy/SEALED.md: {row}");
    }
    // What the code hashes and derives by, and the JSON's members.
    let words = [
        "revoker-key-v1:",
        "revoker-key-id-v1",
        "revoker-hmac-v1",
        "revoker-seal-v1",
        "headers_dropped",
        "content_encoding",
        "revoker-queue",
        "revoker-event-id",
        "HKDF-SHA256",
    ];
    for word in words {
        assert!(document.contains(word), "not in deploy/SEALED.md: {word}");
    }
    for text in code
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with("revoker-"))
    {
        let word = text.trim_end_matches("\\0");
        assert!(document.contains(word), "not in deploy/SEALED.md: {word}");
    }
}

/// Links lead from `deploy/` to what is there.
#[test]
fn links_lead_somewhere() {
    for (file, folder) in [
        ("deploy/SEALED.md", "deploy"),
        ("deploy/SECURITY.md", "deploy"),
        ("deploy/SCALING.md", "deploy"),
        ("deploy/kubernetes/README.md", "deploy/kubernetes"),
        ("deploy/SECRETS.md", "deploy"),
        ("deploy/rabbitmq/README.md", "deploy/rabbitmq"),
    ] {
        let text = text_of(file);
        for rest in text.split("](").skip(1) {
            let target = rest.split_once(')').unwrap().0;
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(folder)
                .join(target);
            assert!(path.exists(), "{file}: {target}");
        }
    }
}
