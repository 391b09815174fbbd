//! Who may import whom.
//!
//! Holds the floors: a module may use those below it, never one above or beside. Beside it the
//! few rules of the same kind: the three workers of change capture do not know each other, and
//! some crates have one home. [`complaints`] is a pure function of a path and a text, so that
//! the rules are themselves tested.

mod imports;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use rules::complaints;

#[test]
fn every_file_imports_only_from_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in rust_files(&src) {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
        found.extend(complaints(name, &text));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
