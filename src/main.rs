//! The pgflit command.
fn main() {}
