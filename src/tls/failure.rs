//! What a failed handshake means, and what to do about it.
//!
//! Pure. The TLS library's own words name no setting, and a certificate that is not trusted, for another
//! name or expired is nobody's fault who reads the log at night: each gets a sentence.

use std::{error::Error as StdError, io};

use jiff::Timestamp;
use rustls::{
    AlertDescription as Alert, CertificateError as Certificate, Error, pki_types::UnixTime,
};

/// How many of a certificate's names are repeated.
const NAMES_MAX: usize = 5;

/// With whom the handshake was made, in words and settings.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Such as `RabbitMQ`.
    pub name: &'static str,
    /// The setting that says where it is.
    pub url: &'static str,
    /// The setting with the file of CAs.
    pub authorities: &'static str,
    /// The setting with our own certificate, if it can be given.
    pub identity: Option<&'static str>,
    /// Whether the file of CAs is given.
    pub has_authorities: bool,
    /// Whether our own certificate is given.
    pub has_identity: bool,
}

/// Why the handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its certificate is not to be trusted.
    Certificate,
    /// It wants our certificate, or refuses it.
    Ours,
    /// It does not speak TLS as we do.
    Protocol,
}

/// A failed handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub kind: Kind,
    /// What is wrong; what to do.
    pub text: String,
}

impl Failure {
    /// What an error means, if TLS is at its root.
    pub fn of(error: &(dyn StdError + 'static), peer: &Peer) -> Option<Self> {
        let (kind, text) = peer.explain(root(error)?);
        Some(Self { kind, text })
    }
}

/// The TLS library's error under another.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // An I/O error's source is that of the error it holds, not that error.
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

impl Peer {
    fn explain(&self, error: &Error) -> (Kind, String) {
        match error {
            Error::InvalidCertificate(certificate) => {
                (Kind::Certificate, self.distrusted(certificate))
            }
            Error::AlertReceived(alert) => self.alerted(*alert),
            Error::PeerIncompatible(_) => (Kind::Protocol, self.too_old()),
            Error::InvalidMessage(_) => {
                let text = format!(
                    "what answers in {}'s place does not speak TLS; check the port in {}",
                    self.name, self.url
                );
                (Kind::Protocol, text)
            }
            other => (
                Kind::Protocol,
                format!("TLS with {} failed: {other}", self.name),
            ),
        }
    }

    fn distrusted(&self, error: &Certificate) -> String {
        let Self {
            name,
            url,
            authorities,
            ..
        } = self;
        match error {
            // A CA of the same name with another key has not signed it either.
            Certificate::UnknownIssuer | Certificate::BadSignature => match self.has_authorities {
                true => format!(
                    "{name}'s certificate is not signed by a CA in the file of {authorities}; put the certificate of its CA there, or let it show the certificates between"
                ),
                false => format!(
                    "{name}'s certificate is not signed by a CA that this system trusts; name a file with its CA's certificate in {authorities}"
                ),
            },
            Certificate::NotValidForNameContext {
                expected,
                presented,
            } => format!(
                "{name}'s certificate is for {}, not for {}; use its name in {url}, or give it a certificate for that one",
                names(presented),
                expected.to_str()
            ),
            Certificate::NotValidForName => {
                format!("{name}'s certificate is for another name; use that one in {url}")
            }
            Certificate::ExpiredContext { not_after, .. } => {
                format!(
                    "{name}'s certificate expired{}; renew it there, or set this machine's clock right",
                    at(*not_after)
                )
            }
            Certificate::Expired => format!(
                "{name}'s certificate has expired; renew it there, or set this machine's clock right"
            ),
            Certificate::NotValidYetContext { not_before, .. } => {
                format!(
                    "{name}'s certificate is valid only later{}; set this machine's clock right, or that where it was made",
                    at(*not_before)
                )
            }
            Certificate::Revoked => {
                format!("{name}'s certificate was revoked; give it another one")
            }
            other => format!("{name}'s certificate cannot be used ({other}); give it another one"),
        }
    }

    fn alerted(&self, alert: Alert) -> (Kind, String) {
        let name = self.name;
        match (alert, self.identity) {
            // Newer Erlangs say it of a client's versions, too.
            (Alert::ProtocolVersion | Alert::InsufficientSecurity, _) => {
                (Kind::Protocol, self.too_old())
            }
            (
                Alert::CertificateRequired | Alert::HandshakeFailure | Alert::BadCertificate,
                Some(identity),
            ) if !self.has_identity => {
                let text = format!(
                    "{name} wants a certificate of ours ({alert:?}); name its file in {identity}, and its key's"
                );
                (Kind::Ours, text)
            }
            (
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::DecryptError
                | Alert::HandshakeFailure
                | Alert::CertificateRequired,
                Some(identity),
            ) => {
                let text = format!(
                    "{name} refuses our certificate ({alert:?}); name one in {identity} that has not expired and that a CA has signed which {name} trusts"
                );
                (Kind::Ours, text)
            }
            _ => {
                let text = format!("{name} ended the TLS handshake ({alert:?}); see its log");
                (Kind::Protocol, text)
            }
        }
    }

    fn too_old(&self) -> String {
        format!(
            "{} does not offer TLS 1.2 or 1.3 with a safe cipher suite; allow one of them there",
            self.name
        )
    }
}

/// The names of a certificate, for people; the library gives them as `DnsName("a.example")`.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no name at all".to_owned();
    }
    let bare = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let shown: Vec<_> = presented.iter().take(NAMES_MAX).map(bare).collect();
    let more = if presented.len() > NAMES_MAX {
        " and others"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}

/// ` at` a time, if it is one.
fn at(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(|time| format!(" at {time}")).unwrap_or_default()
}
