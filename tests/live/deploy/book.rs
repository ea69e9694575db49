//! The commands of SECRETS.md, as they stand, a section after the other.

use std::path::Path;

use crate::harness::{
    World,
    shell::{Shell, blocks},
    worker::Settings,
};

const PAGE: &str = include_str!("../../../deploy/SECRETS.md");

/// The blocks of one section, to be run one after the other.
pub(super) struct Book {
    blocks: std::vec::IntoIter<&'static str>,
    shell: Shell,
}

impl Book {
    /// Opens it at a section; `node`: the folder of the node that `rabbitmqctl` is for.
    pub(super) fn at(section: &str, world: &World, node: &Path) -> Self {
        let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
        let section = rest.split("\n## ").next().unwrap();
        Self {
            blocks: blocks(section).collect::<Vec<_>>().into_iter(),
            shell: Shell::new(world, node),
        }
    }

    /// Runs the next block with the worker's settings and these variables.
    pub(super) async fn run(&mut self, settings: &Settings<'_>, own: &[(&str, &str)]) {
        let block = self.blocks.next().expect("the section has another block");
        self.shell.run(block, settings, own).await;
    }

    /// All of the section was run.
    pub(super) fn close(mut self) {
        assert_eq!(self.blocks.next(), None, "a block was not run");
    }
}
