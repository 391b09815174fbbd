//! The traffic proxy.

pub mod admission;
pub mod auth;
pub mod cancel;
pub mod channel;
pub mod client_tls;
pub mod config;
pub mod control;
pub mod conversation;
pub mod gate;
pub mod greeting;
pub mod listener;
pub mod login;
pub mod notice;
pub mod outstanding;
pub mod registry;
pub mod relay;
pub mod reload;
pub mod run;
pub mod scan;
pub mod server;
pub mod service;
pub mod session;
pub mod workers;
