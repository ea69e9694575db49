//! Settings of a campaign's report: the broker, and the key that signs.
//!
//! Who reads the key is the report; here it is only seen to be a file that nobody else may use.

use secrecy::zeroize::Zeroizing;

use super::{PublishSettings, broker, parse, problems::Reader, revoke, setting::Setting};

pub(super) const SIGN_KEY_FILE: Setting = Setting::new(
    "REVOKER_SIGN_KEY_FILE",
    "sign-key-file",
    "FILE",
    "OpenSSH private key without a passphrase, written by ssh-keygen -t ed25519 -N '', that signs the reports of revoker campaign report, which alone reads it. Nobody but its owner may read the file",
);

/// What `revoker campaign report` needs to know, checked.
#[derive(Debug)]
pub struct ReportSettings {
    /// RabbitMQ, and the project, when it was given.
    pub of: PublishSettings,
    /// The file that signs, when it was given.
    pub sign_key: Option<SignKeyFile>,
}

/// A file with a private key, read.
pub struct SignKeyFile {
    /// The text, not looked at yet.
    pub text: Zeroizing<String>,
    /// Which setting, and the file as it may be shown: what an error about it begins with.
    pub named: String,
}

impl std::fmt::Debug for SignKeyFile {
    /// Not the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignKeyFile({})", self.named)
    }
}

impl super::ReportArgs {
    /// Checks everything.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<ReportSettings, super::Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let broker = broker::read(&mut reader, &plaintext);
        let project = reader.read(&revoke::PROJECT_ID, revoke::project);
        let project = project.map(|project| (project.id, project.environment));
        let sign_key = reader.read(&SIGN_KEY_FILE, sign_key_file);
        let of = broker.map(|broker| PublishSettings { broker, project });
        reader.finish(of.map(|of| ReportSettings { of, sign_key }))
    }
}

impl super::VerifyReportArgs {
    /// Checks everything. Without `REVOKER_AMQP_URL` there is no broker to ask.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn settings(&self) -> Result<Option<crate::broker::Settings>, super::Problems> {
        let mut reader = Reader::new(&self.values);
        let plaintext = broker::plaintext_hosts(&mut reader);
        let given = reader.raw(&broker::AMQP_URL).is_some();
        let broker = given.then(|| broker::read(&mut reader, &plaintext));
        let settings = match broker {
            Some(broker) => broker.map(Some),
            None => Some(None),
        };
        reader.finish(settings)
    }
}

fn sign_key_file(path: &str) -> Result<SignKeyFile, String> {
    Ok(SignKeyFile {
        text: parse::owners_text(path)?,
        named: format!(
            "{} names the file {}",
            SIGN_KEY_FILE.variable,
            parse::shown(path)
        ),
    })
}
