//! The proxy before a real server.

mod admin;
mod bad_input;
mod control;
mod logins;
mod lost_servers;
mod metrics;
mod pause;
mod protocol;
mod roles;
mod tls;
mod wire;
