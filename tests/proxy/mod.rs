//! The proxy before a real server.

mod auth_query;
mod bad_input;
mod control;
mod listening;
mod logins;
mod lost_servers;
mod pause;
mod protocol;
mod roles;
mod rolling;
mod servers;
mod tls;
mod wire;
