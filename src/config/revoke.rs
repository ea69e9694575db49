//! Settings of the Stytch call: which project, its secret, where.

use std::time::Duration;

use secrecy::SecretString;

use super::{parse, problems::Reader, setting::Setting, tls, url};
use crate::{
    event::Environment,
    revoke::{SecretSource, Settings},
};

pub(super) const PROJECT_ID: Setting = Setting::new(
    "REVOKER_STYTCH_PROJECT_ID",
    "stytch-project-id",
    "ID",
    "Stytch's project, project-live-… or project-test-…; required to run",
);
pub(super) const SECRET: Setting = Setting::new(
    "REVOKER_STYTCH_SECRET",
    "stytch-secret",
    "SECRET",
    "The project's API secret; either this or its file is required. A flag can be seen by others on this machine: use the file or the variable",
)
.secret();
pub(super) const SECRET_FILE: Setting = Setting::new(
    "REVOKER_STYTCH_SECRET_FILE",
    "stytch-secret-file",
    "FILE",
    "File with the API secret, read again when it changes, so that a rotation needs no restart",
);
pub(super) const BASE_URL: Setting = Setting::new(
    "REVOKER_STYTCH_BASE_URL",
    "stytch-base-url",
    "URL",
    "Stytch's API; by default https://api.stytch.com for a live project and https://test.stytch.com for a test project. http:// only to this machine and to the hosts of REVOKER_ALLOW_PLAINTEXT",
);
pub(super) const CALL_TIMEOUT: Setting = Setting::new(
    "REVOKER_CALL_TIMEOUT",
    "call-timeout",
    "DURATION",
    "How long one API call may take in all, connecting included: 100ms to 1m",
)
.default("10s");

/// In the order of `--help`.
pub(super) const SETTINGS: &[&Setting] = &[
    &PROJECT_ID,
    &SECRET,
    &SECRET_FILE,
    &BASE_URL,
    &tls::STYTCH_CA_FILE,
    &CALL_TIMEOUT,
];

const LIVE_HOST: &str = "api.stytch.com";
const TEST_HOST: &str = "test.stytch.com";

/// A project, which says by its id to which environment it belongs.
pub(super) struct Project {
    pub(super) id: String,
    pub(super) environment: Environment,
}

/// The project, which must be given.
pub(super) fn required_project(reader: &mut Reader<'_>) -> Option<Project> {
    let remedy = "give project-live-… or project-test-… from Stytch's dashboard";
    reader.required(&PROJECT_ID, remedy, project)
}

/// The call's settings, and the secret as it is now.
pub(super) fn read(
    reader: &mut Reader<'_>,
    project: Option<&Project>,
    plaintext: &[String],
) -> Option<(Settings, SecretString)> {
    let secret = secret(reader);
    let base_url = match reader.raw(&BASE_URL) {
        Some(_) => reader.read(&BASE_URL, |value| base_url(value, project, plaintext)),
        None => project.map(|project| format!("https://{}", host(project.environment))),
    };
    let plain = reader.raw(&BASE_URL).and_then(url::Url::parse);
    let plain = plain.filter(|url| url.scheme == "http");
    let tls = tls::stytch(reader, plain.map(|_| BASE_URL.variable));
    let timeouts = Duration::from_millis(100)..=Duration::from_secs(60);
    let call_timeout = reader.read(&CALL_TIMEOUT, parse::duration(timeouts));
    let (source, secret) = secret?;
    let project_id = project?.id.clone();
    Some((
        Settings {
            project_id,
            secret: source,
            base_url: base_url?,
            tls: tls?,
            call_timeout: call_timeout?,
        },
        secret,
    ))
}

/// The project's id and environment: Stytch's SDKs take any other id for a test project, in silence.
pub(super) fn project(value: &str) -> Result<Project, String> {
    const ID_LEN_MAX: usize = 128;
    let environment = [Environment::Live, Environment::Test]
        .into_iter()
        .find(|environment| {
            let rest = value.strip_prefix(&format!("project-{}-", environment.as_str()));
            rest.is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            })
        });
    match environment {
        Some(environment) if value.len() <= ID_LEN_MAX => Ok(Project { id: value.to_owned(), environment }),
        // Not repeated: a secret pasted into the wrong variable must not show up in a log.
        _ => Err("is not a project id (value withheld); copy project-live-… or project-test-… from Stytch's dashboard".to_owned()),
    }
}

fn secret(reader: &mut Reader<'_>) -> Option<(SecretSource, SecretString)> {
    match (reader.raw(&SECRET), reader.raw(&SECRET_FILE)) {
        (Some(_), Some(_)) => {
            reader.problem(
                &SECRET,
                format!(
                    "and {} are both set; keep one of them",
                    SECRET_FILE.variable
                ),
            );
            None
        }
        (None, None) => {
            reader.problem(
                &SECRET,
                format!(
                    "is not set, nor is {}; give one of them",
                    SECRET_FILE.variable
                ),
            );
            None
        }
        (Some(secret), None) => {
            let secret = SecretString::from(secret);
            Some((SecretSource::Fixed(secret.clone()), secret))
        }
        (None, Some(path)) => {
            let secret = reader.read(&SECRET_FILE, parse::secret_file)?;
            Some((SecretSource::File(path.into()), secret))
        }
    }
}

fn base_url(
    value: &str,
    project: Option<&Project>,
    plaintext: &[String],
) -> Result<String, String> {
    let wrong = |what: &str| format!("is {}, {what}; give https:// and a host", url::shown(value));
    let url = url::Url::parse(value).ok_or_else(|| wrong("which cannot be read"))?;
    match url.scheme.as_str() {
        "https" => {}
        "http" => url.check_plaintext("https", plaintext)?,
        _ => return Err(wrong("which is not a web address")),
    }
    if url.has_userinfo || url.has_query || !matches!(url.path.as_str(), "" | "/") {
        return Err(wrong("which has more than a host and a port"));
    }
    let other = project.map(|project| match project.environment {
        Environment::Live => (TEST_HOST, "live"),
        Environment::Test => (LIVE_HOST, "test"),
    });
    if let Some((host, word)) = other.filter(|(host, _)| *host == url.host) {
        return Err(format!(
            "is https://{host}, but the project is a {word} one; leave it out, or give the other project"
        ));
    }
    Ok(value.trim_end_matches('/').to_owned())
}

const fn host(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => LIVE_HOST,
        Environment::Test => TEST_HOST,
    }
}
