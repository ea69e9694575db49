//! A report that was edited and chained anew, by somebody who knows how: right in itself, and refused.

use std::{fs, path::Path};

use revoker::campaign::evidence::{Chain, Checker};

use super::given::{ID, user};
use crate::harness::World;

/// Replaces a text in the evidence, chains it anew, and writes the digest that follows.
fn forge(report: &Path, from: &str, to: &str) {
    let evidence = report.join("evidence.ndjson");
    let text = fs::read_to_string(&evidence).unwrap();
    assert!(text.contains(from), "{from} is not in the evidence");
    let (mut chain, mut forged) = (Chain::default(), Vec::new());
    for line in text.replace(from, to).lines() {
        let body = line.rsplit_once(",\"chain\":").unwrap().0;
        forged.extend(chain.link(format!("{body}}}").into_bytes()));
    }
    fs::write(&evidence, &forged).unwrap();
    let mut checker = Checker::default();
    for line in String::from_utf8(forged).unwrap().lines() {
        checker
            .take(line.as_bytes().to_vec())
            .expect("the forgery is right in itself");
    }
    let checked = checker.finish().unwrap();
    let digest = checked
        .footer
        .digest_text(&checked.header, checked.lines, &checked.chain_end);
    fs::write(report.join("digest"), digest).unwrap();
}

#[tokio::test]
async fn neither_stream_nor_signature_vouches_for_a_forgery() {
    let world = World::with_campaign("report-forged", 2).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");
    let ended = world.signing(&key, &["report", ID, "--out", &out]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let genuine = fs::read(world.file("out").join("digest")).unwrap();

    forge(&world.file("out"), "request-id-test-2", "request-id-test-3");
    let refused = async |why: &str, wanted: &str, arguments: &[&str], offline: bool| {
        let arguments = [&["verify-report", &out], arguments].concat();
        let ended = match offline {
            true => world.offline(&arguments).await,
            false => world.campaign(&arguments).await,
        };
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (1, ""),
            "{why}: {ended:?}"
        );
        assert!(ended.err.contains(wanted), "{why}: {ended:?}");
    };
    let signers = ["--allowed-signers", &allowed];
    refused(
        "anchor",
        "knows no report of leak-2026 that ends in",
        &[],
        false,
    )
    .await;
    refused(
        "signature",
        "the signature is not that of the digest",
        &signers,
        true,
    )
    .await;
    // With the digest that was signed, the evidence no longer is what it was made of.
    fs::write(world.file("out").join("digest"), genuine).unwrap();
    refused(
        "old digest",
        "is not the digest of the evidence",
        &signers,
        false,
    )
    .await;

    // Signed by somebody else.
    forge(&world.file("out"), "request-id-test-3", "request-id-test-4");
    let forger = world.key("forger", &["-t", "ed25519", "-N", ""]);
    let mut sign = std::process::Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "revoker-report", "-f"])
        .arg(&forger);
    let _ = fs::remove_file(world.file("out").join("digest.sig"));
    assert!(
        sign.arg(world.file("out").join("digest"))
            .status()
            .unwrap()
            .success()
    );
    refused("forger", "is none that may sign as revoker", &signers, true).await;

    // Not even re-chained.
    let evidence = world.file("out").join("evidence.ndjson");
    let text = fs::read_to_string(&evidence).unwrap();
    fs::write(&evidence, text.replacen(&user(2), &user(3), 1)).unwrap();
    refused(
        "edited",
        "evidence.ndjson, line 3: the chain breaks",
        &[],
        false,
    )
    .await;
    fs::write(&evidence, &text[..text.len() - 1]).unwrap();
    refused(
        "cut off",
        "evidence.ndjson, line 4: it was cut off",
        &[],
        false,
    )
    .await;
}

#[tokio::test]
async fn a_signature_of_ssh_keygen_is_taken() {
    let world = World::with_campaign("report-by-hand", 1).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");
    assert_eq!(world.campaign(&["report", ID, "--out", &out]).await.code, 0);
    let mut sign = std::process::Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "revoker-report", "-f"])
        .arg(&key);
    assert!(
        sign.arg(world.file("out").join("digest"))
            .status()
            .unwrap()
            .success()
    );
    let verified = world
        .offline(&["verify-report", &out, "--allowed-signers", &allowed])
        .await;
    assert_eq!(verified.code, 0, "{verified:?}");
}
