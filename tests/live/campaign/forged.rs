//! A report that was edited and chained anew, by somebody who knows how: right in itself, and refused.

use std::{fs, path::Path, process::Command};

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

/// A world with a signed report in `out`, and who may sign.
async fn reported(name: &str) -> (World, String) {
    let world = World::with_campaign(name, 2).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");
    let ended = world.signing(&key, &["report", ID, "--out", &out]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    (world, allowed)
}

/// The report is refused with these words: by the broker, or by who may sign if they are given.
async fn check_refused(world: &World, wanted: &str, allowed: Option<&str>) {
    let out = world.path("out");
    let ended = match allowed {
        None => world.campaign(&["verify-report", &out]).await,
        Some(allowed) => {
            let arguments = ["verify-report", &out, "--allowed-signers", allowed];
            world.offline(&arguments).await
        }
    };
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
    assert!(ended.err.contains(wanted), "{wanted}: {ended:?}");
}

/// Signs the digest in `out` with ssh-keygen.
fn sign_by_hand(world: &World, key: &Path) {
    let report = world.file("out");
    let _ = fs::remove_file(report.join("digest.sig"));
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "revoker-report", "-f"])
        .arg(key)
        .arg(report.join("digest"));
    assert!(sign.status().unwrap().success());
}

#[tokio::test]
async fn neither_stream_nor_signature_vouches_for_a_forgery() {
    let (world, allowed) = reported("report-forged").await;
    let report = world.file("out");
    let genuine = fs::read(report.join("digest")).unwrap();

    forge(&report, "request-id-test-2", "request-id-test-3");
    check_refused(&world, "knows no report of leak-2026 that ends in", None).await;
    let wanted = "the signature is not that of the digest";
    check_refused(&world, wanted, Some(&allowed)).await;
    // With the digest that was signed, the evidence no longer is what it was made of.
    fs::write(report.join("digest"), genuine).unwrap();
    let wanted = "is not the digest of the evidence";
    check_refused(&world, wanted, Some(&allowed)).await;
    check_refused(&world, wanted, None).await;

    // Signed by somebody else.
    forge(&report, "request-id-test-3", "request-id-test-4");
    sign_by_hand(&world, &world.key("forger", &["-t", "ed25519", "-N", ""]));
    check_refused(&world, "is none that may sign as revoker", Some(&allowed)).await;
}

#[tokio::test]
async fn what_is_not_even_chained_again_is_told_by_its_line() {
    let (world, _) = reported("report-edited").await;
    let evidence = world.file("out").join("evidence.ndjson");
    let text = fs::read_to_string(&evidence).unwrap();
    fs::write(&evidence, text.replacen(&user(2), &user(3), 1)).unwrap();
    check_refused(&world, "evidence.ndjson, line 3: the chain breaks", None).await;
    fs::write(&evidence, &text[..text.len() - 1]).unwrap();
    check_refused(&world, "evidence.ndjson, line 4: it was cut off", None).await;
}

#[tokio::test]
async fn a_signature_of_ssh_keygen_is_taken() {
    let world = World::with_campaign("report-by-hand", 1).await;
    let (key, allowed) = world.signer();
    let out = world.path("out");
    let ended = world.campaign(&["report", ID, "--out", &out]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    sign_by_hand(&world, &key);
    let arguments = ["verify-report", &out, "--allowed-signers", &allowed];
    let verified = world.offline(&arguments).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}
