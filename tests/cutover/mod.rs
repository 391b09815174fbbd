//! Traffic moves to the target, and back: real servers, a real proxy, clients that count.

mod bank;
mod console;
mod drivers;
mod exchange;
mod killed;
mod moving;
mod refused;
mod sessions;
mod stage;
mod under_load;
