//! The trace that an event belongs to: the `trace-id` of its `traceparent` (W3C Trace Context, level 1).
//!
//! Read, never made: whoever published without one has no trace. One that is not as the recommendation writes
//! it is ignored, as the recommendation asks; it is no reason to refuse a revocation.

use super::{HeaderValue, Properties};

/// The header in a plain AMQP message, and as the CloudEvents extension of that name in binary mode.
const NAMES: [&str; 4] = [
    "traceparent",
    "ce-traceparent",
    "cloudEvents_traceparent",
    "cloudEvents:traceparent",
];

/// Length of `version-traceid-parentid-flags`, in bytes; later versions may be longer, after a further dash.
const TRACEPARENT_BYTES: usize = 55;

/// The `traceparent` among a message's headers, if it is one.
pub fn traceparent(properties: &Properties) -> Option<String> {
    let mut headers = properties.headers.iter();
    headers.find_map(|(name, value)| match value {
        HeaderValue::Text(text) if NAMES.contains(&name.as_str()) => {
            trace_id(text).map(|_| text.clone())
        }
        _ => None,
    })
}

/// The 32 hexadecimal digits of a `traceparent` that name its trace.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let (known, further) = traceparent.split_at_checked(TRACEPARENT_BYTES)?;
    let mut parts = known.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let whole = is_hex(version, 2) && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    let named = |id: &str| id.bytes().any(|digit| digit != b'0');
    let ends = match version {
        "ff" => false,
        "00" => further.is_empty(),
        _ => further.is_empty() || further.starts_with('-'),
    };
    (whole && ends && named(trace) && named(parent)).then_some(trace)
}

/// Lower-case hexadecimal of that length.
fn is_hex(text: &str, length: usize) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == length && text.bytes().all(digit)
}
