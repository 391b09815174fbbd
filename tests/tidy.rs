//! Who may import whom.
//!
//! Holds the floors: a module may use those below it, never one above or beside. Beside it the
//! few rules of the same kind: the three workers of change capture do not know each other, and
//! some crates have one home. [`complaints`] is a pure function of a path and a text, so that
//! the rules are themselves tested.
//!
//! And pages of the guide: their links lead somewhere, and no text of an error is missing.

mod imports;
mod links;
mod messages;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use links::broken_links;
use messages::{described, messages, refusals};
use rules::complaints;

#[test]
fn every_file_imports_only_from_below() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files_below(&src, "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
        found.extend(complaints(name, &text));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_link_of_the_guide_leads_to_a_file_and_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = files_below(&root.join("docs"), "md");
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root.join(name)));
    let broken: Vec<_> = pages.iter().flat_map(|page| broken_links(page)).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_text_of_an_error_is_on_the_page_about_troubleshooting() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
    let described = described(&page);
    let mut missing = Vec::new();
    for path in files_below(&root.join("src"), "rs") {
        let source = fs::read_to_string(&path).unwrap();
        let mut texts = messages(&source);
        if path.starts_with(root.join("src/proxy")) {
            texts.extend(refusals(&source));
        }
        let unknown = texts.iter().filter(|text| !described.contains(*text));
        missing.extend(unknown.map(|text| format!("{}: {text}", path.display())));
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// All files below `folder` whose names end in `end`, sorted.
fn files_below(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path, end));
        } else if path.extension().is_some_and(|is| is == end) {
            files.push(path);
        }
    }
    files.sort();
    files
}
