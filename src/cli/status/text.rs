//! Numbers, ages and foreign words as the screen shows them.

use std::time::Duration;

/// Foreign text without what would steer a terminal, and not too long.
pub(in crate::cli) fn plain(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    text.chars()
        .filter(|c| !c.is_control())
        .take(CHARS_MAX)
        .collect()
}

/// `4m 12s`: at most two units; `0s` for what lies ahead of this clock.
pub(in crate::cli) fn age(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let whole = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    let mut units = whole.split(' ');
    let first = units.next().unwrap_or_default();
    match units.next() {
        Some(second) => format!("{first} {second}"),
        None => first.to_owned(),
    }
}

/// `12,345`.
pub(in crate::cli) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A head and rows of cells as lines, each column as wide as its widest cell, and one of numbers set
/// to the right.
pub(in crate::cli) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let layout: Vec<(usize, bool)> = (0..columns)
        .map(|column| {
            let width = cells(column).map(|cell| cell.chars().count()).max();
            (
                width.unwrap_or(0),
                cells(column).skip(1).all(|cell| is_number(cell)),
            )
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let padded = row.iter().zip(&layout).map(|(cell, (width, numbers))| {
            if *numbers {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let line: Vec<String> = padded.collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn is_number(cell: &str) -> bool {
    cell.chars()
        .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
}
