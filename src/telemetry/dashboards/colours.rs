//! The colour of each word that says how something ended or stands. Fixed, so that red means the same in
//! every panel, and never from a palette, which would turn an outage green by its place in the alphabet.

/// Words of these labels have a fixed colour.
pub(super) const COLOURED: &[&str] = &[
    "delivery", "lane", "level", "outcome", "queue", "result", "state",
];

/// Grafana's name of the colour of a label's value, if the label's words have fixed colours.
pub fn colour(label: &str, word: &str) -> Option<&'static str> {
    let colour = match (label, word) {
        ("lane" | "queue", "urgent") => "purple",
        ("lane" | "queue", "bulk") => "blue",
        ("queue", "retry") => "orange",
        ("queue", "dead") => "red",
        ("delivery", "first") => "blue",
        ("delivery", "retry") => "orange",
        ("delivery", "redelivered") => "yellow",
        ("level", "error") => "red",
        ("level", "warn") => "orange",
        ("level", "info") => "blue",
        ("level", "debug") => "light-blue",
        ("level", "trace") => "super-light-blue",
        ("outcome" | "result", "revoked") => "green",
        ("outcome" | "result", "already_gone") => "blue",
        ("outcome", "duplicate") => "light-blue",
        ("outcome", "verified") => "light-green",
        ("outcome", "obsolete") => "super-light-yellow",
        ("outcome", "cancelled") => "yellow",
        ("outcome", "dead_lettered") => "red",
        ("result", "ack") => "green",
        ("result", "rate_limited") => "orange",
        ("result", "permanent") => "purple",
        ("result", "server_error" | "nack") => "red",
        ("result", "credentials") => "dark-red",
        ("result", "timeout") => "light-red",
        ("result", "network" | "returned") => "semi-dark-red",
        ("result", "invalid_response") => "super-light-red",
        ("state", "running") => "green",
        ("state", "throttled") => "orange",
        ("state", "audit") => "yellow",
        ("state", "outage") => "red",
        ("state", "credentials") => "dark-red",
        ("state", "broker") => "semi-dark-red",
        ("state", "draining") => "super-light-yellow",
        _ => return None,
    };
    Some(colour)
}
