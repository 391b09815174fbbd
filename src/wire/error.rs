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
    /// A message of a type that has no place here.
    #[error("unexpected message '{}'", .0.escape_ascii())]
    Unexpected(u8),
    /// A first packet that is shorter than its own header, or longer than servers take.
    #[error("invalid length of startup packet: {0}")]
    StartupLength(u32),
    /// A session by a protocol other than 3.
    #[error("unsupported frontend protocol {major}.{minor}: version 3 is spoken here")]
    Version {
        /// The major number.
        major: u32,
        /// The minor number.
        minor: u32,
    },
    /// A first packet whose body is not what its code says.
    #[error("invalid startup packet layout: {0}")]
    Startup(&'static str),
}
