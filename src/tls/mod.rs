//! The files of TLS: whom we trust and who we are, in PEM, and what is wrong with them.
//!
//! Not the sockets: those are RabbitMQ's and Stytch's clients', which read the files again for every new
//! connection, so that a certificate is replaced without a restart. Here, and not in both stages, because
//! `config` looks at the same files before anything is opened.

mod failure;

use std::{
    fmt, fs,
    io::Read,
    path::{Path, PathBuf},
};

use rustls::{
    Error, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use secrecy::zeroize::Zeroizing;

pub use failure::{Failure, Kind, Peer};

/// A file is never longer, bytes: a system's bundle of CAs is a quarter of that.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What a key looks like that somebody must type a passphrase for.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// The files of one side of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Certificates of CAs.
    pub authorities: Option<PathBuf>,
    /// Who we are.
    pub identity: Option<IdentityFiles>,
}

/// Our own certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// Our certificate, and behind it those that lead to a CA.
    pub certificate: PathBuf,
    /// Its key, without a passphrase.
    pub key: PathBuf,
}

/// What stands in the files.
#[derive(Debug, Default)]
pub struct Loaded {
    /// CAs to be trusted, when there is a file of them; never empty then.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// Who we are.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// Which of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// CAs.
    Authorities,
    /// Our certificate.
    Certificate,
    /// Its key.
    Key,
}

/// What is wrong with one of the files, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which one.
    pub part: Part,
    path: PathBuf,
    what: String,
}

impl fmt::Display for Flaw {
    /// What follows the name of a setting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "names the file {:?}, {}", self.path, self.what)
    }
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn load(&self) -> Result<Loaded, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut keep = |flaw| flaws.push(flaw);
        let authorities = self.authorities.as_deref();
        let authorities = authorities.map(|path| authorities_of(path).map_err(&mut keep).ok());
        let identity = self.identity.as_ref();
        let identity = identity.map(|files| {
            let certificate = certificates(Part::Certificate, &files.certificate);
            let certificate = certificate.map_err(&mut keep).ok();
            let key = key_of(&files.key).map_err(&mut keep).ok();
            let (certificate, key) = (certificate?, key?);
            let fits = fits(files, &certificate, &key).map_err(&mut keep);
            fits.ok().map(|()| (certificate, key))
        });
        if !flaws.is_empty() {
            return Err(flaws);
        }
        Ok(Loaded {
            authorities: authorities.flatten(),
            identity: identity.flatten(),
        })
    }
}

fn flaw(part: Part, path: &Path, what: impl Into<String>) -> Flaw {
    Flaw {
        part,
        path: path.to_owned(),
        what: what.into(),
    }
}

/// The certificates of CAs, each of which can be trusted.
fn authorities_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let part = Part::Authorities;
    let found = certificates(part, path)?;
    let mut store = RootCertStore::empty();
    for certificate in &found {
        store
            .add(certificate.clone())
            .map_err(|_| flaw(part, path, BROKEN_CERTIFICATE))?;
    }
    Ok(found)
}

const BROKEN_CERTIFICATE: &str =
    "which holds a certificate that cannot be used; give one of X.509 version 3, in PEM";

fn certificates(part: Part, path: &Path) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let text = read(part, path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|_| flaw(part, path, BROKEN_CERTIFICATE))?;
    if found.is_empty() {
        let what = "which holds no certificate; give one in PEM, that begins with -----BEGIN CERTIFICATE-----";
        return Err(flaw(part, path, what));
    }
    Ok(found)
}

fn key_of(path: &Path) -> Result<PrivateKeyDer<'static>, Flaw> {
    let text = read(Part::Key, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let is_encrypted = text.windows(ENCRYPTED.len()).any(|piece| piece == ENCRYPTED);
        let what = match is_encrypted {
            true => "which holds a key with a passphrase, that nobody could type; write it again without one: openssl pkey -in FILE -out FILE",
            false => "which holds no private key; give one in PEM, that begins with -----BEGIN PRIVATE KEY-----",
        };
        flaw(Part::Key, path, what)
    })
}

/// Whether the key is the first certificate's.
fn fits(
    files: &IdentityFiles,
    certificates: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<(), Flaw> {
    let provider = aws_lc_rs::default_provider();
    match CertifiedKey::from_der(certificates.to_vec(), key.clone_key(), &provider) {
        Ok(_) => Ok(()),
        Err(Error::InvalidCertificate(_)) => Err(flaw(
            Part::Certificate,
            &files.certificate,
            BROKEN_CERTIFICATE,
        )),
        Err(Error::InconsistentKeys(_)) => {
            let what = format!(
                "which is not the key of the certificate in {:?}; give the pair that was made together, our own certificate first",
                files.certificate
            );
            Err(flaw(Part::Key, &files.key, what))
        }
        Err(_) => Err(flaw(
            Part::Key,
            &files.key,
            "which holds a key that cannot be used; give one of RSA, ECDSA or Ed25519",
        )),
    }
}

fn read(part: Part, path: &Path) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    // Wiped after use: one of them is a key.
    let mut text = Zeroizing::new(Vec::new());
    let read =
        fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text));
    if let Err(error) = read {
        let what = format!(
            "which cannot be read ({}); check the path and who may read it",
            error.kind()
        );
        return Err(flaw(part, path, what));
    }
    if text.len() as u64 > FILE_BYTES_MAX {
        let what = format!("which is longer than {FILE_BYTES_MAX} bytes; check the path");
        return Err(flaw(part, path, what));
    }
    if text.trim_ascii().is_empty() {
        let what = match part {
            Part::Key => "which is empty; put the private key there, in PEM",
            Part::Authorities | Part::Certificate => {
                "which is empty; put the certificate there, in PEM"
            }
        };
        return Err(flaw(part, path, what));
    }
    Ok(text)
}
