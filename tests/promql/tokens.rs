//! Text to tokens.

/// Signs of two characters.
const SIGNS: &[&str] = &["=~", "!~", "!=", "==", ">=", "<="];

/// Words, numbers with their unit, strings (with their opening quote) and signs.
pub(super) fn tokens(text: &str) -> Result<Vec<String>, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_:.".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = if first == '"' {
            let end = end_of_string(rest).ok_or("a string is not closed")?;
            tokens.push(rest[..end - 1].replace("\\\\", "\\"));
            end
        } else if SIGNS.iter().any(|sign| rest.starts_with(sign)) {
            tokens.push(rest[..2].to_owned());
            2
        } else {
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let len = word.max(first.len_utf8());
            tokens.push(rest[..len].to_owned());
            len
        };
        rest = rest[len..].trim_start();
    }
    Ok(tokens)
}

/// Where the string that begins here ends, its quote included.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return Some(at + 1),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    None
}
