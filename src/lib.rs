//! pgflit
pub mod base;
pub mod cli;
pub mod commands;
pub mod report;
