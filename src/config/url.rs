//! URLs in settings: taken apart to be checked, and shown without what may be a password.
//!
//! Checks only what must be known before anything is opened; the AMQP and HTTP clients parse the URL
//! again, by their own rules.

use std::net::IpAddr;

use hyper::Uri;

/// A URL whose parts we looked at.
pub(super) struct Url {
    pub(super) scheme: String,
    /// Without brackets and in lower case.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) has_query: bool,
    pub(super) has_userinfo: bool,
    pub(super) has_password: bool,
}

impl Url {
    /// Takes a URL apart. `None` if it is none, has no host, or a port out of range.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let authority = uri.authority()?;
        let after_host = authority.as_str().rsplit('@').next()?.rsplit(']').next()?;
        if after_host.contains(':') {
            authority.port_u16()?;
        }
        let host = uri
            .host()?
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        let userinfo = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        let password = userinfo.and_then(|user| user.split_once(':'));
        (!host.is_empty()).then(|| Self {
            scheme: uri.scheme_str().unwrap_or_default().to_ascii_lowercase(),
            host,
            path: uri.path().to_owned(),
            has_query: uri.query().is_some(),
            has_userinfo: userinfo.is_some(),
            has_password: password.is_some_and(|(_, password)| !password.is_empty()),
        })
    }

    /// Whether nobody between us and the host can read along: the host is this machine.
    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether this host may be spoken to in plain text.
    ///
    /// # Errors
    /// The sentence that names the host and the setting that would allow it.
    pub(super) fn check_plaintext(&self, secure: &str, allowed: &[String]) -> Result<(), String> {
        if self.is_loopback() || allowed.contains(&self.host) {
            return Ok(());
        }
        Err(format!(
            "would send credentials to {host} in plain text; use {secure}://, or allow it with REVOKER_ALLOW_PLAINTEXT={host}",
            host = self.host
        ))
    }
}

/// A URL as it may be shown: without its userinfo and query, whole or broken as it may be.
pub(super) fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return "something without :// (withheld)".to_owned();
    };
    let rest = match rest.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => rest.to_owned(),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    super::parse::shown(&format!("{scheme}://{rest}"))
}

/// The user of a URL, empty if there is none, and whether it has a password.
pub(super) fn login(text: &str) -> (String, bool) {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((userinfo, _)) = authority.rsplit_once('@') else {
        return (String::new(), false);
    };
    match userinfo.split_once(':') {
        Some((user, password)) => (user.to_owned(), !password.is_empty()),
        None => (userinfo.to_owned(), false),
    }
}

/// Whether an API's URL is one that only a pretend API has.
pub(super) fn is_pretended(text: &str) -> bool {
    Url::parse(text).is_some_and(|url| url.scheme == "http" || url.is_loopback())
}

/// The hosts of `REVOKER_ALLOW_PLAINTEXT`.
pub(super) fn hosts(value: &str) -> Result<Vec<String>, String> {
    /// More than anybody needs.
    const HOSTS_MAX: usize = 32;
    let hosts: Vec<String> = value
        .split(',')
        .map(|host| host.trim().to_ascii_lowercase())
        .collect();
    let is_host = |host: &String| {
        let host = host.as_str();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        host.parse::<IpAddr>().is_ok()
            || (!host.is_empty() && host.len() <= 253 && host.chars().all(allowed))
    };
    if hosts.len() <= HOSTS_MAX && hosts.iter().all(is_host) {
        return Ok(hosts);
    }
    Err(format!(
        "is not a list of host names; give at most {HOSTS_MAX}, separated by commas, without scheme and port"
    ))
}
