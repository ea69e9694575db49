//! Settings of TLS: files whose paths are given here, and which the stages read again for every connection.
//!
//! They are read once before anything is opened, so that a wrong path, a wrong file and a key that does not
//! fit its certificate are told with everything else that is wrong.

use super::{parse, problems::Reader, setting::Setting};
use crate::{
    broker,
    tls::{Files, IdentityFiles, Part},
};

pub(super) const AMQP_CA_FILE: Setting = Setting::new(
    broker::CA_FILE,
    "amqp-ca-file",
    "FILE",
    "Certificates (PEM) of the CAs that RabbitMQ's certificate may be signed by, in place of this system's; with amqps:// and with https:// of the management API. Read again at every connect",
);
pub(super) const AMQP_CLIENT_CERT_FILE: Setting = Setting::new(
    broker::CLIENT_CERT_FILE,
    "amqp-client-cert-file",
    "FILE",
    "Our own certificate (PEM), and behind it those between it and its CA, for a RabbitMQ that asks for one; read again at every connect. When neither the URL nor a file gives a password, the worker logs in by it (SASL EXTERNAL), as the user that RabbitMQ takes from it",
);
pub(super) const AMQP_CLIENT_KEY_FILE: Setting = Setting::new(
    broker::CLIENT_KEY_FILE,
    "amqp-client-key-file",
    "FILE",
    "The key (PEM, without a passphrase) of that certificate; read again at every connect. Nobody but its owner may read the file",
);
pub(super) const STYTCH_CA_FILE: Setting = Setting::new(
    crate::revoke::CA_FILE,
    "stytch-ca-file",
    "FILE",
    "Certificates (PEM) of CAs that are trusted for Stytch's API beside this system's, such as a proxy's that inspects TLS; read again when the file changes",
);

/// RabbitMQ's files. `plain`: the setting of a URL that has no TLS, if there is one, which then must not be given.
pub(super) fn amqp(reader: &mut Reader<'_>, plain: Option<&'static str>) -> Option<Files> {
    let path = |reader: &Reader<'_>, setting| reader.raw(setting).map(Into::into);
    let (certificate, key) = (&AMQP_CLIENT_CERT_FILE, &AMQP_CLIENT_KEY_FILE);
    let identity = match (path(reader, certificate), path(reader, key)) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some(IdentityFiles { certificate, key }),
        (Some(_), None) => return lacks(reader, key, certificate),
        (None, Some(_)) => return lacks(reader, certificate, key),
    };
    let files = Files {
        authorities: path(reader, &AMQP_CA_FILE),
        identity,
    };
    let settings = [&AMQP_CA_FILE, certificate, key];
    let ok = usable(reader, &files, &settings, plain);
    ok.then_some(files)
}

/// Stytch's CAs.
pub(super) fn stytch(reader: &mut Reader<'_>, plain: Option<&'static str>) -> Option<Files> {
    let files = Files {
        authorities: reader.raw(&STYTCH_CA_FILE).map(Into::into),
        identity: None,
    };
    usable(reader, &files, &[&STYTCH_CA_FILE], plain).then_some(files)
}

/// One without the other.
fn lacks(reader: &mut Reader<'_>, missing: &Setting, given: &Setting) -> Option<Files> {
    let text = format!(
        "is not set, but {} is; give both, or neither",
        given.variable
    );
    reader.problem(missing, text);
    None
}

/// Whether nothing is wrong with the files; what is, is noted.
fn usable(
    reader: &mut Reader<'_>,
    files: &Files,
    settings: &[&Setting],
    plain: Option<&str>,
) -> bool {
    let given = settings
        .iter()
        .find(|setting| reader.raw(setting).is_some());
    if let (Some(given), Some(url)) = (given, plain) {
        let text = format!(
            "is set, but {url} has no TLS; give that as {}, or leave this out",
            secure(url)
        );
        reader.problem(given, text);
        return false;
    }
    let flaws = files.load().err().unwrap_or_default();
    for flaw in &flaws {
        let setting = match flaw.part {
            Part::Authorities => settings[0],
            Part::Certificate => settings[1],
            Part::Key => settings[2],
        };
        reader.problem(setting, flaw.to_string());
    }
    let read = flaws.iter().all(|flaw| flaw.part != Part::Key);
    let key = files.identity.as_ref().filter(|_| read);
    let open = key.and_then(|files| parse::owners_text(&files.key.to_string_lossy()).err());
    if let Some(text) = &open {
        reader.problem(&AMQP_CLIENT_KEY_FILE, text.as_str());
    }
    flaws.is_empty() && open.is_none()
}

fn secure(url: &str) -> &'static str {
    if url == broker::URL {
        "amqps://"
    } else {
        "https://"
    }
}
