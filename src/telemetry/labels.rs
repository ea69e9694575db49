//! Every label of every metric, with the closed set its values come from.
//!
//! The catalogue names labels by [`Label`]; the words themselves stand in `sets` and in the stages.

use super::sets::{
    Breaker, Dedupe, DeliveryKind, Level, PublishResult, Queue, RetryCause, Role, Stage, To,
    Unmeasured,
};
use super::state::State;
use super::why::Why;
use crate::{
    event::{self, Lane, REASON_OTHER, REASONS},
    revoke::{CallKind, outcome::CallResult},
    settle::{code::Code, outcome::Outcome},
};

/// The commit that the binary was built from: whoever builds says it in the variable.
pub const REVISION: &str = match option_env!("REVOKER_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};

/// The codes that can stand on a dead letter: all but our own credentials' faults, which pause the
/// worker and never cost a message anything.
pub fn dead_letter_codes() -> impl Iterator<Item = Code> {
    Code::all().filter(|code| match code {
        Code::Api(code) => code.blames().is_none(),
        _ => true,
    })
}

/// All campaigns but the newest, in place of their ids. A campaign that is called so is one of them.
pub const OTHER_CAMPAIGNS: &str = "_other";

impl Label {
    /// Whether it can have values that are not known before the worker runs.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Campaign | Self::Revision | Self::Version)
    }
}

/// Declares [`Label`]: variant, label name, and the set its values come from.
macro_rules! labels {
    ($($(#[$meta:meta])* $label:ident $name:literal $values:expr;)+) => {
        /// A label as the catalogue names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Label { $($(#[$meta])* $label,)+ }

        impl Label {
            /// The label's name in the exposition.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$label => $name,)+ }
            }

            /// Every value, in the order of its set's declaration.
            pub fn values(self) -> Vec<&'static str> {
                match self { $(Self::$label => $values,)+ }
            }
        }
    };
}

/// The words of a closed set.
macro_rules! words {
    ($set:ty) => {
        <$set>::ALL.iter().map(|value| value.as_str()).collect()
    };
}

labels! {
    /// [`Breaker`].
    Breaker "to" words!(Breaker);
    /// A campaign's id; at start only [`OTHER_CAMPAIGNS`]. The newest get children of their own.
    Campaign "campaign" vec![OTHER_CAMPAIGNS];
    /// [`CallKind`].
    Call "call" words!(CallKind);
    /// [`event::Code`].
    RejectCode "code" words!(event::Code);
    /// [`dead_letter_codes`].
    DeadLetterCode "code" dead_letter_codes().map(Code::as_str).collect();
    /// [`Dedupe`].
    Dedupe "kind" words!(Dedupe);
    /// [`DeliveryKind`].
    Delivery "delivery" words!(DeliveryKind);
    /// [`Lane`].
    Lane "lane" words!(Lane);
    /// [`Level`].
    Level "level" words!(Level);
    /// [`Outcome`].
    Outcome "outcome" words!(Outcome);
    /// [`PublishResult`].
    PublishResult "result" words!(PublishResult);
    /// [`Queue`].
    Queue "queue" words!(Queue);
    /// [`REASONS`], and [`REASON_OTHER`] for all else.
    Reason "reason" REASONS.into_iter().chain([REASON_OTHER]).collect();
    /// [`CallResult`].
    Result "result" words!(CallResult);
    /// [`RetryCause`].
    RetryCause "cause" words!(RetryCause);
    /// The commit the binary was built from.
    Revision "revision" vec![REVISION];
    /// [`Role`].
    Role "role" words!(Role);
    /// [`Stage`].
    Stage "stage" words!(Stage);
    /// [`State`].
    State "state" words!(State);
    /// [`To`].
    To "to" words!(To);
    /// [`Unmeasured`].
    Unmeasured "cause" words!(Unmeasured);
    /// [`Why`].
    Why "why" Why::all().map(Why::as_str).collect();
    /// The package's version.
    Version "version" vec![env!("CARGO_PKG_VERSION")];
}
