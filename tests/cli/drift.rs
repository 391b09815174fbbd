//! `man/` and `completions/` are what the definition says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pgflit::cli::generate;

const REMEDY: &str = "run: cargo run -- generate";

#[test]
fn committed_man_pages_and_completions_are_in_step() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in generate::files().expect("generated files") {
        let committed = std::fs::read(top.join(&file.path)).unwrap_or_default();
        assert!(
            committed == file.contents,
            "{} is out of step with the command line; {REMEDY}",
            file.path.display()
        );
    }
}

#[test]
fn no_page_of_a_command_that_is_gone_is_left() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = generate::files().expect("generated files");
    let generated: BTreeSet<PathBuf> = generated.into_iter().map(|file| file.path).collect();
    for folder in ["man", "completions"] {
        for entry in std::fs::read_dir(top.join(folder)).expect(folder) {
            let path = Path::new(folder).join(entry.expect(folder).file_name());
            assert!(
                generated.contains(&path),
                "{} belongs to no command",
                path.display()
            );
        }
    }
}
