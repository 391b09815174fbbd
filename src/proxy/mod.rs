//! The traffic proxy.

pub mod config;
pub mod conversation;
pub mod outstanding;
pub mod scan;
