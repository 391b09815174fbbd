//! The bench that scenarios are written on.
//!
//! A scenario makes a [`Pair`] of databases, runs [`pgflit`] between them, and ends with
//! [`assert_equal`], which shares no code with pgflit. Only [`wait`] sleeps; nothing here leaves
//! a process or a file behind, whichever way a test ends.

#![allow(dead_code, reason = "each scenario uses some of it")]
#![allow(unused_imports, reason = "each scenario uses some of it")]

mod compare;
mod explained;
mod held;
mod metrics;
mod pair;
mod pgbench;
mod pgflit;
mod plugin;
mod process;
mod proxied;
mod sql;
mod terminal;
mod wait;
mod webhook;
mod workload;

pub(crate) use compare::{assert_equal, definition_differences, differences};
pub(crate) use explained::assert_explained;
pub(crate) use held::Held;
pub(crate) use metrics::{metrics_named_in, monitoring};
pub(crate) use pair::{Pair, source_options, target_options};
pub(crate) use pgbench::Pgbench;
pub(crate) use pgflit::{Finished, Pgflit, Run, pgflit, pgflit_on, pgflit_with_files_of};
pub(crate) use plugin::{PLUGINS, allow_plugin, with_each};
pub(crate) use process::{Process, children};
pub(crate) use proxied::{Proxied, driver_runtime};
pub(crate) use sql::{Database, sql};
pub(crate) use terminal::Terminal;
pub(crate) use wait::{eventually, eventually_some, let_pass};
pub(crate) use webhook::Webhook;
pub(crate) use workload::{NOT_DECODED, Workload};

use std::time::Duration;

/// For what takes a moment: a process to end, a row to arrive.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Whether tests with much data are wanted too, as `make test-long` does. One that is not run
/// says so by returning at once.
pub(crate) fn long_tests_wanted() -> bool {
    std::env::var_os("PGFLIT_LONG").is_some()
}
