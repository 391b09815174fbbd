//! Change capture by hand: the three workers as a person runs them.

mod capture;
mod files;
mod interruptions;
mod pipes;
mod segments;

use capture::Capture;
