//! Change capture by hand: the three workers as a person runs them.

mod capture;
mod clock;
mod damaged;
mod endpos;
mod files;
mod full_disk;
mod interruptions;
mod lanes;
mod messages;
mod paused_standby;
mod pipes;
mod segments;
mod streamed;
mod streamed_large;
mod supervised;
mod together;

use capture::Capture;
