//! Where sequences stand on the other side. No stream carries them.
//!
//! They are set once while traffic flows, and again while clients wait: then only those that have moved
//! since, in one message. Reading all of them is one query for hundreds.

use std::collections::HashMap;

use super::error::{CutoverError, on};
use crate::base::Side;
use crate::base::ident::quote_literal;
use crate::catalog::discovery::{self, Sequence};
use crate::catalog::restore_list::Objects;
use crate::pg::Session;

/// What was set.
#[derive(Debug)]
pub struct Sequences {
    /// By quoted name: where the other side stands.
    set: HashMap<String, (i64, bool)>,
    goes: Goes,
}

/// Where the other side's go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// Where those of this side are.
    There,
    /// There, but never back: the other side has given out values of its own.
    Ahead,
}

impl Sequences {
    /// None is set yet.
    pub fn new(goes: Goes) -> Self {
        Sequences {
            set: HashMap::new(),
            goes,
        }
    }

    /// Sets those on `to` that stand elsewhere on `from` than when they were set last; how many there
    /// are. What is not on `to` is passed over: it is left out by the filters.
    ///
    /// # Errors
    /// A server refuses.
    pub async fn carry(
        &mut self,
        (from, from_side): (&Session, Side),
        to: &Session,
        left_out: &Objects,
    ) -> Result<usize, CutoverError> {
        let read = discovery::sequences(from, left_out).await;
        let read = read.map_err(on(from_side, "reading sequences"))?;
        let moved: Vec<&Sequence> = read
            .iter()
            .filter(|one| {
                self.goes == Goes::Ahead
                    || self.set.get(&one.name.quoted()) != Some(&(one.last_value, one.is_called))
            })
            .collect();
        if !moved.is_empty() {
            let rows: Vec<_> = moved.iter().map(|one| row(one)).collect();
            let wanted = format!(
                "FROM (VALUES {}) AS wanted (name, value, is_called),
                      LATERAL pg_catalog.to_regclass(name) AS there",
                rows.join(", ")
            );
            let sql = match self.goes {
                Goes::There => format!(
                    "SELECT pg_catalog.setval(there, value, is_called) {wanted}
                      WHERE there IS NOT NULL"
                ),
                // One that has given out nothing has no last value, which counts for nothing here.
                Goes::Ahead => format!(
                    "SELECT pg_catalog.setval(there,
                                CASE WHEN s.seqincrement < 0 THEN least(value, last)
                                     ELSE greatest(value, last) END,
                                is_called OR last IS NOT NULL)
                       {wanted}, pg_catalog.pg_sequence s,
                       LATERAL pg_catalog.pg_sequence_last_value(there) AS last
                      WHERE s.seqrelid = there"
                ),
            };
            let failed = on(from_side.other(), "setting sequences");
            to.batch(&sql).await.map_err(failed)?;
        }
        for one in moved {
            let state = (one.last_value, one.is_called);
            self.set.insert(one.name.quoted(), state);
        }
        Ok(read.len())
    }
}

fn row(sequence: &Sequence) -> String {
    format!(
        "({}, {}::bigint, {})",
        quote_literal(&sequence.name.quoted()),
        sequence.last_value,
        sequence.is_called
    )
}
