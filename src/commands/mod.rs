//! One file or folder a subcommand: build the parts, run them, report.

pub mod demo;
