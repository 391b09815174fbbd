//! Whether the source is still the one whose changes are on this disk, after a failover too.
//!
//! A standby that is promoted begins a new timeline: it goes on from the position where it left the
//! old one, and what the old primary has written after that never happened. A slot that was
//! synchronized is there again. What was received from before that position is exact; what was
//! received from after it may be on the target and nowhere else.

use crate::base::Lsn;
use crate::pg::{self, Connection};

use super::error::ReceiveError;

/// Where the source's WAL stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) timeline: u32,
    /// What is flushed of it; on a standby, replayed or received, whichever is more.
    pub(super) lsn: Lsn,
}

/// Asks the source where it stands.
pub(super) async fn ask(connection: &mut Connection) -> Result<Standing, ReceiveError> {
    let results = connection.query("IDENTIFY_SYSTEM").await?;
    let row = results.first().and_then(|result| result.rows.first());
    let field = |at: usize| row.and_then(|row| row.get(at)?.as_deref());
    let timeline = field(1).and_then(|text| text.parse().ok());
    let lsn = field(2).and_then(|text| text.parse().ok());
    Ok(Standing {
        timeline: timeline.ok_or_else(|| unexpected("IDENTIFY_SYSTEM without a timeline"))?,
        lsn: lsn.ok_or_else(|| unexpected("IDENTIFY_SYSTEM without a position"))?,
    })
}

/// Refuses timeline `now` of the source if what stands on this disk, up to `on_disk` of `known`, did
/// not happen on it.
pub(super) async fn check(
    connection: &mut Connection,
    now: u32,
    known: Option<u32>,
    on_disk: Lsn,
) -> Result<(), ReceiveError> {
    let Some(known) = known.filter(|known| *known != now) else {
        return Ok(());
    };
    if now < known {
        return Err(ReceiveError::Timeline {
            now,
            known,
            problem: "which is older: it is not the server that the last changes came from"
                .to_owned(),
        });
    }
    let history = connection.query(&format!("TIMELINE_HISTORY {now}")).await?;
    let row = history.first().and_then(|result| result.rows.first());
    let text = row.and_then(|row| row.get(1)?.as_deref());
    let text = text.ok_or_else(|| unexpected("TIMELINE_HISTORY without a history"))?;
    let left = left_at(text, known);
    let problem = match left {
        Some(left) if on_disk <= left => {
            tracing::warn!(
                "the source has failed over: it goes on from {left} of timeline {known} on timeline {now}"
            );
            return Ok(());
        }
        Some(left) => format!(
            "which goes on from {left}, and changes up to {on_disk} were received from the server before it"
        ),
        None => "which does not come from it".to_owned(),
    };
    Err(ReceiveError::Timeline {
        now,
        known,
        problem,
    })
}

/// Where `history`, the text of a timeline's history file, says that `timeline` was left.
fn left_at(history: &str, timeline: u32) -> Option<Lsn> {
    history.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let number: u32 = words.next()?.parse().ok()?;
        (number == timeline).then_some(words.next()?.parse().ok())?
    })
}

fn unexpected(what: &str) -> ReceiveError {
    pg::Error::Protocol(what.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_says_where_a_timeline_was_left() {
        let history = "1\t0/3000A0\tno recovery target specified\n\n# a comment\n2\t1/20\tbefore 2026-11-21\n";
        assert_eq!(left_at(history, 1), Some(Lsn::new(0x3000a0)));
        assert_eq!(left_at(history, 2), Some(Lsn::new(0x1_0000_0020)));
        assert_eq!(left_at(history, 3), None);
        assert_eq!(left_at("1\n2 zebra", 1), None);
        assert_eq!(left_at("1\n2 zebra", 2), None);
    }
}
