//! An answer as a value, before it is bytes on a connection.

use std::borrow::Cow;

use super::{
    errors::ApiError,
    faults::{Fault, Odd},
    retry_after::RetryAfter,
};

/// What the API sends, and how.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<RetryAfter>,
    /// `Location`, of a redirect.
    pub(super) location: Option<&'static str>,
    pub(super) body: String,
    pub(super) delivery: Delivery,
    /// For the statistics.
    pub(super) error_type: Option<Cow<'static, str>>,
    /// The fault that answers in place of the API, for the statistics.
    pub(super) fault: Option<Cow<'static, str>>,
}

/// How an answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// As it should.
    Whole,
    /// Half of the body, then the connection breaks.
    Half,
    /// A byte a second.
    Slow,
    /// The body, then filling without end.
    Huge,
    /// Never.
    Hang,
    /// The connection is reset instead.
    Reset,
    /// The body is the ledger of sessions: those revoked, those live, or all.
    Ledger(Option<bool>),
}

impl Delivery {
    /// Whether the client sees a status at all.
    pub(super) const fn is_an_answer(self) -> bool {
        !matches!(self, Self::Hang | Self::Reset)
    }
}

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const HTML_200: &str = "<!doctype html><title>Welcome</title><p>Sign in to use this network.</p>\n";
const HTML_502: &str = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
const ELSEWHERE: &str = "http://127.0.0.1:9/elsewhere";

impl Answer {
    pub(super) const fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            retry_after: None,
            location: None,
            body,
            delivery: Delivery::Whole,
            error_type: None,
            fault: None,
        }
    }

    pub(super) const fn json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body)
    }

    /// 200 with nothing to say but that it was done.
    pub(super) fn done(request_id: &str) -> Self {
        Self::json(
            200,
            format!(r#"{{"status_code":200,"request_id":"{request_id}"}}"#),
        )
    }

    /// An error of the documented shape; `retry_after` is sent with a 429.
    pub(super) fn error(
        error: ApiError,
        request_id: &str,
        retry_after: Option<RetryAfter>,
    ) -> Self {
        let mut answer = Self::json(error.status, error.body(request_id));
        answer.retry_after = retry_after.filter(|_| error.status == 429);
        answer.error_type = Some(error.error_type);
        answer
    }

    /// What a fault sends in place of the API.
    pub(super) fn faulty(fault: Fault, request_id: &str, retry_after: Option<RetryAfter>) -> Self {
        let word = fault.word();
        let answer = match fault {
            Fault::Error(error) => Self::error(error, request_id, retry_after),
            Fault::Odd(odd) => Self::odd(odd, request_id),
        };
        Self {
            fault: Some(word),
            ..answer
        }
    }

    fn odd(odd: Odd, request_id: &str) -> Self {
        match odd {
            Odd::Hang => Self::done(request_id).delivered(Delivery::Hang),
            Odd::Reset | Odd::Lost => Self::done(request_id).delivered(Delivery::Reset),
            Odd::HalfBody => Self::done(request_id).delivered(Delivery::Half),
            Odd::SlowBody => Self::done(request_id).delivered(Delivery::Slow),
            Odd::HugeBody => Self::json(200, r#"{"status_code":200,"request_id":""#.to_owned())
                .delivered(Delivery::Huge),
            Odd::Html200 => Self::new(200, HTML, HTML_200.to_owned()),
            Odd::Html502 => Self::new(502, HTML, HTML_502.to_owned()),
            Odd::False200 => {
                let error = ApiError::known("internal_server_error");
                Self {
                    status: 200,
                    ..Self::error(error, request_id, None)
                }
            }
            Odd::Redirect => {
                let answer = Self::new(302, HTML, String::new());
                Self {
                    location: Some(ELSEWHERE),
                    ..answer
                }
            }
            Odd::Bare429 => Self::error(ApiError::known("too_many_requests"), request_id, None),
        }
    }

    pub(super) const fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}
