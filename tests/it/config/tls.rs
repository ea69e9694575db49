//! Files of TLS: what they come to, and what is wrong with them.

use revoker::broker::Login;

use super::{
    file, settings,
    wrong::{check, problems},
};

const CA: &str = include_str!("../tls/ca.pem");
const CERTIFICATE: &str = include_str!("../tls/one.pem");
const KEY: &str = include_str!("../tls/one.key");
const OTHER_KEY: &str = include_str!("../tls/other.key");
const ENCRYPTED_KEY: &str = include_str!("../tls/encrypted.key");

const URL: &str = "REVOKER_AMQP_URL";
const CA_FILE: &str = "REVOKER_AMQP_CA_FILE";
const CERT_FILE: &str = "REVOKER_AMQP_CLIENT_CERT_FILE";
const KEY_FILE: &str = "REVOKER_AMQP_CLIENT_KEY_FILE";

/// The path of a file with this text.
fn written(name: &str, text: &str, mode: u32) -> String {
    file(name, text, mode).to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_without_a_password_logs_in() {
    let certificate = written("login.pem", CERTIFICATE, 0o644);
    let key = written("login.key", KEY, 0o600);
    let password = written("login.password", "pw", 0o600);
    let cases = [
        ("amqps://rabbit/", "", true, Login::Certificate),
        ("amqps://revoker@rabbit/", "", true, Login::Certificate),
        ("amqps://revoker:pw@rabbit/", "", true, Login::Password),
        ("amqps://revoker@rabbit/", &password, true, Login::Password),
        ("amqps://revoker@rabbit/", "", false, Login::Password),
    ];
    for (url, password, has_certificate, login) in cases {
        let mut given = vec![(URL, url), ("REVOKER_AMQP_PASSWORD_FILE", password)];
        if has_certificate {
            given.extend([(CERT_FILE, certificate.as_str()), (KEY_FILE, &key)]);
        }
        assert_eq!(settings(&given).broker.login, login, "{given:?}");
    }
}

#[test]
fn the_files_reach_their_stages() {
    let [ca, stytch_ca] = ["reach.pem", "stytch.pem"].map(|name| written(name, CA, 0o644));
    let certificate = written("reach.cert.pem", &[CERTIFICATE, CA].concat(), 0o644);
    let key = written("reach.key", KEY, 0o600);
    let s = settings(&[
        (URL, "amqps://rabbit/"),
        (CA_FILE, &ca),
        (CERT_FILE, &certificate),
        (KEY_FILE, &key),
        ("REVOKER_STYTCH_CA_FILE", &stytch_ca),
    ]);
    assert_eq!(s.revoke.tls.authorities, Some(stytch_ca.into()));
    assert_eq!(s.broker.tls.authorities, Some(ca.into()));
    let identity = s.broker.tls.identity.as_ref().unwrap();
    assert_eq!(
        (&identity.certificate, &identity.key),
        (&certificate.into(), &key.into())
    );
    let (chain, _) = s.broker.tls.load().unwrap().identity.unwrap();
    assert_eq!(chain.len(), 2);
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_what_to_do() {
    let broken = CA.replace("MI", "!!");
    let cases = [
        (
            "empty.pem",
            "\n",
            "which is empty; put the certificate there, in PEM",
        ),
        (
            "none.pem",
            KEY,
            "which holds no certificate; give one in PEM, that begins with -----BEGIN CERTIFICATE-----",
        ),
        (
            "broken.pem",
            &broken,
            "which holds a certificate that cannot be used; give one of X.509 version 3, in PEM",
        ),
    ];
    for (name, text, what) in cases {
        let path = written(name, text, 0o644);
        check(
            "STYTCH_CA_FILE",
            &path,
            &format!("names the file {path:?}, {what}"),
        );
    }
    let gone = "names the file \"/none/ca.pem\", which cannot be read (entity not found); check the path and who may read it";
    check("STYTCH_CA_FILE", "/none/ca.pem", gone);

    let certificate = written("pair.pem", CERTIFICATE, 0o644);
    let pair = [
        ("empty.key", "", 0o600, "which is empty; put the private key there, in PEM".to_owned()),
        ("none.key", CA, 0o600, "which holds no private key; give one in PEM, that begins with -----BEGIN PRIVATE KEY-----".to_owned()),
        ("encrypted.key", ENCRYPTED_KEY, 0o600, "which holds a key with a passphrase, that nobody could type; write it again without one: openssl pkey -in FILE -out FILE".to_owned()),
        ("other.key", OTHER_KEY, 0o600, format!("which is not the key of the certificate in {certificate:?}; give the pair that was made together, our own certificate first")),
        ("open.key", KEY, 0o644, "which others than its owner may use (mode 644); run chmod 600 on it".to_owned()),
    ];
    for (name, text, mode, what) in pair {
        let key = written(name, text, mode);
        let given = [
            (URL, "amqps://rabbit/"),
            (CERT_FILE, certificate.as_str()),
            (KEY_FILE, &key),
        ];
        let said = format!("{KEY_FILE} (--amqp-client-key-file) names the file {key:?}, {what}");
        assert_eq!(problems(&given), [said]);
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let wrong = [
        (URL, "amqps://rabbit/"),
        (CA_FILE, "/none/ca.pem"),
        (CERT_FILE, "/none/cert.pem"),
        (KEY_FILE, "/none/key.pem"),
        ("REVOKER_STYTCH_CA_FILE", "/none/stytch.pem"),
    ];
    let said = problems(&wrong);
    assert_eq!(said.len(), 4, "{said:#?}");
    for ((name, _), said) in wrong[1..].iter().zip(&said) {
        assert!(said.starts_with(name), "{said}");
    }
}

#[test]
fn what_would_do_nothing_is_refused() {
    let ca = written("nothing.pem", CA, 0o644);
    let plain = "REVOKER_AMQP_CA_FILE (--amqp-ca-file) is set, but REVOKER_AMQP_URL has no TLS; give that as amqps://, or leave this out";
    assert_eq!(problems(&[(CA_FILE, &ca)]), [plain]);
    let stytch = [
        ("REVOKER_STYTCH_CA_FILE", ca.as_str()),
        ("REVOKER_STYTCH_BASE_URL", "http://localhost:4010"),
    ];
    let plain = "REVOKER_STYTCH_CA_FILE (--stytch-ca-file) is set, but REVOKER_STYTCH_BASE_URL has no TLS; give that as https://, or leave this out";
    assert_eq!(problems(&stytch), [plain]);
    for (given, flag, missing) in [
        (CERT_FILE, "amqp-client-key-file", KEY_FILE),
        (KEY_FILE, "amqp-client-cert-file", CERT_FILE),
    ] {
        let said =
            format!("{missing} (--{flag}) is not set, but {given} is; give both, or neither");
        assert_eq!(problems(&[(URL, "amqps://rabbit/"), (given, &ca)]), [said]);
    }
}
