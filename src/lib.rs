//! pgflit
pub mod base;
pub mod catalog;
pub mod cdc;
pub mod cli;
pub mod clone;
pub mod commands;
pub mod migration;
pub mod pg;
pub mod report;
pub mod segment;
pub mod store;
pub mod wire;
pub mod worker;
