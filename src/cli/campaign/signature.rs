//! Signatures of reports: SSHSIG, as `ssh-keygen -Y sign` and `-Y verify` make and check them.
//!
//! Keys that security people have, a format that outlives us, and no trust in this program: the file
//! `allowed_signers` is ssh-keygen's own. What a line of it says and we do not know makes the line
//! useless, never broader.

use anyhow::{Result, anyhow, bail};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use crate::config::SignKeyFile;

/// What the signatures are for: a signature made for something else is refused.
pub(super) const NAMESPACE: &str = "revoker-report";
/// Who signs, in `allowed_signers`.
pub(super) const IDENTITY: &str = "revoker";

/// A key that signs.
pub(super) struct Signer(PrivateKey);

impl Signer {
    /// The key of a file. Errors never hold a piece of it.
    pub(super) fn read(file: &SignKeyFile) -> Result<Self> {
        let wrong = |what: &str| {
            anyhow!(
                "{}, which {what}; write one with ssh-keygen -t ed25519 -N '' -f FILE",
                file.named
            )
        };
        let key = PrivateKey::from_openssh(file.text.as_bytes());
        let key =
            key.map_err(|_| wrong("is no OpenSSH private key of a kind that can be read here"))?;
        if key.is_encrypted() {
            return Err(wrong("has a passphrase, and nobody is there to type it"));
        }
        match key.algorithm() {
            Algorithm::Ed25519 => Ok(Self(key)),
            other => Err(wrong(&format!(
                "is of the kind {other}, and only Ed25519 is used"
            ))),
        }
    }

    /// The signature of a text, as it stands in a file.
    pub(super) fn sign(&self, text: &[u8]) -> Result<String> {
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, text);
        let pem = signature.and_then(|signature| signature.to_pem(LineEnding::LF));
        pem.map_err(|error| anyhow!("the digest cannot be signed: {error}"))
    }

    /// The public key's fingerprint, as `ssh-keygen -l` shows it.
    pub(super) fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// The fingerprint of the key that signed this text, if `allowed_signers` lets it.
pub(super) fn verify(text: &[u8], signature: &str, allowed_signers: &str) -> Result<String> {
    let signature = SshSig::from_pem(signature)
        .map_err(|error| anyhow!("digest.sig is no SSH signature: {error}"))?;
    let mut unused = Vec::new();
    for (line, number) in allowed_signers.lines().zip(1..) {
        match key_of(line) {
            Ok(Some(key)) if key.key_data() == signature.public_key() => {
                return match key.verify(NAMESPACE, text, &signature) {
                    Ok(()) => Ok(key.fingerprint(HashAlg::Sha256).to_string()),
                    Err(_) => {
                        bail!("the signature is not that of the digest: one of them was changed")
                    }
                };
            }
            Ok(_) => {}
            Err(why) => unused.push(format!("; its line {number} is not used: {why}")),
        }
    }
    let signer = PublicKey::from(signature.public_key().clone());
    bail!(
        "the key that signed, {}, is none that may sign as {IDENTITY}{}",
        signer.fingerprint(HashAlg::Sha256),
        unused.concat()
    )
}

/// The key of one line of `allowed_signers` (ssh-keygen(1)), if it is for us: `principals [options] key`.
fn key_of(line: &str) -> Result<Option<PublicKey>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (principals, rest) = word(line);
    if !matches_list(&principals.replace('"', ""), IDENTITY) {
        return Ok(None);
    }
    let mut rest = rest;
    if !rest.starts_with("ssh-") && !rest.starts_with("ecdsa-") && !rest.starts_with("sk-") {
        let (options, key) = word(rest);
        let namespaces = options.strip_prefix("namespaces=");
        let namespaces = namespaces.ok_or_else(|| {
            anyhow!(
                "it has an option other than namespaces; check the report with ssh-keygen -Y verify"
            )
        })?;
        let namespaces = namespaces
            .strip_prefix('"')
            .and_then(|n| n.strip_suffix('"'));
        let namespaces = namespaces.filter(|list| !list.contains('"'));
        let namespaces =
            namespaces.ok_or_else(|| anyhow!("its namespaces are not in one pair of quotes"))?;
        if !matches_list(namespaces, NAMESPACE) {
            return Ok(None);
        }
        rest = key;
    }
    let key = PublicKey::from_openssh(rest)
        .map_err(|error| anyhow!("its key cannot be read: {error}"))?;
    Ok(Some(key))
}

/// Up to the first white space that is not in quotes, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_ascii_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// ssh_config(5)'s pattern lists: one matches and none with `!` does.
fn matches_list(list: &str, text: &str) -> bool {
    let patterns = || list.split(',');
    let refused = patterns().filter_map(|p| p.strip_prefix('!'));
    let mut allowed = patterns().filter(|p| !p.starts_with('!'));
    allowed.any(|p| matches(p.as_bytes(), text.as_bytes()))
        && !refused
            .into_iter()
            .any(|p| matches(p.as_bytes(), text.as_bytes()))
}

/// `*` is any text, `?` any character.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, text) || text.split_first().is_some_and(|(_, t)| matches(pattern, t))
        }
        (Some((b'?', rest)), Some((_, text))) => matches(rest, text),
        (Some((p, rest)), Some((t, text))) => p == t && matches(rest, text),
        _ => false,
    }
}

#[test]
fn lines_of_allowed_signers() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILdNLMgKnBzNTlbjoDCvTBWeDvvqWWZ2Yz9h9KP8b6S";
    let is_for_us = |start: &str| {
        key_of(&format!("{start} {KEY} somebody"))
            .ok()
            .map(|k| k.is_some())
    };
    let cases = [
        ("revoker", Some(true)),
        ("a,revoke?", Some(true)),
        ("*,!revoker", Some(false)),
        ("\"revoker\"", Some(true)),
        ("audit@example.com", Some(false)),
        ("# revoker", Some(false)),
        ("revoker namespaces=\"file,revoker-*\"", Some(true)),
        ("revoker namespaces=\"file\"", Some(false)),
        (
            "revoker namespaces=\"revoker-report\",valid-before=\"20200101\"",
            None,
        ),
        ("revoker valid-before=\"20200101\"", None),
        ("revoker cert-authority", None),
        ("revoker ssh-nonsense", None),
    ];
    for (start, expected) in cases {
        assert_eq!(is_for_us(start), expected, "{start}");
    }
}
