//! What the client says in passing that no server can be asked for afterwards.

/// Names of custom settings that a client may have set, and hints of what else it may hold.
#[derive(Debug, Clone, Default)]
pub struct CustomNames {
    names: Vec<Vec<u8>>,
    may_listen: bool,
    may_lock: bool,
    is_incomplete: bool,
}

impl CustomNames {
    /// Takes in what the client sends, cut anywhere.
    pub fn heard(&mut self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// Takes in what `other` has heard.
    pub fn include(&mut self, other: &CustomNames) {
        let _ = other;
    }

    /// The names of custom settings that may have been set.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Whether no custom setting has been heard of.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.is_incomplete
    }

    /// Whether the client may listen for notifications: the session is to be moved before others
    /// speak again.
    pub fn may_listen(&self) -> bool {
        self.may_listen
    }

    /// Whether the client may hold advisory locks: likewise.
    pub fn may_lock(&self) -> bool {
        self.may_lock
    }

    /// Whether a custom setting may have been made whose name was not understood: such a session
    /// cannot be moved without loss.
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }
}
