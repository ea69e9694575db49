//! The commands of SECRETS.md, as they stand, run by somebody who has only filled in what is his.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::harness::{World, worker::Settings};

const PAGE: &str = include_str!("../../../deploy/SECRETS.md");

/// The blocks of one section, to be run one after the other.
pub(super) struct Book {
    blocks: std::vec::IntoIter<&'static str>,
    programs: PathBuf,
}

impl Book {
    /// Opens it at a section; `node`: the folder of the node that `rabbitmqctl` is for.
    pub(super) fn at(section: &str, world: &World, node: &Path) -> Self {
        let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
        let section = rest.split("\n## ").next().unwrap();
        let blocks = section.split("```sh\n").skip(1);
        let blocks: Vec<_> = blocks
            .map(|rest| rest.split("```").next().unwrap())
            .collect();
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
        Self {
            blocks: blocks.into_iter(),
            programs,
        }
    }

    /// Runs the next block with the worker's settings and these variables.
    pub(super) async fn run(&mut self, settings: &Settings<'_>, own: &[(&str, &str)]) {
        let block = self.blocks.next().expect("the section has another block");
        let mut shell = Command::new("bash");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.programs.display());
        shell
            .args(["-euo", "pipefail", "-c", block])
            .stdin(Stdio::null());
        shell
            .env_clear()
            .env("PATH", path)
            .envs(settings.variables());
        shell.envs(own.iter().copied());
        let ended = tokio::task::spawn_blocking(move || shell.output());
        let output = ended.await.unwrap().expect("bash must run");
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{block}\n{said}{complained}");
    }

    /// All of the section was run.
    pub(super) fn close(mut self) {
        assert_eq!(self.blocks.next(), None, "a block was not run");
    }
}
