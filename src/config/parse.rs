//! One value's text becomes a value, or a sentence that says what is wrong and what to do.
//!
//! Values are repeated in the sentence only where they cannot be a credential, quoted and cut short.

use std::{
    fmt::Display, fs, io::Read, ops::RangeInclusive, os::unix::fs::MetadataExt, path::Path,
    str::FromStr, time::Duration,
};

use secrecy::{SecretString, zeroize::Zeroizing};

/// How much of a wrong value is repeated, characters.
const SHOWN_CHARS_MAX: usize = 64;
/// A credential's file is never longer, bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A value as it may be shown: quoted, control characters escaped, cut short.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS_MAX) {
        None => format!("{value:?}"),
        Some((end, _)) => format!("{:?}…", &value[..end]),
    }
}

/// One word of a closed set.
pub(super) fn word<T: Copy>(words: &[(&str, T)]) -> impl Fn(&str) -> Result<T, String> {
    move |value| {
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("is {}; give {}", shown(value), all.join(" or "))
        })
    }
}

/// `on` or `off`.
pub(super) fn switch(value: &str) -> Result<bool, String> {
    word(&[("on", true), ("off", false)])(value)
}

/// A whole number within bounds.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    move |value| {
        value
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                format!(
                    "is {}; give a whole number from {} to {}",
                    shown(value),
                    range.start(),
                    range.end()
                )
            })
    }
}

/// A duration such as `10s` or `1m 30s` within bounds.
pub(super) fn duration(
    range: RangeInclusive<Duration>,
) -> impl Fn(&str) -> Result<Duration, String> {
    move |value| {
        humantime::parse_duration(value)
            .ok()
            .filter(|duration| range.contains(duration))
            .ok_or_else(|| {
                let (min, max) = (
                    humantime::format_duration(*range.start()),
                    humantime::format_duration(*range.end()),
                );
                format!(
                    "is {}; give a duration from {min} to {max}, such as 10s or 1m30s",
                    shown(value)
                )
            })
    }
}

/// A rate such as `100`, `100/s`, `6000/min` or `90000/h`, in calls a second.
pub(super) fn rate(value: &str) -> Result<f64, String> {
    /// More calls a second than one worker can have on the wire.
    const RATE_MAX: f64 = 100_000.0;
    let (count, seconds) = match value.split_once('/') {
        None => (value, 1.0),
        Some((count, "s")) => (count, 1.0),
        Some((count, "min")) => (count, 60.0),
        Some((count, "h")) => (count, 3600.0),
        Some((_, _)) => ("", 1.0),
    };
    let rate = count.trim().parse().map(|count: f64| count / seconds).ok();
    rate.filter(|rate| *rate > 0.0 && *rate <= RATE_MAX).ok_or_else(|| {
        format!("is {}; give a rate above 0 and at most {RATE_MAX} a second, such as 100, 100/s, 6000/min or 90000/h", shown(value))
    })
}

/// Characters that are safe in names of queues and in routing keys.
pub(super) fn name(value: &str) -> Result<String, String> {
    /// Leaves room for what follows a prefix in a queue name, whose limit is 255 bytes.
    const NAME_LEN_MAX: usize = 64;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if value.len() <= NAME_LEN_MAX && value.chars().all(allowed) {
        return Ok(value.to_owned());
    }
    Err(format!(
        "is {}; give 1 to {NAME_LEN_MAX} letters, digits, dots, dashes and underscores",
        shown(value)
    ))
}

/// A file that holds one credential; white space around it is not part of it.
pub(super) fn secret_file(path: &str) -> Result<SecretString, String> {
    let text = secret_text(Path::new(path))?;
    match text.trim() {
        "" => Err(format!(
            "names the file {}, which is empty; put the credential there",
            shown(path)
        )),
        secret if secret.contains(char::is_control) => Err(format!(
            "names the file {}, which holds more than one line; put the credential alone there",
            shown(path)
        )),
        secret => Ok(SecretString::from(secret)),
    }
}

/// A file's text, wiped from memory after use.
pub(super) fn secret_text(path: &Path) -> Result<Zeroizing<String>, String> {
    let named = shown(&path.to_string_lossy());
    let mut text = Zeroizing::new(String::new());
    let file = fs::File::open(path)
        .map_err(|e| format!("names the file {named}, which cannot be opened ({}); check the path and who may read it", reason(&e)))?;
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|e| {
        format!(
            "names the file {named}, which cannot be read as text ({}); check the path",
            reason(&e)
        )
    })?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!(
            "names the file {named}, which is longer than {FILE_BYTES_MAX} bytes; check the path"
        ));
    }
    Ok(text)
}

/// A file's text that nobody else may use, wiped from memory after use.
pub(super) fn owners_text(path: &str) -> Result<Zeroizing<String>, String> {
    let text = secret_text(Path::new(path))?;
    match open_to_others(path) {
        Some(open) => Err(open),
        None => Ok(text),
    }
}

/// What is wrong with who may use a file that holds a credential; `None` for one that is not there, too.
pub(super) fn open_to_others(path: &str) -> Option<String> {
    let file = fs::metadata(path).ok()?;
    let ours = file.uid() == rustix::process::geteuid().as_raw();
    let open = too_open(file.mode(), ours)?;
    let shown = shown(path);
    Some(format!(
        "names the file {shown}, which others than its owner may use (mode {:03o}); run chmod {open:o} on it",
        file.mode() & 0o777,
    ))
}

/// The mode that a file with a credential should have, if others may use it as it is. Whoever mounts
/// secrets for us (Kubernetes, systemd) stays their owner, and lets our group read them.
pub(super) const fn too_open(mode: u32, ours: bool) -> Option<u32> {
    let (others, wanted) = match ours {
        true => (0o077, 0o600),
        false => (0o037, 0o440),
    };
    if mode & others == 0 {
        None
    } else {
        Some(wanted)
    }
}

/// An I/O error's kind in words: the same text on every system, unlike the error's own.
fn reason(error: &std::io::Error) -> String {
    error.kind().to_string()
}

#[cfg(test)]
mod tests {
    use super::too_open;

    /// Tests cannot make a file that is somebody else's, as Kubernetes and systemd do.
    #[test]
    fn who_may_use_a_file_with_a_credential() {
        let cases = [
            (0o600, true, None),
            (0o400, true, None),
            (0o440, true, Some(0o600)),
            (0o604, true, Some(0o600)),
            (0o440, false, None),
            (0o640, false, None),
            (0o460, false, Some(0o440)),
            (0o444, false, Some(0o440)),
        ];
        for (mode, ours, wanted) in cases {
            assert_eq!(too_open(mode, ours), wanted, "{mode:o}, ours: {ours}");
        }
    }
}
