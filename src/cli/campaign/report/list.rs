//! The list that a campaign was started from, beside its proof: who is missing, and who is too many.
//!
//! The list is read twice. First it is compared with the manifests, since it is the part that it belongs
//! to which says up to when a user's sessions must be gone.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};

use super::folder::Folder;
use crate::campaign::{EventHash, Kind, Proof, evidence::Header, summary::List};

/// What is missing, as a list for another campaign.
pub(super) const MISSING: &str = "missing.csv";
/// Longest line of a list, bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Compares, and writes those without proof.
pub(super) fn compare(
    path: &Path,
    header: &Header,
    proof: &mut Proof,
    folder: &mut Folder,
) -> Result<List> {
    let first = header.parts.first().map(|part| &part.manifest);
    let kind = first.and_then(|manifest| Kind::named(&manifest.target_kind));
    let kind =
        kind.context("the campaign's targets are of a kind that this version does not know")?;
    let hash = |target: &str| EventHash::new(&header.campaign_id, kind, target);

    let (mut list, mut xor, mut unknown) = (List::default(), EventHash::default(), HashSet::new());
    targets(path, &mut |target| {
        let is_new = proof
            .list(target)
            .unwrap_or_else(|| unknown.insert(hash(target)));
        if is_new {
            list.targets += 1;
            xor.xor(hash(target));
        }
        Ok(())
    })?;
    drop(unknown);
    list.strangers = proof.unlisted();
    let manifests = || header.parts.iter().map(|part| &part.manifest);
    let is_its = |expected: u64, other| (expected, other) == (list.targets, Some(xor));
    let own = manifests().find(|manifest| is_its(manifest.expected, manifest.xor()));
    list.part = own.map(|manifest| manifest.part);
    // Of a list that no part had, only what every part asked for is enough.
    let cutoff = own.map(|manifest| manifest.cutoff);
    let up_to = cutoff.or_else(|| manifests().map(|manifest| manifest.cutoff).max());
    let up_to = up_to.context("the campaign has no part")?;

    let (mut draft, mut written) = (folder.draft(MISSING)?, HashSet::new());
    let failed = folder.failed(MISSING);
    writeln!(draft, "{}", kind.field()).context(failed.clone())?;
    targets(path, &mut |target| {
        if !proof.is_proven(target, up_to) && written.insert(hash(target)) {
            writeln!(draft, "{}", quoted(target)).context(failed.clone())?;
        }
        Ok(())
    })?;
    list.missing = written.len() as u64;
    folder.written(MISSING, draft)?;
    Ok(list)
}

/// Every target of a list.
fn targets(path: &Path, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    read(BufReader::new(file), each).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads CSV whose column `user_id` or `session_id`, or else the first, holds the targets, or one JSON
/// object a line.
fn read(mut input: impl BufRead, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let (mut line, mut column) = (Vec::new(), 0);
    for number in 1_u64.. {
        line.clear();
        if take_line(&mut input, &mut line)? == 0 {
            break;
        }
        let here = || format!("line {number}");
        if line.len() as u64 >= LINE_BYTES_MAX {
            bail!("{}: longer than {LINE_BYTES_MAX} bytes", here());
        }
        let text = std::str::from_utf8(&line)
            .ok()
            .with_context(|| format!("{}: not UTF-8", here()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.starts_with('{') {
            let object: serde_json::Value = serde_json::from_str(text)
                .ok()
                .with_context(|| format!("{}: no JSON", here()))?;
            let target = Kind::ALL
                .iter()
                .find_map(|kind| object[kind.field()].as_str());
            each(target.with_context(|| format!("{}: no user_id or session_id", here()))?)?;
            continue;
        }
        let cells: Vec<&str> = text
            .split(',')
            .map(|cell| cell.trim().trim_matches('"'))
            .collect();
        let names = |cell: &&str| Kind::ALL.iter().any(|kind| kind.field() == *cell);
        match cells.iter().position(names) {
            Some(at) if number == 1 => column = at,
            _ => {
                if let Some(target) = cells.get(column).filter(|target| !target.is_empty()) {
                    each(target)?;
                }
            }
        }
    }
    Ok(())
}

/// As a CSV field.
fn quoted(target: &str) -> String {
    match target.contains([',', '"']) {
        true => format!("\"{}\"", target.replace('"', "\"\"")),
        false => target.to_owned(),
    }
}

/// A line, cut at the limit.
fn take_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    input.take(LINE_BYTES_MAX).read_until(b'\n', line)
}

#[test]
fn forms_of_a_list() {
    let check = |text: &str, expected: Option<&[&str]>| {
        let mut found = Vec::new();
        let read = read(text.as_bytes(), &mut |target| {
            found.push(target.to_owned());
            Ok(())
        });
        let found = read.is_ok().then_some(found);
        let expected = expected.map(|all| all.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(found, expected, "{text}");
    };
    check("", Some(&[]));
    check("a\nb\n\nb", Some(&["a", "b", "b"]));
    check("user_id\r\na\r\nb\r\n", Some(&["a", "b"]));
    check(
        "\u{feff}mail,user_id\nx@y,a\n\"x\",\"b\"\n",
        Some(&["a", "b"]),
    );
    check(
        "{\"user_id\":\"a\"}\n{\"mail\":1,\"session_id\":\"b\"}\n",
        Some(&["a", "b"]),
    );
    check("{\"mail\":\"a\"}\n", None);
    check("{\n", None);
    check(&"a".repeat(70_000), None);
}
