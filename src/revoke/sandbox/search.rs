//! What a search of users asks for: how many, and from where on.
//!
//! Pure. A query is not understood: whoever sends one wants some of the users, and would get all.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::errors::ApiError;

/// Users of a page, unless told otherwise and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
/// What a cursor holds, before the place of its page. Clients may not read it: it is encoded.
const CURSOR_PREFIX: &str = "users from ";

/// A search of all users.
#[derive(Debug)]
pub(super) struct Search {
    /// The place of the page's first user.
    pub(super) from: usize,
    /// Users of the page at most.
    pub(super) limit: usize,
    /// Its name in a plan of faults: the cursor, empty for the first page.
    pub(super) name: String,
}

impl Search {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let wrong = || ApiError::known("bad_request");
        let body: Map<String, Value> = serde_json::from_slice(body).map_err(|_| wrong())?;
        let given = |name: &str| body.get(name).filter(|value| !value.is_null());
        let limit = match given("limit") {
            None => LIMIT_DEFAULT,
            Some(limit) => {
                let limit = limit.as_u64().and_then(|limit| limit.try_into().ok());
                let fits = |limit: &usize| (1..=LIMIT_MAX).contains(limit);
                limit.filter(fits).ok_or_else(wrong)?
            }
        };
        let operands = given("query").map(|query| query["operands"].as_array().map(Vec::len));
        if !matches!(operands, None | Some(Some(0))) {
            return Err(wrong());
        }
        let name = match given("cursor") {
            None => "",
            Some(cursor) => cursor.as_str().ok_or_else(wrong)?,
        };
        Ok(Self {
            from: place(name).ok_or_else(wrong)?,
            limit,
            name: name.to_owned(),
        })
    }
}

/// The cursor of a page.
pub(super) fn cursor(from: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{CURSOR_PREFIX}{from}"))
}

/// Where the page of a cursor begins; without one, at the first user.
fn place(cursor: &str) -> Option<usize> {
    if cursor.is_empty() {
        return Some(0);
    }
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(CURSOR_PREFIX)?.parse().ok()
}
