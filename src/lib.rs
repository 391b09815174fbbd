//! pgflit
pub mod base;
pub mod worker;
