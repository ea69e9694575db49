//! What is checked before a body is read: its size first of all, its properties, its encoding.
//!
//! Nothing here knows JSON. The size comes first because it bounds the cost of all that follows.

use super::{Code, Problem};

/// Largest body that is read, in bytes: one event with a JWT of 8 KiB and room for `ext`.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// The content type of a plain event, and of a CloudEvent's data.
pub const JSON_TYPE: &str = "application/json";
/// The content type of a structured CloudEvent.
pub const CLOUD_EVENT_TYPE: &str = "application/cloudevents+json";

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Encodings that may be named in a text; any other word there might be anything.
const SHOWN_ENCODINGS: [&str; 7] = [
    "br", "bzip2", "compress", "deflate", "gzip", "x-gzip", "zstd",
];

/// The body as text.
pub(super) fn open<'a>(
    body: &'a [u8],
    content_type: Option<&str>,
    content_encoding: Option<&str>,
) -> Result<&'a str, Vec<Problem>> {
    if body.len() > BODY_BYTES_MAX {
        return Err(vec![too_large(body.len())]);
    }
    let problems: Vec<Problem> = [encoding(content_encoding), media_type(content_type)]
        .into_iter()
        .flatten()
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    text(body).map_err(|problem| vec![problem])
}

fn too_large(bytes: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!(
            "the body has {bytes} bytes, the limit is {BODY_BYTES_MAX}; one event names one target, send more events instead"
        ),
    )
}

/// An empty property counts as absent: some clients cannot leave one out.
fn encoding(property: Option<&str>) -> Option<Problem> {
    let encoding = property.unwrap_or_default().trim();
    if ["", "utf-8", "identity"]
        .iter()
        .any(|known| encoding.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let shown = match SHOWN_ENCODINGS
        .iter()
        .find(|known| encoding.eq_ignore_ascii_case(known))
    {
        Some(known) => format!("\"{known}\""),
        None => format!("({} characters, value withheld)", encoding.chars().count()),
    };
    let text = format!("content_encoding {shown} is not supported; send the body uncompressed");
    Some(Problem::new(Code::UnsupportedEncoding, text))
}

/// What counts is that the body is UTF-8 and JSON.
fn media_type(property: Option<&str>) -> Option<Problem> {
    let property = property.unwrap_or_default();
    if essence(property).is_empty() || is_json(property) || is_cloud_event(Some(property)) {
        return None;
    }
    let text = "expected application/json or application/cloudevents+json";
    Some(Problem::new(Code::UnsupportedContentType, text))
}

/// Whether the content type is that of a CloudEvent in JSON.
pub(super) fn is_cloud_event(property: Option<&str>) -> bool {
    essence(property.unwrap_or_default()).eq_ignore_ascii_case(CLOUD_EVENT_TYPE)
}

/// Whether a media type is that of JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    essence(media_type).eq_ignore_ascii_case(JSON_TYPE)
}

/// A media type without parameters such as `charset=utf-8`, which are let pass.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn text(body: &[u8]) -> Result<&str, Problem> {
    if body.is_empty() {
        return Err(Problem::new(
            Code::EmptyBody,
            "the message body is empty; send one JSON object",
        ));
    }
    if body.starts_with(BYTE_ORDER_MARK) {
        let text = "the body starts with a byte order mark; send UTF-8 without it";
        return Err(Problem::new(Code::MalformedJson, text));
    }
    std::str::from_utf8(body).map_err(|error| {
        let offset = error.valid_up_to();
        let text = format!(
            "the body is not UTF-8 (first bad byte at offset {offset}); encode the body as UTF-8"
        );
        Problem::new(Code::NotUtf8, text)
    })
}
