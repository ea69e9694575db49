//! What a failed handshake means. The files beside it were made for tests and vouch for nothing.

use std::io;

use revoker::tls::{Failure, Kind, Peer};
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible,
    pki_types::{ServerName, UnixTime},
};

/// Who is spoken to: whether a file of CAs and a certificate of ours are given.
fn peer(has_authorities: bool, has_identity: bool) -> Peer {
    Peer {
        name: "RabbitMQ",
        url: "URL",
        authorities: "CA_FILE",
        identity: Some("CERT_FILE"),
        has_authorities,
        has_identity,
    }
}

#[track_caller]
fn check(error: Error, peer: &Peer, kind: Kind, text: &str) {
    // As the sockets hand it out, and once more within another.
    let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
    let failure = Failure::of(&error, peer).expect("TLS is at its root");
    assert_eq!((failure.kind, failure.text.as_str()), (kind, text));
    assert_eq!(
        failure.text.matches("; ").count(),
        1,
        "what is wrong; what to do"
    );
}

#[test]
fn a_certificate_that_is_not_to_be_trusted() {
    let refused = |error, given, text: &str| {
        let error = Error::InvalidCertificate(error);
        check(error, &peer(given, false), Kind::Certificate, text);
    };
    let by_another = "RabbitMQ's certificate is not signed by a CA in the file of CA_FILE; put the certificate of its CA there, or let it show the certificates between";
    refused(CertificateError::UnknownIssuer, true, by_another);
    refused(CertificateError::BadSignature, true, by_another);
    refused(
        CertificateError::UnknownIssuer,
        false,
        "RabbitMQ's certificate is not signed by a CA that this system trusts; name a file with its CA's certificate in CA_FILE",
    );
    let names = |presented: &[&str]| CertificateError::NotValidForNameContext {
        expected: ServerName::try_from("rabbit").unwrap(),
        presented: presented.iter().map(|name| (*name).to_owned()).collect(),
    };
    refused(
        names(&["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"]),
        true,
        "RabbitMQ's certificate is for a.example, 127.0.0.1, not for rabbit; use its name in URL, or give it a certificate for that one",
    );
    refused(
        names(&[]),
        true,
        "RabbitMQ's certificate is for no name at all, not for rabbit; use its name in URL, or give it a certificate for that one",
    );
    let time = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let (time, not_after) = (time(2_000_000_000), time(1_000_000_000));
    refused(
        CertificateError::ExpiredContext { time, not_after },
        true,
        "RabbitMQ's certificate expired at 2001-09-09T01:46:40Z; renew it there, or set this machine's clock right",
    );
}

#[test]
fn a_certificate_of_ours_that_lacks_or_is_refused() {
    let ours = |alert, given, text: &str| {
        check(
            Error::AlertReceived(alert),
            &peer(true, given),
            Kind::Ours,
            text,
        );
    };
    let wanted = "RabbitMQ wants a certificate of ours (CertificateRequired); name its file in CERT_FILE, and its key's";
    ours(AlertDescription::CertificateRequired, false, wanted);
    let refused = "RabbitMQ refuses our certificate (UnknownCA); name one in CERT_FILE that has not expired and that a CA has signed which RabbitMQ trusts";
    ours(AlertDescription::UnknownCA, true, refused);
}

#[test]
fn tls_of_another_kind() {
    let protocol = |error, text: &str| check(error, &peer(true, false), Kind::Protocol, text);
    let old =
        "RabbitMQ does not offer TLS 1.2 or 1.3 with a safe cipher suite; allow one of them there";
    for alert in [
        AlertDescription::ProtocolVersion,
        AlertDescription::InsufficientSecurity,
    ] {
        protocol(Error::AlertReceived(alert), old);
    }
    let incompatible = PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig;
    protocol(Error::PeerIncompatible(incompatible), old);
    protocol(
        Error::InvalidMessage(InvalidMessage::InvalidContentType),
        "what answers in RabbitMQ's place does not speak TLS; check the port in URL",
    );
    protocol(
        Error::AlertReceived(AlertDescription::InternalError),
        "RabbitMQ ended the TLS handshake (InternalError); see its log",
    );
    let other = io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(Failure::of(&other, &peer(true, true)), None);
}
