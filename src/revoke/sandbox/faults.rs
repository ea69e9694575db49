//! Which fault answers which request.
//!
//! Pure, and the same for the same seed however requests interleave: a fault drawn by rate depends
//! only on the seed, on the id the request names and on how many requests named it before.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use fastrand::Rng;
use serde::Deserialize;

use super::{
    errors::ApiError,
    plan::{Plan, PlanError, Targeted},
};
use crate::closed_set;

closed_set! {
    /// Ways to misbehave that are not one of the API's own errors. The session stays as it is, but
    /// for the two that say otherwise.
    Odd {
        /// No answer; the connection stays open.
        Hang => "hang",
        /// The TCP connection is reset before any answer.
        Reset => "reset",
        /// The session is revoked, then the connection is reset: the client never learns of it.
        Lost => "lost",
        /// An answer of 200 that breaks off in the middle of its body.
        HalfBody => "half-body",
        /// The session is revoked and the answer is right, at one byte a second.
        SlowBody => "slow-body",
        /// An answer of 200 whose body goes on for 1 GiB.
        HugeBody => "huge-body",
        /// 200 with a web page, as a captive portal answers.
        Html200 => "html-200",
        /// 502 with a web page, as a proxy answers.
        Html502 => "html-502",
        /// 200 whose body says `"status_code":500`.
        False200 => "false-200",
        /// A 302 to another address.
        Redirect => "redirect",
        /// A 429 without `Retry-After`, even when one is set.
        Bare429 => "429-bare",
    }
}

/// What answers in place of the API.
///
/// Written as a word: one of [`Odd`]; an `error_type`, such as `invalid_authorization_header`; or a
/// status for its usual type, such as `500` (`502` is the web page of a proxy). In JSON also as
/// `{"status":400,"error_type":"…"}`, for a type that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FaultForm")]
pub enum Fault {
    /// An error of the documented shape.
    Error(ApiError),
    /// Anything else.
    Odd(Odd),
}

impl Odd {
    /// Every word, for people who mistyped one.
    pub(super) fn words() -> String {
        Self::ALL
            .iter()
            .map(|odd| odd.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Fault {
    /// The word that statistics count it under.
    pub(super) fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Error(error) => error.error_type.clone(),
            Self::Odd(odd) => Cow::Borrowed(odd.as_str()),
        }
    }
}

impl FromStr for Fault {
    type Err = PlanError;

    fn from_str(word: &str) -> Result<Self, PlanError> {
        if word == "502" {
            return Ok(Self::Odd(Odd::Html502));
        }
        let odd = Odd::ALL
            .iter()
            .find(|odd| odd.as_str() == word)
            .copied()
            .map(Self::Odd);
        odd.or_else(|| ApiError::of_word(word).map(Self::Error))
            .ok_or(PlanError::UnknownFault)
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a fault is a word such as \"500\", or {\"status\":400,\"error_type\":\"…\"}"
)]
enum FaultForm {
    Word(String),
    Error { status: u16, error_type: String },
}

impl TryFrom<FaultForm> for Fault {
    type Error = PlanError;

    fn try_from(form: FaultForm) -> Result<Self, PlanError> {
        match form {
            FaultForm::Word(word) => word.parse(),
            FaultForm::Error { status, error_type } => ApiError::custom(status, error_type)
                .map(Self::Error)
                .ok_or(PlanError::BadError),
        }
    }
}

/// A plan at work.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    answer_all: Option<Fault>,
    rates: Vec<(Fault, f64)>,
    by_id: BTreeMap<String, Targeted>,
}

impl Faults {
    /// A plan at work from its beginning.
    ///
    /// # Errors
    /// When a word is no fault or a share is none.
    pub fn new(plan: &Plan, seed: u64) -> Result<Self, PlanError> {
        let mut rates = Vec::new();
        let mut sum = 0.0;
        for (word, share) in &plan.rates {
            if !(0.0..=1.0).contains(share) {
                return Err(PlanError::BadShare);
            }
            sum += share;
            rates.push((word.parse()?, *share));
        }
        if sum > 1.0 + f64::EPSILON {
            return Err(PlanError::TooMuch);
        }
        Ok(Self {
            seed,
            answer_all: plan.answer_all.clone(),
            rates,
            by_id: plan.by_id.clone(),
        })
    }

    /// The fault for every request.
    pub fn for_all(&self) -> Option<Fault> {
        self.answer_all.clone()
    }

    /// The fault for a request that names `id`, as `nth` requests did before it.
    pub fn pick(&mut self, id: &str, nth: u64) -> Option<Fault> {
        match self.by_id.get_mut(id) {
            Some(Targeted::Always(fault)) => return Some(fault.clone()),
            Some(Targeted::First { times: 0, .. }) => return None,
            Some(Targeted::First { fault, times }) => {
                *times -= 1;
                return Some(fault.clone());
            }
            None if self.rates.is_empty() => return None,
            None => {}
        }
        let mut draw = Rng::with_seed(mix(self.seed, id, nth)).f64();
        let mut rates = self.rates.iter();
        let hit = rates.find(|(_, share)| {
            draw -= share;
            draw < 0.0
        });
        hit.map(|(fault, _)| fault.clone())
    }
}

/// FNV-1a over the three: the same on every machine and in every release, unlike the hasher of std.
fn mix(seed: u64, id: &str, nth: u64) -> u64 {
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(id.bytes())
        .chain(nth.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
