//! JSON lines become SQL lines. No network, no store: a function of its input.
//!
//! [`Transformer`] is that function, a line at a time; [`FolderTransform`] keeps the SQL segments of a
//! folder in step with its JSON segments; [`transform_pipe`] is the same between two pipes.
//!
//! # Crash story
//! Nothing here is a truth of its own. After `kill -9` the next start makes the SQL of the last
//! segment again from its JSON, finds that it begins with exactly the bytes that are there
//! already, and goes on behind them; a reader in the middle of the file notices nothing.

mod described;
mod exact;
mod folder;
mod pipe;
mod statement;
mod transformer;

pub use folder::{FolderError, FolderTransform, Progress, begins_inside};
pub use pipe::{End, PipeError, transform_pipe};
pub use transformer::{Open, TransformError, Transformer};
