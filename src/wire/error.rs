//! What is wrong with bytes that should be protocol 3.

/// Bytes that protocol 3 does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A frame that claims to be shorter than its own length field, or longer than 2 GiB.
    #[error("message '{}' claims a length of {length} bytes", .tag.escape_ascii())]
    Length {
        /// The message's type.
        tag: u8,
        /// The claim, which counts itself and not the tag.
        length: u32,
    },
    /// A message that ends before its fields do.
    #[error("{0} message is too short")]
    Short(&'static str),
    /// A replication message of a type that is not known.
    #[error("unknown replication message '{}'", .0.escape_ascii())]
    UnknownReplication(u8),
}
