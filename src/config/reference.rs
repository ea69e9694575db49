//! The reference of all settings, taken from the command line's own definition.

use clap::{Args, Command};

use super::{RunArgs, args::ELSEWHERE, setting};

/// One setting, as `--help` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingDoc {
    /// The environment variable.
    pub variable: String,
    /// The flag, with its dashes.
    pub flag: String,
    /// The default, if there is one.
    pub default: Option<String>,
    /// Meaning, unit and range.
    pub meaning: String,
}

/// All settings of `revoker run`, in the order of its help, and then those that only others have.
pub fn reference() -> Vec<SettingDoc> {
    let command = RunArgs::augment_args(Command::new("run"));
    let command = setting::augment(command, "Elsewhere", ELSEWHERE);
    let doc = |arg: &clap::Arg| {
        let default = arg
            .get_default_values()
            .first()
            .map(|value| value.to_string_lossy().into_owned());
        Some(SettingDoc {
            variable: arg.get_env()?.to_string_lossy().into_owned(),
            flag: format!("--{}", arg.get_long()?),
            default,
            meaning: arg.get_help()?.to_string(),
        })
    };
    command.get_arguments().filter_map(doc).collect()
}

/// [`reference()`] as the table of the README.
pub fn markdown_table() -> String {
    let mut table = "| variable | flag | default | meaning |\n|---|---|---|---|\n".to_owned();
    for doc in reference() {
        let default = doc
            .default
            .map(|default| format!("`{default}`"))
            .unwrap_or_default();
        let meaning = doc.meaning.replace('|', "\\|");
        table += &format!(
            "| `{}` | `{}` | {default} | {meaning} |\n",
            doc.variable, doc.flag
        );
    }
    table
}
