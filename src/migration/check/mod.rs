//! Everything that would make a migration fail or lose data, looked at before anything is changed.
//!
//! Owns `pgflit check`: what is looked at, how much it matters, what to do about it. What a migration
//! refuses by itself when it begins is decided in [`super::preflight`] and told here with the same
//! words. Leaves printing to `report`, asking to `commands`.
//!
//! - `finding`: what a check says; `look`: the checks in order, and what they all need;
//! - `servers`: which servers these are; `settings`, `connections`, `parameters`: how they are set up;
//! - `privileges`: what the role may do; `identities`, `objects`, `extensions`, `collations`: what is on
//!   the source, and whether the target can have it;
//! - `slot`: what a slot needs, and what would hold it up; `target`: what is there already;
//! - `disk`: room on this machine; `fix`: carrying out what would mend it;
//! - `begin`: what `clone` does not begin with; `traffic`: what traffic does not go to.
//!
//! Nothing is changed by looking. The number of queries does not depend on what the databases contain,
//! and no line names more than a few of anything. What a role may not see is said, in the line of the
//! check that would have looked at it.
//!
//! A check has an identifier that stays the same from version to version, and one line a server.

mod begin;
mod collations;
mod connections;
mod disk;
mod extensions;
mod finding;
mod fix;
mod identities;
mod look;
mod objects;
mod parameters;
mod privileges;
mod servers;
mod settings;
mod slot;
mod target;
mod traffic;

pub(super) use begin::refuse;
pub use finding::{Effect, Finding, Fix, IDS, Place, Verdict};
pub use fix::carry_out;
pub use look::{Config, Following, Report, look};
pub(super) use traffic::{End, look_before_traffic};
