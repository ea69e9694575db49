//! Settings of the broker stage; `revoker publish` needs these alone.

use secrecy::SecretString;

use super::{Management, parse, problems::Reader, setting::Setting, tls, url};
use crate::broker::{self, Login, TopologyMode};

pub(super) const AMQP_URL: Setting = Setting::new(
    broker::URL,
    "amqp-url",
    "URL",
    "RabbitMQ as amqps://user:password@host:port/vhost; required. amqp:// only to this machine and to the hosts of REVOKER_ALLOW_PLAINTEXT",
)
.secret();
pub(super) const AMQP_PASSWORD_FILE: Setting = Setting::new(
    "REVOKER_AMQP_PASSWORD_FILE",
    "amqp-password-file",
    "FILE",
    "File with RabbitMQ's password, in place of the URL's; read again at every connect",
);
pub(super) const PREFIX: Setting = Setting::new(
    "REVOKER_PREFIX",
    "prefix",
    "NAME",
    "What all names of exchanges and queues start with: 1 to 64 letters, digits, dots, dashes and underscores",
)
.default("revocation");
pub(super) const ALLOW_PLAINTEXT: Setting = Setting::new(
    "REVOKER_ALLOW_PLAINTEXT",
    "allow-plaintext",
    "HOSTS",
    "Hosts, separated by commas, that amqp:// and http:// may be used with, beside this machine; for networks that nobody can listen to",
);
pub(super) const TOPOLOGY: Setting = Setting::new(
    "REVOKER_TOPOLOGY",
    "topology",
    "declare|verify",
    "Whether missing exchanges and queues are declared, or all must be there already (then the RabbitMQ user needs few rights)",
)
.default("declare");

pub(super) const MANAGEMENT_URL: Setting = Setting::new(
    "REVOKER_RABBITMQ_MANAGEMENT_URL",
    "rabbitmq-management-url",
    "URL",
    "RabbitMQ's management API, such as https://user:password@host:15671, which only revoker check asks: it alone knows policies and bindings. Without a user in it, that of REVOKER_AMQP_URL. http:// only to this machine and to the hosts of REVOKER_ALLOW_PLAINTEXT",
)
.secret();

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[
    &AMQP_URL,
    &AMQP_PASSWORD_FILE,
    &tls::AMQP_CA_FILE,
    &tls::AMQP_CLIENT_CERT_FILE,
    &tls::AMQP_CLIENT_KEY_FILE,
    &PREFIX,
    &ALLOW_PLAINTEXT,
];

/// The settings of `SETTINGS`, and the topology mode of the worker. `project_id` and `retry_delays`
/// are other stages' settings that the names of this one's queues depend on.
pub(super) fn read(reader: &mut Reader<'_>, plaintext: &[String]) -> Option<broker::Settings> {
    let url = reader.required(&AMQP_URL, "give amqps://user:password@host/vhost", |v| {
        amqp_url(v, plaintext)
    });
    let password_file = reader.read(&AMQP_PASSWORD_FILE, |v| {
        parse::secret_file(v).map(|_| v.into())
    });
    let given = reader.raw(&AMQP_URL).and_then(url::Url::parse);
    let plain = given.as_ref().filter(|url| url.scheme == "amqp");
    let tls = tls::amqp(reader, plain.map(|_| broker::URL));
    let has_password = password_file.is_some() || given.is_none_or(|url| url.has_password);
    let prefix = reader.read(&PREFIX, parse::name);
    let modes = [
        ("declare", TopologyMode::Declare),
        ("verify", TopologyMode::Verify),
    ];
    let topology = reader.read(&TOPOLOGY, parse::word(&modes));
    Some(broker::Settings {
        url: url?,
        password_file,
        login: match &tls {
            Some(files) if files.identity.is_some() && !has_password => Login::Certificate,
            _ => Login::Password,
        },
        tls: tls?,
        prefix: prefix?,
        topology: topology?,
        project_id: String::new(),
        retry_delays: Vec::new(),
    })
}

/// The management API, if it is given.
pub(super) fn management(reader: &mut Reader<'_>, plaintext: &[String]) -> Option<Management> {
    reader.read(&MANAGEMENT_URL, |value| management_url(value, plaintext))
}

fn management_url(value: &str, plaintext: &[String]) -> Result<Management, String> {
    let wrong = |what: &str| {
        let shown = url::shown(value);
        format!("is {shown}, {what}; give https://user:password@host:15671")
    };
    let url = url::Url::parse(value).ok_or_else(|| wrong("which cannot be read"))?;
    match url.scheme.as_str() {
        "https" => {}
        "http" => url.check_plaintext("https", plaintext)?,
        _ => return Err(wrong("which is not a web address")),
    }
    if url.has_query {
        return Err(wrong("which has more than a host, a port and a path"));
    }
    Ok(Management {
        url: SecretString::from(value.trim_end_matches('/')),
        has_user: url.has_userinfo,
    })
}

/// The hosts that may be spoken to in plain text; none when the setting is wrong.
pub(super) fn plaintext_hosts(reader: &mut Reader<'_>) -> Vec<String> {
    reader
        .read(&ALLOW_PLAINTEXT, url::hosts)
        .unwrap_or_default()
}

fn amqp_url(value: &str, plaintext: &[String]) -> Result<SecretString, String> {
    let wrong = |what: &str| {
        format!(
            "is {}, {what}; give amqps://user:password@host:port/vhost",
            url::shown(value)
        )
    };
    let url = url::Url::parse(value).ok_or_else(|| {
        wrong("which cannot be read (a password with characters such as / or @ must be percent-encoded)")
    })?;
    match url.scheme.as_str() {
        "amqps" => {}
        "amqp" => url.check_plaintext("amqps", plaintext)?,
        _ => return Err(wrong("which is not an AMQP URL")),
    }
    Ok(SecretString::from(value))
}
