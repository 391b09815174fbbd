//! How far a copy is, on stderr while it runs.
//!
//! Each look at what moves ([`Sample`]) becomes a [`Picture`], by functions without I/O; one of
//! three renderers shows it: bars that redraw themselves on a terminal, a plain line now and then
//! elsewhere, or one JSON object a line. The same picture, taken from the store, is what
//! `pgflit list progress` prints.
//!
//! Sizes are those of the source's tables, so that done, total, rate and time left fit together.
//! What COPY moves may be larger or smaller; how much so is learned from the parts that are done.

mod bars;
mod display;
mod json;
mod listing;
mod meter;
mod names;
mod picture;
mod plain;
mod screen;
mod stage;
mod stored;

pub use display::{Display, Shown};
pub use listing::text;
pub use meter::Sample;
pub use names::{printable, shorten};
pub(super) use picture::coarse;
pub use picture::{Building, Copying, Count, Picture, Streaming};
pub use stage::Stage;
pub use stored::{State, Stored, picture_of};
