//! `pgflit stream …`: the three workers, by hand or as children, and what runs some of them.
//!
//! Owns how they are begun and how they end: the lock of the role, what the run was begun with,
//! the exit code. What they do is in [`crate::cdc`].
//!
//! Each takes the lock of its role before it touches a segment, so two never write the same
//! files. With [`SUPERVISED`](crate::worker::death_watch::SUPERVISED) set, each ends with its
//! supervisor.

mod apply;
mod apply_to_stdout;
mod begin;
mod cleanup;
mod prune;
mod receive;
mod setup;
mod supervised;
mod transform;
mod transform_file;
mod transform_folder;
mod transform_pipe;

pub(super) use apply::run as apply;
pub(super) use begin::free_roles;
pub(super) use cleanup::run as cleanup;
pub(super) use prune::run as prune;
pub(super) use receive::run as receive;
pub(super) use setup::run as setup;
pub(super) use supervised::{catchup, prefetch, replay};
pub(super) use transform::run as transform;
