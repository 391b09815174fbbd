//! pgflit
pub mod base;
pub mod commands;
pub mod worker;
