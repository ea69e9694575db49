//! One source file, read three ways: as it is, without comments and strings, and as a list of paths.
//!
//! Every reading keeps every byte's place, so that a line number in one holds in the others.

use std::{fs, path::Path};

use super::blank::blank;

/// A source file.
pub(super) struct Source {
    /// Path from the repository's root, with `/`.
    pub(super) path: String,
    /// As it stands.
    pub(super) text: String,
    /// The same with comments, strings and character literals blanked.
    pub(super) code: String,
}

/// A path such as `crate::event::Lane`, as it stands in code or as a `use` spells it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Where.
    pub(super) line: usize,
    /// Its parts.
    pub(super) parts: Vec<String>,
}

impl Source {
    /// A file of that path and text.
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    /// Whether the file is part of the program.
    pub(super) fn is_src(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The code without items under `#[cfg(test)]`.
    pub(super) fn shipped(&self) -> String {
        let mut code = self.code.clone();
        while let Some(start) = code.find("#[cfg(test)]") {
            let end = match code[start..].find(['{', ';']).map(|i| start + i) {
                Some(i) if code.as_bytes()[i] == b'{' => closing(&code, i),
                Some(i) => i,
                None => code.len() - 1,
            };
            let kept: String = code[start..=end]
                .bytes()
                .map(|b| if b == b'\n' { '\n' } else { ' ' })
                .collect();
            code.replace_range(start..=end, &kept);
        }
        code
    }
}

/// Every `.rs` file of `src` and `tests`.
pub(super) fn all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).expect("it lies under the root");
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                files.push(Source::new(
                    &name.to_string_lossy().replace('\\', "/"),
                    &text,
                ));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The line of a byte.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The place of the brace that closes the one at `open`, or the end.
pub(super) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (i, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return i;
        }
    }
    code.len() - 1
}

/// Whether the byte can stand in a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Every path of the code; the groups of a `use` are spelled out.
pub(super) fn paths(code: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < code.len() {
        if is_word(code.as_bytes()[i]) {
            i = tree(code, i, &[], &mut found);
        } else {
            i += 1;
        }
    }
    found
}

/// Reads one path, and the groups in it, from `i`; returns where it ends.
fn tree(code: &str, mut i: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let bytes = code.as_bytes();
    let start = i;
    let mut parts = prefix.to_vec();
    loop {
        let end = bytes[i..]
            .iter()
            .position(|b| !is_word(*b))
            .map_or(code.len(), |n| i + n);
        parts.push(code[i..end].to_owned());
        i = end;
        if !code[i..].starts_with("::") {
            break;
        }
        i += 2;
        match bytes.get(i) {
            Some(b'{') => {
                let end = closing(code, i);
                i += 1;
                while i < end {
                    i = if is_word(bytes[i]) {
                        tree(code, i, &parts, found)
                    } else {
                        i + 1
                    };
                }
                return end + 1;
            }
            Some(b) if is_word(*b) => {}
            _ => break, // a glob or a turbofish
        }
    }
    found.push(Named {
        line: line_of(code, start),
        parts,
    });
    i
}

#[test]
fn paths_are_spelled_out() {
    let code = "use a::{b::{c, d as e}, self, f::*};\nlet x = g::<h>(i::J::k);";
    let found: Vec<String> = paths(code)
        .iter()
        .map(|n| format!("{} {}", n.line, n.parts.join("::")))
        .collect();
    for expected in [
        "1 a::b::c",
        "1 a::b::d",
        "1 a::self",
        "1 a::f",
        "2 g",
        "2 i::J::k",
    ] {
        assert!(
            found.contains(&expected.to_owned()),
            "no {expected} in {found:?}"
        );
    }
}

#[test]
fn test_modules_are_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { x.unwrap() }\n}\nfn c() {}\n";
    let shipped = Source::new("", text).shipped();
    assert!(shipped.contains("fn a") && shipped.contains("fn c") && !shipped.contains("unwrap"));
    assert_eq!(shipped.len(), text.len());
}
