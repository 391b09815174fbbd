//! pgflit
pub mod base;
