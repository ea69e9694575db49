//! One subcommand a file.

pub mod sandbox;
