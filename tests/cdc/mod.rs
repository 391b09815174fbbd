//! Change capture by hand: the three workers as a person runs them.

mod capture;
mod damaged;
mod endpos;
mod files;
mod interruptions;
mod paused_standby;
mod pipes;
mod segments;
mod streamed;
mod streamed_large;
mod supervised;

use capture::Capture;
