//! The settings that a server reports to its client by ParameterStatus.

use std::collections::BTreeMap;

use memchr::memchr;

use super::pipeline;

/// Parameters that are kept; servers report fewer than twenty.
const PARAMETERS_MAX: usize = 1000;

/// The settings that servers report, and the version number since which they do: `GUC_REPORT` in
/// PostgreSQL's `src/backend/utils/misc/guc_tables.c`.
pub(super) const REPORTED: [(&str, u32); 15] = [
    ("DateStyle", 0),
    ("IntervalStyle", 0),
    ("TimeZone", 0),
    ("application_name", 0),
    ("client_encoding", 0),
    ("default_transaction_read_only", 140_000),
    ("in_hot_standby", 140_000),
    ("integer_datetimes", 0),
    ("is_superuser", 0),
    ("scram_iterations", 160_000),
    ("search_path", 180_000),
    ("server_encoding", 0),
    ("server_version", 0),
    ("session_authorization", 0),
    ("standard_conforming_strings", 0),
];

/// Reported settings by name, in the client's encoding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Parameters {
    /// Takes in the body of a ParameterStatus; false if it is none.
    pub fn heard(&mut self, body: &[u8]) -> bool {
        let name_end = memchr(0, body);
        let parts =
            name_end.and_then(|at| Some((&body[..at], body[at + 1..].strip_suffix(b"\0")?)));
        match parts {
            Some((name, value)) if !name.is_empty() && !value.contains(&0) => {
                self.set(name, value);
                true
            }
            _ => false,
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name.as_bytes()).map(Vec::as_slice)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let all = self.values.iter();
        all.map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        if self.values.len() < PARAMETERS_MAX || self.values.contains_key(name) {
            self.values.insert(name.to_vec(), value.to_vec());
        }
    }
}

/// The ParameterStatus messages by which a client that knows `before` comes to know `after`.
pub fn changed_parameters(before: &Parameters, after: &Parameters) -> Vec<u8> {
    let mut messages = Vec::new();
    for (name, value) in &after.values {
        if before.values.get(name) != Some(value) {
            pipeline::put_message(&mut messages, b'S', &[name, b"\0", value, b"\0"]);
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{HEADER_BYTES, frames};
    use proptest::prelude::*;

    #[test]
    fn only_what_differs_is_said() {
        let mut before = Parameters::default();
        assert!(before.heard(b"TimeZone\0UTC\0") && before.heard(b"DateStyle\0ISO, DMY\0"));
        let mut after = before.clone();
        assert!(changed_parameters(&before, &after).is_empty());
        assert!(after.heard(b"TimeZone\0\0") && after.heard(b"new\0on\0"));
        let said = changed_parameters(&before, &after);
        assert_eq!(said, b"S\0\0\0\x0eTimeZone\0\0S\0\0\0\x0bnew\0on\0");
    }

    proptest! {
        #[test]
        fn a_client_that_hears_the_changes_knows_everything(
            before: Vec<(String, String)>, after: Vec<(String, String)>, hostile: Vec<u8>,
        ) {
            let of = |all: Vec<(String, String)>| {
                let mut parameters = Parameters::default();
                for (name, value) in all {
                    parameters.heard(format!("{name}\0{value}\0").as_bytes());
                }
                parameters
            };
            let (mut client, after) = (of(before), of(after));
            for (tag, frame) in frames(&changed_parameters(&client, &after)) {
                prop_assert!(tag == b'S' && client.heard(&frame[HEADER_BYTES..]));
            }
            for (name, value) in after.iter() {
                prop_assert_eq!(client.values.get(name).map(Vec::as_slice), Some(value));
            }
            client.heard(&hostile);
        }
    }
}
