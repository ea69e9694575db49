//! The corpora of `tests/fuzz`, shown to their properties: whatever a fuzzer found once, and a few steps
//! around it, on any Rust and without a fuzzer.

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use properties::PROPERTIES;

/// Generous for a debug build on a busy machine: what costs more than reading it once takes longer.
const TAKES_MAX: Duration = Duration::from_secs(2);
/// Changes of each file.
const CHANGES: u64 = 20;

fn folder(property: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(property)
}

/// The files of a corpus by name, in order.
fn corpus(property: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder(property)).expect("every property has a corpus");
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A few bytes changed, left out, doubled or swapped.
fn change(bytes: &mut Vec<u8>, rng: &mut fastrand::Rng) {
    for _ in 0..rng.usize(1..4) {
        if bytes.is_empty() {
            bytes.push(rng.u8(..));
        }
        let at = rng.usize(0..bytes.len());
        let end = (at + rng.usize(0..12)).min(bytes.len());
        match rng.u8(0..4) {
            0 => bytes[at] = rng.u8(..),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.extend_from_within(at..end),
            _ => {
                let last = bytes.len() - 1;
                bytes.swap(at, end.min(last));
            }
        }
    }
}

fn check(property: &str, check: fn(&[u8]), bytes: &[u8], what: &str) {
    let begun = Instant::now();
    let held = std::panic::catch_unwind(|| check(bytes));
    assert!(
        held.is_ok(),
        "{property} does not hold for {what}: {bytes:?}"
    );
    let took = begun.elapsed();
    assert!(took < TAKES_MAX, "{property} took {took:?} for {what}");
}

#[test]
fn every_corpus_keeps_its_promise() {
    // A worker's thread has 2 MiB.
    let small_stack = std::thread::Builder::new().stack_size(512 * 1024);
    let shown = || {
        // What the decoder can say is gathered once, at the first refusal: no input's fault.
        let (_, event) = PROPERTIES
            .iter()
            .find(|(name, _)| *name == "event")
            .unwrap();
        event(b"");
        for (name, property) in PROPERTIES {
            let files = corpus(name);
            assert!(files.len() >= 10, "{name} has a corpus of {}", files.len());
            let mut rng = fastrand::Rng::with_seed(20_261_122);
            for (path, bytes) in &files {
                let file = path.file_name().unwrap().to_string_lossy();
                check(name, *property, bytes, &file);
                for n in 0..CHANGES {
                    let mut changed = bytes.clone();
                    change(&mut changed, &mut rng);
                    check(name, *property, &changed, &format!("change {n} of {file}"));
                }
            }
        }
    };
    small_stack.spawn(shown).unwrap().join().unwrap();
}

/// Small enough to be kept for ever, and every property has one.
#[test]
fn every_property_has_a_small_corpus_and_a_fuzzer() {
    let manifest = include_str!("../fuzz/Cargo.toml");
    let script = include_str!("../fuzz/run");
    for (name, _) in PROPERTIES {
        let bytes: usize = corpus(name).iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < 256 * 1024, "the corpus of {name} has {bytes} bytes");
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")));
    }
    let names: Vec<&str> = PROPERTIES.iter().map(|(name, _)| *name).collect();
    assert!(script.contains(&format!("all_targets=({})", names.join(" "))));
}
