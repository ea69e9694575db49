//! Flags and variables as clap collects them: strings, not yet looked at.
//!
//! clap's traits are written by hand because the definition is a table of rows, see [`Setting`].

use std::fmt;

use clap::{ArgMatches, Command};

use super::{
    DRAIN_TIMEOUT, STRICT_IDS, broker, environment, gate, report, revoke,
    setting::{self, Setting, Values},
    settle, telemetry,
};

/// A heading of `--help` and the settings under it.
type Group = (&'static str, &'static [&'static Setting]);

/// All settings of `revoker run`, under the headings of its help.
const GROUPS: &[Group] = &[
    ("RabbitMQ", broker::SETTINGS),
    ("RabbitMQ", &[&broker::TOPOLOGY, &broker::MANAGEMENT_URL]),
    ("Stytch", revoke::SETTINGS),
    ("Events", &[&STRICT_IDS]),
    ("Pace", gate::SETTINGS),
    ("Retries and storage", settle::SETTINGS),
    ("Operation", telemetry::SETTINGS),
    ("Operation", &[&DRAIN_TIMEOUT]),
];

/// What `revoker publish` needs: the broker, and the project if it is to be checked.
const PUBLISH_GROUPS: &[Group] = &[
    ("RabbitMQ", broker::SETTINGS),
    ("Stytch", &[&revoke::PROJECT_ID]),
];

/// What `revoker definitions` needs: what names follow from.
const DEFINITIONS_GROUPS: &[Group] = &[("RabbitMQ", &[&broker::PREFIX, &settle::RETRY_DELAYS])];

/// What `revoker dead-letters` needs: the broker, and the keys of what it shall open.
const DEAD_LETTERS_GROUPS: &[Group] = &[
    ("RabbitMQ", broker::SETTINGS),
    ("Retries and storage", &[&settle::SEAL_KEY_FILE]),
];

/// What `revoker revoke` needs: Stytch alone.
const REVOKE_GROUPS: &[Group] = &[
    ("Stytch", revoke::SETTINGS),
    ("Stytch", &[&broker::ALLOW_PLAINTEXT]),
];

/// What `revoker campaign start` needs: the broker and the project; Stytch's API for `--all-users` alone.
const START_GROUPS: &[Group] = &[("RabbitMQ", broker::SETTINGS), ("Stytch", revoke::SETTINGS)];

/// What `revoker campaign report` needs: the same, and the key that signs.
const REPORT_GROUPS: &[Group] = &[
    ("RabbitMQ", broker::SETTINGS),
    ("Stytch", &[&revoke::PROJECT_ID]),
    ("Signature", &[&report::SIGN_KEY_FILE]),
];

/// What `revoker campaign verify-report` can use: the broker.
const VERIFY_REPORT_GROUPS: &[Group] = &[("RabbitMQ", broker::SETTINGS)];

/// Settings that the worker does not have and other subcommands do.
pub(super) const ELSEWHERE: &[&Setting] = &[&report::SIGN_KEY_FILE];

/// What `revoker status` needs: the broker, the names of its queues, and where a worker answers.
const STATUS_GROUPS: &[Group] = &[
    ("RabbitMQ", broker::SETTINGS),
    ("RabbitMQ", &[&settle::RETRY_DELAYS]),
    ("Operation", &[&telemetry::ADMIN_ADDR]),
];

/// The flags and variables of `revoker run`, not yet checked.
#[derive(Clone)]
pub struct RunArgs {
    pub(super) values: Values,
    /// Names of all `REVOKER_*` variables that were set, to find misspelt ones.
    names: Vec<String>,
}

impl RunArgs {
    /// The settings from these variables alone, whatever the process environment holds: for tests and
    /// drills, which must never reach somebody's real broker or project.
    pub fn from_variables(variables: &[(&str, &str)]) -> Self {
        let names = variables
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        Self {
            values: Values::from_pairs(variables, all(GROUPS)),
            names,
        }
    }

    /// Whether the key that signs reports is set; only its variable is known here.
    pub(super) fn signs_reports(&self) -> bool {
        let variable = report::SIGN_KEY_FILE.variable;
        self.names.iter().any(|name| name == variable)
    }

    /// A warning for each variable that starts like ours and is not.
    pub(super) fn unknown_variables(&self) -> Vec<String> {
        let known = all(GROUPS).chain(ELSEWHERE.iter().copied());
        let known: Vec<&'static str> = known.map(|setting| setting.variable).collect();
        environment::unknown_variables(self.names.iter().map(String::as_str), &known)
    }
}

fn all(groups: &[Group]) -> impl Iterator<Item = &'static Setting> {
    groups
        .iter()
        .flat_map(|(_, settings)| settings.iter().copied())
}

fn augment(command: Command, groups: &[Group]) -> Command {
    let add = |command, (heading, settings): &Group| setting::augment(command, heading, settings);
    groups.iter().fold(command, add)
}

impl fmt::Debug for RunArgs {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunArgs({:?})", self.names)
    }
}

impl clap::Args for RunArgs {
    fn augment_args(command: Command) -> Command {
        augment(command, GROUPS)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for RunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            values: Values::from_matches(matches, all(GROUPS)),
            names: environment::names(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Declares the flags and variables of a subcommand that needs some of the settings.
macro_rules! some_args {
    ($(#[$meta:meta])* $name:ident, $groups:expr) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            pub(super) values: Values,
        }

        impl fmt::Debug for $name {
            /// Values may be credentials.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl clap::Args for $name {
            fn augment_args(command: Command) -> Command {
                augment(command, $groups)
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl clap::FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self {
                    values: Values::from_matches(matches, all($groups)),
                })
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

some_args! {
    /// The flags and variables of `revoker publish`, not yet checked.
    PublishArgs, PUBLISH_GROUPS
}

some_args! {
    /// The flags and variables of `revoker definitions`, not yet checked.
    DefinitionsArgs, DEFINITIONS_GROUPS
}

some_args! {
    /// The flags and variables of `revoker dead-letters`, not yet checked.
    DeadLettersArgs, DEAD_LETTERS_GROUPS
}

some_args! {
    /// The flags and variables of `revoker status`, not yet checked.
    StatusArgs, STATUS_GROUPS
}

some_args! {
    /// The flags and variables of `revoker campaign start`, not yet checked.
    StartArgs, START_GROUPS
}

some_args! {
    /// The flags and variables of `revoker revoke`, not yet checked.
    RevokeArgs, REVOKE_GROUPS
}

some_args! {
    /// The flags and variables of `revoker campaign report`, not yet checked.
    ReportArgs, REPORT_GROUPS
}

some_args! {
    /// The flags and variables of `revoker campaign verify-report`, not yet checked.
    VerifyReportArgs, VERIFY_REPORT_GROUPS
}
