//! Why the broker cannot be used, as a closed set: for the state that is shown and for metrics.
//!
//! The error itself, which names queues and users, goes to the log; this is what a stranger may see.

use super::Error;
use crate::{closed_set, settle::PublishError, tls};

closed_set! {
    /// Why the broker cannot be used.
    Trouble {
        /// The first connection is being made.
        NotConnected => "not_connected",
        /// The session ended; a new one is tried at once.
        SessionLost => "session_lost",
        /// Nobody answers at its address, or the connection broke.
        Unreachable => "unreachable",
        /// A call took too long.
        NoAnswer => "no_answer",
        /// Our user or its password is refused.
        LoginRefused => "login_refused",
        /// Our user may not use the vhost, or there is none of that name.
        VhostRefused => "vhost_refused",
        /// Our user lacks a right on an exchange or a queue.
        RightMissing => "right_missing",
        /// The file with the password cannot be read.
        PasswordFile => "password_file",
        /// A file of certificates or with a key cannot be used.
        TlsFile => "tls_file",
        /// Its certificate is not to be trusted.
        CertificateRefused => "certificate_refused",
        /// It wants a certificate of ours, or refuses the one we have.
        ClientCertificateRefused => "client_certificate_refused",
        /// It does not speak TLS as we do.
        TlsFailed => "tls_failed",
        /// The URL is none.
        UrlWrong => "url_wrong",
        /// An exchange or a queue is missing.
        TopologyMissing => "topology_missing",
        /// An exchange or a queue has other arguments.
        TopologyDiffers => "topology_differs",
        /// The names belong to another Stytch project.
        OtherProject => "other_project",
        /// `connection.blocked`: a memory or disk alarm.
        PublishingBlocked => "publishing_blocked",
    }
}

closed_set! {
    /// What of us the broker refuses.
    Refusal {
        /// Our user or its password.
        Login => "login",
        /// The name in our certificate.
        Certificate => "certificate",
        /// The vhost.
        Vhost => "vhost",
        /// A right on an exchange or a queue.
        Right => "right",
    }
}

impl Error {
    /// The error as one of the closed set.
    pub const fn trouble(&self) -> Trouble {
        match self {
            Self::BadUrl(_) => Trouble::UrlWrong,
            Self::PasswordFile(_) => Trouble::PasswordFile,
            Self::TlsFile(_) => Trouble::TlsFile,
            Self::Tls(failure) => match failure.kind {
                tls::Kind::Certificate => Trouble::CertificateRefused,
                tls::Kind::Ours => Trouble::ClientCertificateRefused,
                tls::Kind::Protocol => Trouble::TlsFailed,
            },
            Self::OtherProject { .. } => Trouble::OtherProject,
            Self::Mismatch(_) => Trouble::TopologyDiffers,
            Self::Refused(Refusal::Login, _) => Trouble::LoginRefused,
            Self::Refused(Refusal::Certificate, _) => Trouble::ClientCertificateRefused,
            Self::Refused(Refusal::Vhost, _) => Trouble::VhostRefused,
            Self::Refused(Refusal::Right, _) | Self::Publish(PublishError::Forbidden) => {
                Trouble::RightMissing
            }
            Self::Missing(_) | Self::Publish(PublishError::Returned) => Trouble::TopologyMissing,
            Self::Blocked => Trouble::PublishingBlocked,
            Self::TimedOut(_) | Self::Publish(PublishError::TimedOut) => Trouble::NoAnswer,
            // A worker never asks for a queue of its own: it hears this as little as any other trouble of a connection.
            Self::Unreachable(_) | Self::InUse(_) | Self::Publish(_) => Trouble::Unreachable,
        }
    }
}
