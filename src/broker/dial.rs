//! One connection, opened: with whom, as whom, over TLS or not.
//!
//! All connections of this crate to RabbitMQ are made here. The files with the password, with the CAs and
//! with our certificate are read for each of them, so that they are replaced without a restart.

use lapin::{
    Connection, ConnectionProperties, ErrorKind,
    uri::{AMQPScheme, AMQPUri, SASLMechanism},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{CALL_MAX, Error, Login, Refusal, Role, Settings, explain, transport};
use crate::tls::{Failure, Flaw, Loaded, Part, Peer};

/// The setting that says where the broker is.
pub const URL: &str = "REVOKER_AMQP_URL";
/// The setting with the file of the CAs that the broker's certificate is signed by.
pub const CA_FILE: &str = "REVOKER_AMQP_CA_FILE";
/// The setting with the file of our certificate.
pub const CLIENT_CERT_FILE: &str = "REVOKER_AMQP_CLIENT_CERT_FILE";
/// The setting with the file of its key.
pub const CLIENT_KEY_FILE: &str = "REVOKER_AMQP_CLIENT_KEY_FILE";

/// Seconds between heartbeats: a dead network is noticed after two. The server's own wish is 60.
const HEARTBEAT: u16 = 10;
/// Longest frame on the publishing connection, bytes. The library keeps buffers of 64 frames for a
/// connection: at RabbitMQ's own 128 KiB that is 8 MiB. Our headers are far shorter, and bodies are cut into
/// frames. The consuming connection keeps 128 KiB: a publisher's headers come in one frame.
const PUBLISHER_FRAME_BYTES_MAX: u32 = 32 * 1024;

/// Opens one connection of a worker's, or of a publisher's.
pub(crate) async fn dial(settings: &Settings, role: Role) -> Result<Connection, Error> {
    let frame_max = (role == Role::Publisher).then_some(PUBLISHER_FRAME_BYTES_MAX);
    dial_as(role.as_str(), settings, frame_max).await
}

/// Opens a connection under this name, which RabbitMQ shows.
pub(crate) async fn dial_as(
    name: &str,
    settings: &Settings,
    frame_max: Option<u32>,
) -> Result<Connection, Error> {
    let mut uri = uri(settings)?;
    uri.query.heartbeat = Some(HEARTBEAT);
    uri.query.frame_max = frame_max.or(uri.query.frame_max);
    uri.query.connection_timeout = u64::try_from(CALL_MAX.as_millis()).ok();
    if settings.login == Login::Certificate {
        uri.query.auth_mechanism = Some(SASLMechanism::External);
    }
    let files = match uri.scheme {
        AMQPScheme::AMQP => Loaded::default(),
        AMQPScheme::AMQPS => settings.tls.load().map_err(|flaws| unusable(&flaws))?,
    };
    // No automatic recovery: it hung for ever under load and resets. The loop of `connect` is our own.
    let properties =
        ConnectionProperties::default().with_connection_name(format!("revoker {name}").into());
    let user = uri.authority.userinfo.username.clone();
    match timeout(CALL_MAX, transport::connect(uri, properties, files)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failed(&error, settings, &user)),
        Err(_) => Err(Error::TimedOut("connect")),
    }
}

/// The user and the password that these settings give, for what is not spoken to over AMQP.
///
/// # Errors
/// When the URL or the password's file cannot be used, or we log in by a certificate.
pub fn login(settings: &Settings) -> Result<(String, SecretString), Error> {
    if settings.login == Login::Certificate {
        return Err(Error::BadUrl(
            "it has no password, for we log in by our certificate".into(),
        ));
    }
    let user = uri(settings)?.authority.userinfo;
    Ok((user.username, SecretString::from(user.password)))
}

fn uri(settings: &Settings) -> Result<AMQPUri, Error> {
    // The parser's own text could repeat the URL, and with it the password.
    let mut uri: AMQPUri = settings.url.expose_secret().parse().map_err(|_| {
        Error::BadUrl("it is not an AMQP URL such as amqp://user@host:5672/vhost".into())
    })?;
    if let Some(path) = &settings.password_file {
        let password = std::fs::read_to_string(path)
            .map_err(|error| Error::PasswordFile(error.kind().to_string()))?;
        uri.authority.userinfo.password = password.trim().to_owned();
    }
    Ok(uri)
}

/// The first of the files that cannot be used: the others are told when it is mended.
fn unusable(flaws: &[Flaw]) -> Error {
    let text = flaws.first().map(|flaw| {
        let setting = match flaw.part {
            Part::Authorities => CA_FILE,
            Part::Certificate => CLIENT_CERT_FILE,
            Part::Key => CLIENT_KEY_FILE,
        };
        format!("{setting} {flaw}")
    });
    Error::TlsFile(text.unwrap_or_default())
}

fn failed(error: &lapin::Error, settings: &Settings, user: &str) -> Error {
    let peer = Peer {
        name: "RabbitMQ",
        url: URL,
        authorities: CA_FILE,
        identity: Some(CLIENT_CERT_FILE),
        has_authorities: settings.tls.authorities.is_some(),
        has_identity: settings.tls.identity.is_some(),
    };
    if let ErrorKind::IOError(io) = error.kind()
        && let Some(failure) = Failure::of(&**io, &peer)
    {
        return Error::Tls(failure);
    }
    match (explain::error(error), settings.login) {
        // The broker says only that it refuses, not whom.
        (Error::Refused(Refusal::Login, said), Login::Password) => {
            let whom = format!("the user '{user}' or its password is wrong ({said})");
            Error::Refused(Refusal::Login, whom)
        }
        (Error::Refused(Refusal::Login, said), Login::Certificate) => {
            let whom = format!("our certificate is no user's ({said})");
            Error::Refused(Refusal::Certificate, whom)
        }
        (other, _) => other,
    }
}
