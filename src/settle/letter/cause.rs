//! Why a letter is dead, in words for filters, tables and people.

use crate::settle::code::Code;

/// Why a letter is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A code of this version.
    Known(Code),
    /// Another tool wrote it, or the code is not one of ours.
    Unknown,
    /// A newer worker wrote it.
    Newer,
}

impl Cause {
    /// The word for filters and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Unknown => "unknown",
            Self::Newer => "newer",
        }
    }

    /// The cause of that word.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "unknown" => Some(Self::Unknown),
            "newer" => Some(Self::Newer),
            word => Code::named(word).map(Self::Known),
        }
    }

    /// The complete closed set.
    pub fn all() -> impl Iterator<Item = Self> {
        Code::all()
            .map(Self::Known)
            .chain([Self::Unknown, Self::Newer])
    }

    /// What is wrong and what to do.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Known(code) => code.explanation(),
            Self::Unknown => {
                "it does not say why, in words of this version: another tool may have put it there; look at it with that tool, and move it with a shovel"
            }
            Self::Newer => "a newer worker wrote it; use a revoker of that version",
        }
    }

    /// Whether a replay is sure to end in the same way.
    pub const fn comes_back(self) -> bool {
        matches!(self, Self::Known(code) if code.comes_back())
    }
}
