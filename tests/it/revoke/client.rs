//! The client against small servers of our own: what it sends, what it takes for an answer.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use revoker::revoke::{
    Api, Call, SecretSource, Settings,
    client::{Client, ClientError},
    outcome::{ApiCode, Class},
};
use secrecy::SecretString;

use super::{
    INVALID, LONG, PROJECT, REVOKED, SECRET, SESSION, canary, client, list, revoke,
    server::{Server, http},
    settings, token,
};

fn basic(secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{PROJECT}:{secret}"))
    )
}

fn header<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

#[tokio::test]
async fn a_revoke_is_sent_as_the_api_wants_it() {
    let mut server = Server::http("200 OK", "", REVOKED).await;
    let rows = [
        (revoke(), format!(r#"{{"session_id":"{SESSION}"}}"#)),
        (canary(), format!(r#"{{"session_id":"{SESSION}"}}"#)),
        (token(), r#"{"session_token":"a-token_0"}"#.to_owned()),
    ];
    for (call, body) in rows {
        let reply = client(&server.url).call(&call).await;
        assert_eq!((reply.class, reply.status), (Class::Revoked, Some(200)));
        assert_eq!(reply.request_id.as_deref(), Some("request-id-test-1"));
        let request = server.request().await;
        assert!(
            request.starts_with("POST /v1/sessions/revoke HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
        // The API rejects a charset behind it.
        assert_eq!(header(&request, "content-type"), ["application/json"]);
        assert_eq!(header(&request, "authorization"), [basic(SECRET)]);
        assert_eq!(header(&request, "accept"), ["application/json"]);
        let agent = concat!("revoker/", env!("CARGO_PKG_VERSION"));
        assert_eq!(header(&request, "user-agent"), [agent]);
    }
}

#[tokio::test]
async fn a_list_is_asked_for_one_user_whatever_the_id() {
    let body = r#"{"status_code":200,"sessions":[{"session_id":"s","started_at":"2026-11-22T06:30:00.5Z"}]}"#;
    let mut server = Server::http("200 OK", "", body).await;
    for (user_id, query) in [
        ("user-test-1", "user-test-1"),
        ("a b&user_id=c#d/?e", "a+b%26user_id%3Dc%23d%2F%3Fe"),
        ("ü", "%C3%BC"),
        ("", ""),
    ] {
        let call = Call::ListSessions(user_id.into());
        let reply = client(&server.url).call(&call).await;
        assert_eq!((reply.class, reply.sessions.len()), (Class::Revoked, 1));
        let request = server.request().await;
        let line = format!("GET /v1/sessions?user_id={query} HTTP/1.1\r\n");
        assert!(request.starts_with(&line), "{request}");
        assert!(request.ends_with("\r\n\r\n"), "no body: {request}");
        assert_eq!(header(&request, "authorization"), [basic(SECRET)]);
        assert!(header(&request, "content-type").is_empty(), "{request}");
    }
}

/// A followed 302 turns the POST into a GET: a revocation that silently does not happen, and our
/// secret sent to whoever is named there.
#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = Server::http("200 OK", "", REVOKED).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"] {
        let location = format!("location: {}/v1/sessions/revoke\r\n", elsewhere.url);
        let mut server = Server::http(status, &location, REVOKED).await;
        for call in [revoke(), list()] {
            let reply = client(&server.url).call(&call).await;
            let class = Class::Credentials(ApiCode::Redirect);
            assert_eq!(reply.class, class, "{status}");
            server.request().await;
        }
        assert_eq!(server.waiting(), 0, "{status}");
    }
    assert_eq!(elsewhere.waiting(), 0);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_none() {
    let page = "<html><body>200 OK, signed in as the proxy</body></html>";
    let server = Server::http("200 OK", "content-type: text/html\r\n", page).await;
    let reply = client(&server.url).call(&revoke()).await;
    assert_eq!((reply.class, reply.status), (INVALID, Some(200)));
    assert_eq!((reply.request_id, reply.error_type), (None, None));
}

async fn retry_after(value: &str) -> Option<Duration> {
    let body = r#"{"status_code":429,"error_type":"too_many_requests","request_id":"r-1"}"#;
    let headers = format!("retry-after: {value}\r\n");
    let server = Server::http("429 Too Many Requests", &headers, body).await;
    let reply = client(&server.url).call(&revoke()).await;
    assert_eq!((reply.class, reply.status), (Class::RateLimited, Some(429)));
    assert_eq!(reply.error_type.as_deref(), Some("too_many_requests"));
    reply.retry_after
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!(retry_after("7").await, seconds(7));
    assert_eq!(retry_after(" 0 ").await, seconds(0));
    assert_eq!(
        retry_after("4294967295").await,
        seconds(u64::from(u32::MAX))
    );
    let hour = Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(SystemTime::now() + hour);
    let wait = retry_after(&date).await.unwrap();
    assert!(
        (hour / 2..=hour).contains(&wait),
        "{date} is {wait:?} ahead"
    );
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(retry_after(past).await, seconds(0));
    // The last that can be written; the gate believes none that long.
    let never = retry_after("Fri, 31 Dec 9999 23:59:59 GMT").await.unwrap();
    assert!(never > hour, "{never:?}");
    for nonsense in [
        "",
        "-1",
        "1.5",
        "soon",
        "1 minute",
        "99999999999999",
        "\u{fc}",
    ] {
        assert_eq!(retry_after(nonsense).await, None, "{nonsense:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_shown_withholds_its_secret() {
    let shown = format!("{:?}", client("http://127.0.0.1:9"));
    assert!(shown.contains("Sensitive"), "{shown}");
    for part in [SECRET, basic(SECRET).trim_start_matches("Basic ")] {
        assert!(!shown.contains(part), "{shown}");
    }
}

fn from_file(url: &str, path: &Path) -> Result<Client, ClientError> {
    Client::new(Settings {
        secret: SecretSource::File(path.to_owned()),
        ..settings(url, LONG)
    })
}

fn secret_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[tokio::test]
async fn a_secret_is_read_again_and_an_unreadable_one_changes_nothing() {
    let mut server = Server::start(|_| http("200 OK", "", REVOKED)).await;
    let path = secret_file("client-secret-again");
    fs::write(&path, "\n one \r\n").unwrap();
    let client = from_file(&server.url, &path).unwrap();
    let mut sent = async |wanted: &str| {
        client.call(&revoke()).await;
        let request = server.request().await;
        assert_eq!(header(&request, "authorization"), [basic(wanted)]);
    };
    sent("one").await;
    assert!(!client.reload_secret(), "nothing changed");
    fs::write(&path, "two").unwrap();
    sent("one").await;
    assert!(client.reload_secret());
    sent("two").await;
    assert!(!client.reload_secret(), "it is known already");
    fs::write(&path, " \n").unwrap();
    assert!(!client.reload_secret(), "it is being written");
    fs::remove_file(&path).unwrap();
    assert!(!client.reload_secret(), "it is being replaced");
    sent("two").await;
    fs::write(&path, "two\n").unwrap();
    assert!(!client.reload_secret(), "the same again");
}

#[test]
fn a_client_without_a_secret_is_not_made() {
    let path = secret_file("client-secret-none");
    let _ = fs::remove_file(&path);
    let error = from_file("http://127.0.0.1:9", &path).unwrap_err();
    assert!(matches!(error, ClientError::Secret(_)), "{error}");
    fs::write(&path, "\n").unwrap();
    let error = from_file("http://127.0.0.1:9", &path)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the API secret cannot be read: the file is empty; give a readable file with the secret in it"
    );
    let fixed = Client::new(Settings {
        secret: SecretSource::Fixed(SecretString::from(SECRET)),
        ..settings("no url", LONG)
    });
    assert!(matches!(fixed.unwrap_err(), ClientError::BaseUrl));
    assert!(!client("http://127.0.0.1:9").reload_secret(), "fixed");
}
