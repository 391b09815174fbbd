//! pgflit
pub mod base;
pub mod cdc;
pub mod segment;
pub mod store;
pub mod pg;
pub mod wire;
pub mod cli;
pub mod commands;
pub mod report;
pub mod worker;
