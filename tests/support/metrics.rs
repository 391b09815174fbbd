//! The names of metrics, in what a program tells and in what asks for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A file of `docs/monitoring`.
#[track_caller]
pub(crate) fn monitoring(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring");
    fs::read_to_string(folder.join(name)).expect(name)
}

/// The names in `text`, a dashboard or rules, that begin with `prefix`.
pub(crate) fn metrics_named_in(text: &str, prefix: &str) -> BTreeSet<String> {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let begins = text.match_indices(prefix).filter(|(at, _)| {
        // Not the end of a longer one.
        !text[..*at].ends_with(is_of_name)
    });
    begins
        .map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|other| !is_of_name(other)).unwrap_or(rest.len());
            rest[..end].to_owned()
        })
        .collect()
}
