//! Whom the client trusts, against a server with a certificate of a CA that nobody knows.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    sync::Arc,
};

use revoker::{
    revoke::{Api, Class, client::Client},
    tls::Files,
};
use rustls::{
    ServerConfig, ServerConnection, Stream,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{LONG, canary, settings};
use crate::config::file;

const CA: &str = include_str!("../tls/ca.pem");
const OTHER_CA: &str = include_str!("../tls/other-ca.pem");
const ANSWER: &str = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 55\r\n\r\n\
                      {\"status_code\": 404, \"error_type\": \"session_not_found\"}\n";

/// The URL of a server that gives this one answer to all who take its certificate.
fn server() -> String {
    let chain = CertificateDer::from_pem_slice(include_bytes!("../tls/one.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/one.key")).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config
        .with_no_client_auth()
        .with_single_cert(vec![chain], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            // Who does not trust it goes away.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(ANSWER.as_bytes());
                connection.send_close_notify();
                let _ = connection.write_tls(&mut socket);
            }
        }
    });
    url
}

fn client(url: &str, authorities: Option<&Path>) -> Client {
    let mut settings = settings(url, LONG);
    settings.tls = Files {
        authorities: authorities.map(Into::into),
        identity: None,
    };
    Client::new(settings).unwrap()
}

/// The call ends so, and of its handshake this is said.
async fn check(client: &Client, answered: bool, said: Option<&str>) {
    let reply = client.call(&canary()).await;
    assert_eq!(reply.class == Class::AlreadyGone, answered, "{reply:?}");
    assert_eq!(client.tls_trouble().as_deref(), said);
}

#[tokio::test]
async fn a_ca_of_a_file_is_trusted_and_the_file_may_change() {
    let url = server();
    let unknown = "Stytch's certificate is not signed by a CA that this system trusts; name a file with its CA's certificate in REVOKER_STYTCH_CA_FILE";
    check(&client(&url, None), false, Some(unknown)).await;

    let path = file("changing-ca.pem", CA, 0o644);
    let client = client(&url, Some(&path));
    check(&client, true, None).await;
    // One that cannot be used changes nothing: it is being replaced.
    fs::write(&path, "").unwrap();
    check(&client, true, None).await;
    let other = "Stytch's certificate is not signed by a CA in the file of REVOKER_STYTCH_CA_FILE; put the certificate of its CA there, or let it show the certificates between";
    replace(&path, OTHER_CA);
    check(&client, false, Some(other)).await;
    replace(&path, CA);
    check(&client, true, None).await;
}

fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn a_file_that_is_gone_is_named() {
    let mut settings = settings("https://localhost:1", LONG);
    settings.tls.authorities = Some("/none/ca.pem".into());
    let error = Client::new(settings).unwrap_err().to_string();
    let text = "REVOKER_STYTCH_CA_FILE names the file \"/none/ca.pem\", which cannot be read";
    assert!(error.starts_with(text), "{error}");
}
