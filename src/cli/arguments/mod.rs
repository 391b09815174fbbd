//! The clap definition of the whole command line, and what each part of it comes to.
//!
//! [`tree`] holds the root; each other file holds the options of one group of commands, with a
//! `resolve` that consults [`Settings`](super::settings::Settings) and returns plain values. The
//! doc comments here are the help texts and man pages: one clear sentence each, for a DBA.
//! Where an option has a default it is said in its text, because clap must not know it: the
//! environment and the configuration file come in between.

mod change_capture;
mod connection;
mod copying;
mod global;
mod help;
mod inspection;
mod list;
mod migration;
mod notify;
mod resume;
mod sentinel;
mod steps;
mod stream;
mod traffic;
pub(in crate::cli) mod tree;
