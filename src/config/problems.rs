//! What is wrong with the settings: everything at once, each with its remedy, never a secret.

use std::fmt;

use super::setting::{Setting, Values};

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: &'static str,
    /// The flag, without dashes.
    pub flag: &'static str,
    /// What is wrong; what to do.
    pub text: String,
}

impl Problem {
    pub(super) fn of(setting: &Setting, text: impl Into<String>) -> Self {
        Self {
            variable: setting.variable,
            flag: setting.flag,
            text: text.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (--{}) {}", self.variable, self.flag, self.text)
    }
}

/// All wrong settings, in the order in which they were read; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "1 setting is wrong")?,
            n => write!(f, "{n} settings are wrong")?,
        }
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Reads one setting after the other and keeps what is wrong, so that all of it is told at once.
///
/// The methods return `None` where there is no usable value; the problem is then already noted.
pub(super) struct Reader<'a> {
    values: &'a Values,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: &'a Values) -> Self {
        Self {
            values,
            problems: Vec::new(),
        }
    }

    /// The value as given, or its default.
    pub(super) fn raw(&self, setting: &Setting) -> Option<&'a str> {
        self.values.get(setting)
    }

    /// A setting that must be given.
    pub(super) fn required<T>(
        &mut self,
        setting: &Setting,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.raw(setting).is_none() {
            self.problem(setting, format!("is not set; {remedy}"));
        }
        self.read(setting, parse)
    }

    /// A setting that has a default or may be absent.
    pub(super) fn read<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.raw(setting)?) {
            Ok(value) => Some(value),
            Err(text) => {
                self.problem(setting, text);
                None
            }
        }
    }

    pub(super) fn problem(&mut self, setting: &Setting, text: impl Into<String>) {
        self.problems.push(Problem::of(setting, text));
    }

    /// The end of reading: the settings, if nothing was wrong.
    pub(super) fn finish<T>(self, settings: Option<T>) -> Result<T, Problems> {
        match settings {
            Some(settings) if self.problems.is_empty() => Ok(settings),
            _ => Err(Problems(self.problems)),
        }
    }
}
