//! What matters of a server that traffic is to go to, besides what a cutover needs for itself.

use std::path::Path;

use crate::base::Side;
use crate::base::quantity::ByteSize;
use crate::migration::error::MigrationError;
use crate::pg::Session;

use super::disk::{of_room, room_of};
use super::finding::{Finding, Findings, Place, Verdict, first_of};
use super::parameters::{differing, values};
use super::settings::{Settings, danger};

/// One server, and a session there.
#[derive(Debug, Clone, Copy)]
pub(in crate::migration) struct End<'a> {
    pub(in crate::migration) side: Side,
    pub(in crate::migration) session: &'a Session,
}

/// Looks at `to`, which is to serve what `from` does now. `segments` is where those of the way back are to
/// be; none without one. Of a server behind a fence it is not asked whether it takes writes: that ends when
/// traffic goes there.
pub(in crate::migration) async fn look_before_traffic(
    (from, to): (End<'_>, End<'_>),
    is_fenced: bool,
    segments: Option<&Path>,
) -> Result<Vec<Finding>, MigrationError> {
    let mut found = Findings::default();
    let settings = Settings::of(to.session, to.side).await;
    if let Some(settings) = found.seen("durability", to.side, settings)? {
        if settings.is_read_only() && !is_fenced {
            found.fail(
                "read-only",
                to.side,
                format!(
                    "default_transaction_read_only = on: applications could not write to the {}",
                    to.side
                ),
                "take it back first (ALTER DATABASE … RESET, or ALTER SYSTEM RESET)",
            );
        }
        if let Some(text) = danger(&settings.not_durable()) {
            let hint = format!("set them on in the {}, and reload it", to.side);
            found.warn("durability", to.side, text, hint);
        }
    }
    let here = found.seen(
        "parameters",
        from.side,
        values(from.session, from.side).await,
    )?;
    let there = found.seen("parameters", to.side, values(to.session, to.side).await)?;
    if let (Some(here), Some(there)) = (here, there) {
        let differing = differing(&here, &there, |_| false);
        if !differing.is_empty() {
            let text = format!(
                "what SQL means there differs ({}, {}): {}",
                from.side,
                to.side,
                first_of(&differing)
            );
            let hint = "give it the same values, unless the others are meant";
            found.warn("parameters", Place::Both, text, hint);
        }
    }
    if let Some(room) = segments.and_then(room_of) {
        let (verdict, _) = of_room(ByteSize(room.free), None, None);
        if verdict == Verdict::Fail {
            let text = format!(
                "{} are free for the changes of the way back",
                ByteSize(room.free)
            );
            let hint = "make room in the work directory; or give up the way back with --no-reverse";
            found.fail("segment-space", Place::Here, text, hint);
        }
    }
    Ok(found.into_vec())
}
