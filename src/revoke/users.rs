//! The JSON of `POST /v1/users/search`: every user of the project, page by page.
//!
//! Pure. Not a [`Call`](super::Call): no event needs it, only the command line, before it begins something
//! about all users. Of a user nothing is kept but the id.

use serde::{Deserialize, Serialize};

use super::{
    outcome::{Class, Failure, classify},
    wire::{self, Answer},
};

/// Users of one page at most: the API's own limit.
pub const PAGE_USERS_MAX: u16 = 1000;
/// Longest page, in bytes. A user may carry data of the customer's own.
pub const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Searches that Stytch documents to take in a minute.
pub const SEARCHES_PER_MINUTE: u32 = 150;
/// Longest id that is believed, in bytes: as in an event.
const USER_ID_BYTES_MAX: usize = 256;
/// Longest cursor that is sent back, in bytes.
const CURSOR_BYTES_MAX: usize = 4096;

/// One page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersPage {
    /// Stytch's `user_id` of each: 1 to 256 visible ASCII bytes, so never more than a line.
    pub user_ids: Vec<String>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
    /// How many users there are in all; `None` if Stytch does not count them (it says -1).
    pub total: Option<u64>,
    /// Stytch's `request_id`.
    pub request_id: Option<String>,
}

/// The body that asks for a page of all users, from the cursor of the page before it.
pub fn body(cursor: Option<&str>, limit: u16) -> Vec<u8> {
    #[derive(Serialize)]
    struct Search<'a> {
        limit: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    }
    let limit = limit.clamp(1, PAGE_USERS_MAX);
    serde_json::to_vec(&Search { limit, cursor }).expect("a number and a string are always JSON")
}

/// Reads an answer that came whole and within its limit.
///
/// # Errors
/// What else it means, classified as other calls are; a 200 that is no page is [`Failure::InvalidResponse`].
pub fn page(status: u16, body: &[u8]) -> Result<UsersPage, Answer> {
    #[derive(Deserialize)]
    struct Raw {
        status_code: Option<u16>,
        request_id: Option<String>,
        error_type: Option<String>,
        results: Option<Vec<RawUser>>,
        results_metadata: Option<Metadata>,
    }
    #[derive(Deserialize)]
    struct RawUser {
        user_id: String,
    }
    #[derive(Default, Deserialize)]
    struct Metadata {
        next_cursor: Option<String>,
        total: Option<i64>,
    }
    let invalid = Class::Retryable(Failure::InvalidResponse);
    let raw = serde_json::from_slice::<Raw>(body).ok();
    let Some(raw) = raw.filter(|_| wire::is_object(body)) else {
        let class = match status {
            200 => invalid,
            _ => classify(status, None),
        };
        return Err(Answer::of(class, None, None));
    };
    let class = match status {
        200 => invalid,
        _ => classify(status, raw.error_type.as_deref()),
    };
    match (status, raw.status_code, raw.results) {
        (200, Some(200), Some(users)) if users.iter().all(|user| is_id(&user.user_id)) => {
            let metadata = raw.results_metadata.unwrap_or_default();
            let cursor = metadata.next_cursor.filter(|cursor| !cursor.is_empty());
            if cursor
                .as_ref()
                .is_some_and(|cursor| cursor.len() > CURSOR_BYTES_MAX)
            {
                return Err(Answer::of(class, raw.request_id, raw.error_type));
            }
            Ok(UsersPage {
                user_ids: users.into_iter().map(|user| user.user_id).collect(),
                next_cursor: cursor,
                total: metadata.total.and_then(|total| total.try_into().ok()),
                request_id: wire::request_id(raw.request_id),
            })
        }
        _ => Err(Answer::of(class, raw.request_id, raw.error_type)),
    }
}

fn is_id(user_id: &str) -> bool {
    wire::is_plain(user_id, USER_ID_BYTES_MAX, |byte| byte.is_ascii_graphic())
}
