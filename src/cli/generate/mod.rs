//! Man pages and shell completions, made from the same definition as the parser.
//!
//! `pgflit generate` writes them into the source tree; a test compares the committed files with
//! [`files`]. Nothing of the machine that generates gets into them.

mod completions;
mod man;
mod tree_of_files;

pub use completions::completion_script;
pub use tree_of_files::{GeneratedFile, files, write};
