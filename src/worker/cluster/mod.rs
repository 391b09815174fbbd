//! Throw-away PostgreSQL clusters, for `pgflit demo` and for the tests.
//!
//! Owns finding the server's programs, making a data folder, running a server on it, and taking
//! everything away again. Leaves what is done inside the databases to whoever asked for one.
//!
//! Any number of processes may make clusters at once. A server never outlives its owner: it ends
//! when the owner drops the [`Cluster`], and when the owner is killed.
//!
//! # On disk
//!
//! Everything is in `/tmp/pgflit-clusters-<uid of the server's user>/`, which only that user and
//! root may enter; for volatile clusters in `/dev/shm` instead, if there is room.
//!
//! | path | what | written by |
//! |---|---|---|
//! | `registry.lock` | held while clusters are claimed or swept | whoever does so |
//! | `template-<name>-<version>/` | a fresh data folder to copy; kept between runs | the first to need it |
//! | `<name>-<pid>-<number>.lock` | locked for as long as the owner lives | the owner |
//! | `<name>-<pid>-<number>/data` | the data folder; also the server's working directory | the server |
//! | `<name>-<pid>-<number>/log` | the server's log | the server |
//! | `<name>-<pid>-<number>/.s.PGSQL.*` | the socket | the server |
//!
//! # When the owner is killed
//!
//! Its end of the lifeline pipe closes, and a watcher beside the server ends the server at once.
//! The folder stays; its lock is free, so the next process that claims a folder removes it, after
//! ending whatever still works in it.

mod error;
mod folder;
mod instance;
mod process;
mod programs;
mod template;
mod user;

pub use error::ClusterError;
pub use instance::{Cluster, ClusterOptions};
pub use process::StopMode;
pub use programs::Programs;
