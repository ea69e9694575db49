//! Size and shape of a file: what its first line says, how long it is, what must not be left in it.

use super::source::{Source, closing, is_word, line_of, paths};

/// Lines of a file.
const FILE_LINES_MAX: usize = 300;
/// Lines of a function, its signature and braces included.
const FUNCTION_LINES_MAX: usize = 70;
/// The seams: the only traits that others may implement.
const SEAMS: &[&str] = &["Api", "Outbox", "Clock"];

/// A file says first what it is.
pub(super) fn header(file: &Source) -> Vec<String> {
    let opens = file
        .text
        .strip_prefix("//! ")
        .is_some_and(|rest| !rest.starts_with('\n'));
    if opens {
        vec![]
    } else {
        vec!["1: the file does not open with //! and a sentence".into()]
    }
}

/// No white space at the end of a line, no tabs before its start, one newline at the end.
pub(super) fn white_space(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (i, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            found.push(format!("{}: white space at the end", i + 1));
        }
    }
    if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
        found.push(format!(
            "{}: no single newline at the end",
            file.text.lines().count()
        ));
    }
    found
}

/// Files stay short enough to be read in one go.
pub(super) fn file_length(file: &Source) -> Vec<String> {
    let lines = file.text.lines().count();
    let complaint =
        || format!("{lines}: the file has {lines} lines, the limit is {FILE_LINES_MAX}");
    if lines > FILE_LINES_MAX {
        vec![complaint()]
    } else {
        vec![]
    }
}

/// Functions fit on a screen.
pub(super) fn function_length(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in words(&file.code, "fn") {
        let Some(open) = body(&file.code, at) else {
            continue;
        };
        let (first, last) = (
            line_of(&file.code, at),
            line_of(&file.code, closing(&file.code, open)),
        );
        let lines = last - first + 1;
        if lines > FUNCTION_LINES_MAX {
            let limit = FUNCTION_LINES_MAX;
            found.push(format!(
                "{first}: the function has {lines} lines, the limit is {limit}"
            ));
        }
    }
    found
}

/// Where the body of the function at `at` opens, if it is a function with a name and a body.
fn body(code: &str, at: usize) -> Option<usize> {
    let named = code.as_bytes().get(at + 3).is_some_and(|b| is_word(*b));
    let mut depth = 0;
    for (i, byte) in code.bytes().enumerate().skip(at).take_while(|_| named) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(i),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Nothing is left for later, and no test is switched off.
pub(super) fn leftovers(file: &Source) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let notes = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let calls = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
    let mut found = Vec::new();
    for (i, (text, code)) in file.text.lines().zip(file.code.lines()).enumerate() {
        let note = notes.iter().filter(|n| text.contains(**n));
        let call = calls.iter().filter(|c| code.contains(**c));
        found.extend(note.chain(call).map(|what| format!("{}: {what}", i + 1)));
    }
    found
}

/// No `unwrap` outside tests.
pub(super) fn unwrap(file: &Source) -> Vec<String> {
    let code = if file.is_src() {
        file.shipped()
    } else {
        String::new()
    };
    let found = code.match_indices(".unwrap()");
    found
        .map(|(at, _)| format!("{}: unwrap; name the error", line_of(&code, at)))
        .collect()
}

/// `expect` says the invariant: a sentence of at least three words, written there.
pub(super) fn expect(file: &Source) -> Vec<String> {
    let code = if file.is_src() {
        file.shipped()
    } else {
        String::new()
    };
    let is_sentence = |at: usize| {
        let text = file.text[at + ".expect(".len()..]
            .trim_start()
            .strip_prefix('"');
        text.and_then(|t| t.split('"').next())
            .is_some_and(|t| t.split_whitespace().count() >= 3)
    };
    let found = code
        .match_indices(".expect(")
        .filter(|(at, _)| !is_sentence(*at));
    found
        .map(|(at, _)| format!("{}: expect without its invariant", line_of(&code, at)))
        .collect()
}

/// Three seams, no more.
pub(super) fn seams(file: &Source) -> Vec<String> {
    let code = if file.is_src() {
        file.shipped()
    } else {
        String::new()
    };
    let mut found = Vec::new();
    for (at, _) in code.match_indices("pub trait ") {
        let name = paths(&code[at + "pub trait ".len()..])
            .remove(0)
            .parts
            .remove(0);
        if !SEAMS.contains(&name.as_str()) {
            found.push(format!(
                "{}: {name} would be another seam",
                line_of(&code, at)
            ));
        }
    }
    found
}

/// Every place of a whole word.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let bytes = code.as_bytes();
    let free = |at: Option<&u8>| at.is_none_or(|b| !is_word(*b));
    code.match_indices(word).filter(move |(at, _)| {
        free(at.checked_sub(1).and_then(|i| bytes.get(i))) && free(bytes.get(at + word.len()))
    })
}

#[test]
fn the_shape_rules_see() {
    use super::check;
    let src = "src/gate/mod.rs";
    check(header, src, "//! A sentence.\n", &[]);
    check(header, src, "use x;\n", &[1]);
    check(header, src, "//!\n//! Late.\n", &[1]);
    check(white_space, src, "a\nb \n", &[2]);
    check(white_space, src, "a\n\n", &[1 + 1]);
    check(white_space, src, "a", &[1]);
    check(file_length, src, &"a\n".repeat(300), &[]);
    check(file_length, src, &"a\n".repeat(301), &[301]);
    let function = |lines: usize| {
        format!(
            "\nfn f(g: fn(u8), h: [u8; 2])\n{{{}}}\n",
            "\n".repeat(lines - 2)
        )
    };
    check(function_length, src, &function(70), &[]);
    check(function_length, src, &function(71), &[2]);
    check(function_length, src, "trait A { fn a(); }\n", &[]);
    let note = concat!(
        "// TO",
        "DO: later\n#[ignore]\nfn a() { dbg!(1); todo!() }\n"
    );
    check(leftovers, "tests/it/x.rs", note, &[1, 2, 3, 3]);
    check(
        leftovers,
        "tests/it/x.rs",
        "let s = \"dbg!\"; // todo! is a macro\n",
        &[],
    );
    check(unwrap, src, "fn a() { b.unwrap() }\n", &[1]);
    check(
        unwrap,
        src,
        "// .unwrap()\n#[cfg(test)]\nmod t { fn a() { b.unwrap() } }\n",
        &[],
    );
    check(unwrap, "tests/it/x.rs", "fn a() { b.unwrap() }\n", &[]);
    check(expect, src, "a.expect(\"b\");\na.expect(text);\n", &[1, 2]);
    check(
        expect,
        src,
        "a.expect(\n  \"the list is never empty\");\n",
        &[],
    );
    check(
        seams,
        src,
        "pub trait Api {}\npub trait Other {}\npub(super) trait Own {}\n",
        &[2],
    );
}
