//! What a setting is: one row that gives its `REVOKER_*` variable, its flag, its help and its default.
//!
//! Rows instead of a derived clap struct: a problem names both variable and flag, an empty variable
//! must fall back to the default that `--help` shows, and the README's table is checked against these,
//! so each name exists once.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command};

/// One setting: a flag, a variable, its default and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable, `REVOKER_…`.
    pub variable: &'static str,
    /// The flag without dashes; always the variable without `REVOKER_`, which a test checks.
    pub flag: &'static str,
    /// What stands for the value in help, such as `URL`.
    pub value_name: &'static str,
    /// Used when the setting is not given or empty.
    pub default: Option<&'static str>,
    /// Meaning, unit and range.
    pub help: &'static str,
    /// Whether the value is or may hold a credential, so that help does not show the variable's value.
    pub secret: bool,
}

impl Setting {
    /// A setting without a default.
    pub(super) const fn new(
        variable: &'static str,
        flag: &'static str,
        value_name: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            variable,
            flag,
            value_name,
            default: None,
            help,
            secret: false,
        }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    pub(super) const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    fn arg(&self) -> Arg {
        let arg = Arg::new(self.variable)
            .long(self.flag)
            .env(self.variable)
            .hide_env_values(self.secret)
            .value_name(self.value_name)
            .help(self.help);
        match self.default {
            Some(default) => arg.default_value(default),
            None => arg,
        }
    }
}

/// Adds the settings to a command, under a heading of help.
pub(super) fn augment(command: Command, heading: &'static str, settings: &[&Setting]) -> Command {
    settings.iter().fold(command, |command, setting| {
        command.arg(setting.arg().help_heading(heading))
    })
}

/// The values given by flag or variable, before anybody looked at them.
///
/// White space around a value is dropped (files and templates leave it), and an empty value is none.
#[derive(Clone, Default)]
pub(super) struct Values(BTreeMap<&'static str, String>);

impl Values {
    pub(super) fn from_matches<'a>(
        matches: &ArgMatches,
        settings: impl Iterator<Item = &'a Setting>,
    ) -> Self {
        let given = settings.filter_map(|setting| {
            let value = matches.get_one::<String>(setting.variable)?;
            Some((setting.variable, value.clone()))
        });
        Self(given.collect())
    }

    pub(super) fn from_pairs<'a>(
        pairs: &[(&str, &str)],
        settings: impl Iterator<Item = &'a Setting>,
    ) -> Self {
        let given = settings.filter_map(|setting| {
            let (_, value) = pairs.iter().find(|(name, _)| *name == setting.variable)?;
            Some((setting.variable, (*value).to_owned()))
        });
        Self(given.collect())
    }

    pub(super) fn get(&self, setting: &Setting) -> Option<&str> {
        let given = self.0.get(setting.variable).map(|value| value.trim());
        given.filter(|value| !value.is_empty()).or(setting.default)
    }
}
