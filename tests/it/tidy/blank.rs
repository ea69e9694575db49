//! Takes comments, strings and character literals out of Rust text, so that a rule about code does
//! not stumble over words.
//!
//! Every byte keeps its place: what is taken out becomes spaces, and line ends stay.

use super::source::is_word;

/// The text with comments, strings and character literals blanked; quotes of strings stay.
pub(super) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let end = literal_end(text, i);
        let inner = if bytes[i] == b'/' {
            i..end
        } else {
            i + 1..end.saturating_sub(1).max(i + 1)
        };
        if end > i {
            out[inner]
                .iter_mut()
                .filter(|b| **b != b'\n')
                .for_each(|b| *b = b' ');
        }
        i = end.max(i + 1);
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

/// Where the comment, string or character literal that starts at `i` ends; `i` if none does.
fn literal_end(text: &str, i: usize) -> usize {
    let rest = &text.as_bytes()[i..];
    let starts = |word: &[u8]| rest.starts_with(word);
    let named = i > 0 && is_word(text.as_bytes()[i - 1]);
    if starts(b"//") {
        return rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(text.len(), |n| i + n);
    }
    if starts(b"/*") {
        return block_comment_end(text, i);
    }
    if rest[0] == b'"' {
        return quoted_end(text, i, b'"');
    }
    if rest[0] == b'\'' {
        let escaped = rest.get(1) == Some(&b'\\');
        // 'a' and 'ä' are characters, 'a without a quote soon after is a lifetime.
        let short = text[i + 1..].chars().next().map_or(0, char::len_utf8);
        let is_char = escaped || rest.get(1 + short) == Some(&b'\'');
        return if is_char {
            quoted_end(text, i, b'\'')
        } else {
            i
        };
    }
    let raw = rest.iter().find(|b| **b != b'b') == Some(&b'r') && !named;
    if raw {
        let head = rest.iter().position(|b| *b == b'r').map_or(0, |n| n + 1);
        let hashes = rest[head..].iter().take_while(|b| **b == b'#').count();
        if rest.get(head + hashes) == Some(&b'"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = i + head + hashes + 1;
            return text[body..]
                .find(&close)
                .map_or(text.len(), |n| body + n + close.len());
        }
    }
    i
}

/// The end of a block comment, which may hold others.
fn block_comment_end(text: &str, start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < text.len() {
        let rest = &text.as_bytes()[i..];
        if rest.starts_with(b"/*") {
            (depth, i) = (depth + 1, i + 2);
        } else if rest.starts_with(b"*/") {
            (depth, i) = (depth - 1, i + 2);
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    text.len()
}

/// The end of a literal with escapes.
fn quoted_end(text: &str, start: usize, quote: u8) -> usize {
    let mut bytes = text.bytes().enumerate().skip(start + 1);
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == quote => return i + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_and_strings_are_blanked_in_place() {
    let cases = [
        ("a // lapin", "a         "),
        ("a /* x /* y */ z */ b", "a                     b"),
        (r#"f("lapin \" x") g"#, r#"f("          ") g"#),
        ("r#\"a\"b\"# c", "r       # c"),
        ("'\"' x 'a y", "' ' x 'a y"),
        ("'\\'' x", "'  ' x"),
        ("\"ä\" x", "\"  \" x"),
        ("for\"x\"", "for\" \""),
    ];
    for (text, expected) in cases {
        let found = blank(text);
        assert_eq!(
            found.split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
        assert_eq!(found.len(), text.len());
    }
}
