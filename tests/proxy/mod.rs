//! The proxy before a real server.

mod admin;
mod admin_together;
mod auth_query;
mod bad_input;
mod certificates;
mod control;
pub(crate) mod drivers;
mod listening;
mod logins;
mod lost_servers;
mod metrics;
mod mirrors;
mod moving;
mod pause;
mod protocol;
mod regression;
mod roles;
mod rolling;
mod servers;
mod tls;
pub(crate) mod wire;
