//! The shell of somebody who follows a document of ours: its commands as they stand, with what is his filled in.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{World, worker::Settings};

/// The shell blocks of a text.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap())
}

/// A shell that finds the binary under test, and `rabbitmqctl` for a node.
pub(crate) struct Shell {
    programs: PathBuf,
}

impl Shell {
    /// `node`: the folder of the node that `rabbitmqctl` is for.
    pub(crate) fn new(world: &World, node: &Path) -> Self {
        let programs = world.file(&format!("bin-{:08x}", fastrand::u32(..)));
        std::fs::create_dir(&programs).unwrap();
        let write = |name: &str, line: &str| {
            let file = programs.join(name);
            std::fs::write(&file, format!("#!/bin/sh\nexec {line} \"$@\"\n")).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        };
        write("revoker", env!("CARGO_BIN_EXE_revoker"));
        let private_node = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/rabbitmq/private-node");
        write(
            "rabbitmqctl",
            &format!("{private_node} ctl {}", node.display()),
        );
        Self { programs }
    }

    /// Runs these lines with a worker's settings and these variables.
    ///
    /// # Panics
    /// When one of them fails.
    pub(crate) async fn run(&self, lines: &str, settings: &Settings<'_>, own: &[(&str, &str)]) {
        let mut shell = Command::new("bash");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.programs.display());
        shell.args(["-euo", "pipefail", "-c", lines]);
        shell.stdin(Stdio::null()).env_clear().env("PATH", path);
        shell.envs(settings.variables()).envs(own.iter().copied());
        let ended = tokio::task::spawn_blocking(move || shell.output());
        let output = ended.await.unwrap().expect("bash must run");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        assert!(status.success(), "{lines}\n{status}\n{said}{complained}");
    }
}
