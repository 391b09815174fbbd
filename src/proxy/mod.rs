//! The traffic proxy.

pub mod conversation;
pub mod outstanding;
pub mod scan;
