//! The tests of the whole program, as one binary.

// Support of tests is not marked #[test], so clippy does not know that it may panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;
