//! pgflit
pub mod base;
pub mod pg;
pub mod wire;
