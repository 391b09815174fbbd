//! Metrics for Prometheus, over HTTP.
//!
//! - [`families`]: what is told, from the [`statistics`](super::statistics);
//! - [`exposition`]: the text format;
//! - [`http`]: the door: `GET /metrics`, `GET /health`.
//!
//! Nothing is counted here: what is told is read when it is asked for. No secrets, texts or names of
//! users are; databases by name only where the configuration has it or a server has let a client in,
//! so that strangers cannot make up time series.

pub mod exposition;
pub mod families;
pub mod http;
mod mirrors;
