//! Targets of log lines that are told to whoever waits for news (`--notify`), not only written down.

/// Where a migration or a move of traffic has come to.
pub const STAGE: &str = "pgflit::stage";

/// The target has fallen behind further than wanted, or is near again.
pub const LAG: &str = "pgflit::lag";
