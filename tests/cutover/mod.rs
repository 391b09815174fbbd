//! Traffic moves to the target, and back: real servers, a real proxy, clients that count.

mod ahead;
mod bank;
mod by_mirror;
mod carried;
mod console;
mod drivers;
mod exchange;
mod finalized;
mod killed;
mod machines;
mod moving;
mod notified;
mod privileges;
mod refused;
mod sessions;
mod shadow;
pub(crate) mod stage;
mod status;
mod stopping;
mod struck;
mod under_load;
