//! All generated files, and writing them.

use std::io;
use std::path::{Path, PathBuf};

use super::{completion_script, man};
use crate::cli::invocation::Shell;

/// One file that is made from the definition of the command line.
pub struct GeneratedFile {
    /// Below the top of the source tree.
    pub path: PathBuf,
    /// All of it.
    pub contents: Vec<u8>,
}

/// Every generated file as it should be.
pub fn files() -> io::Result<Vec<GeneratedFile>> {
    let mut files = man::pages()?;
    files.extend(Shell::ALL.map(|shell| GeneratedFile {
        path: Path::new("completions").join(shell.file_name()),
        contents: completion_script(shell),
    }));
    Ok(files)
}

/// Writes every generated file below `dir`, and returns how many there are.
///
/// Pages of commands that no longer exist stay; the test that compares finds them.
pub fn write(dir: &Path) -> io::Result<usize> {
    let files = files()?;
    for file in &files {
        let path = dir.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, &file.contents)?;
    }
    Ok(files.len())
}
