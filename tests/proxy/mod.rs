//! The proxy before a real server.

mod admin;
mod bad_input;
mod certificates;
mod control;
mod drivers;
mod logins;
mod lost_servers;
mod metrics;
mod mirrors;
mod pause;
mod protocol;
mod regression;
mod roles;
mod tls;
mod wire;
