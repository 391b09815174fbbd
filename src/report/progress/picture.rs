//! How far a copy is at one moment, ready to be shown.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Stage;
use crate::base::quantity::{ByteSize, display_duration};
use crate::base::{Lsn, QualifiedName};

/// How far a copy is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Picture {
    /// What is being done.
    pub stage: Stage,
    /// Of the bytes, rounded down; 100 only when everything is there.
    pub percent: u8,
    /// Tables, and the parts of them that are being copied.
    pub tables: Count<Copying>,
    /// Indexes, and those that are being built.
    pub indexes: Count<Building>,
    /// Tables vacuumed or analyzed; the store does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tidied: Option<usize>,
    /// Size of the tables on the source.
    pub total_bytes: u64,
    /// That of what is on the target.
    pub done_bytes: u64,
    /// COPY data moved.
    pub moved_bytes: u64,
    /// Rows of the parts that are done.
    pub rows: u64,
    /// Of the bytes of tables, lately.
    pub bytes_per_second: Option<u64>,
    /// Until all rows are there, at this rate.
    #[serde(rename = "eta_ms", serialize_with = "millis_if_known")]
    pub eta: Option<Duration>,
    /// Change capture, if there is any.
    pub stream: Option<Streaming>,
}

/// Things of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Count<T> {
    /// In all.
    pub total: usize,
    /// Done.
    pub done: usize,
    /// Being worked on, the longest first.
    #[serde(rename = "in-progress")]
    pub in_progress: Vec<T>,
}

/// A part of a table that is being copied.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copying {
    /// The table's OID on the source.
    pub oid: u32,
    /// The table.
    #[serde(flatten)]
    pub name: Name,
    /// Which part of it, from 1.
    pub part: u32,
    /// In how many parts the table is copied.
    pub parts: u32,
    /// Its size on the source.
    pub total_bytes: u64,
    /// How much of that is on its way or there.
    pub done_bytes: u64,
    /// The same in percent; 100 only when it is committed, so never.
    pub percent: u8,
    /// Since it began.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
}

/// An index that is being built.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Building {
    /// Its OID on the source.
    pub oid: u32,
    /// The index.
    #[serde(flatten)]
    pub name: Name,
    /// Its size on the source.
    pub bytes: u64,
    /// Since it began.
    #[serde(rename = "elapsed_ms", serialize_with = "millis")]
    pub elapsed: Duration,
}

/// A relation's name as two values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Name {
    schema: String,
    name: String,
}

/// How far change capture is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Streaming {
    /// Received from the source.
    pub received: Lsn,
    /// Committed on the target.
    pub replayed: Lsn,
    /// Where it ends, if somebody has said.
    pub endpos: Option<Lsn>,
    /// Received and not on the target.
    pub behind_bytes: u64,
}

impl From<&QualifiedName> for Name {
    fn from(name: &QualifiedName) -> Self {
        Name {
            schema: name.schema.clone(),
            name: name.name.clone(),
        }
    }
}

impl Name {
    /// For people, harmless on a terminal.
    pub fn shown(&self) -> String {
        super::printable(&QualifiedName::new(&self.schema, &self.name).to_string())
    }
}

impl Copying {
    /// The table and, if there are several, the part.
    pub fn shown(&self) -> String {
        match self.parts {
            0 | 1 => self.name.shown(),
            parts => format!("{} {}/{parts}", self.name.shown(), self.part),
        }
    }
}

impl Picture {
    /// `312 MB of 1.2 GB`.
    pub fn sizes(&self) -> String {
        format!(
            "{} of {}",
            ByteSize(self.done_bytes),
            ByteSize(self.total_bytes)
        )
    }

    /// `45 MB/s`, or nothing.
    pub fn rate(&self) -> Option<String> {
        self.bytes_per_second
            .map(|rate| format!("{}/s", ByteSize(rate)))
    }

    /// `ETA 2m10s`, or nothing.
    pub fn time_left(&self) -> Option<String> {
        self.eta
            .map(|eta| format!("ETA {}", coarse(eta.max(Duration::from_secs(1)))))
    }
}

impl Streaming {
    /// `received 0/1A2B3C, replayed 0/1A2000, 3 kB behind`.
    pub fn words(&self) -> String {
        let mut words = format!(
            "received {}, replayed {}, {} behind",
            self.received,
            self.replayed,
            ByteSize(self.behind_bytes)
        );
        if let Some(endpos) = self.endpos {
            words.push_str(&format!(", endpos {endpos}"));
        }
        words
    }
}

/// A duration without fractions of seconds, which would only flicker.
pub(in crate::report) fn coarse(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..=59 => format!("{seconds}s"),
        _ => display_duration(duration),
    }
}

/// `done` of `total` in percent, rounded down.
pub(super) fn percent(done: u64, total: u64) -> u8 {
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    u8::try_from(percent.min(100)).unwrap_or(100)
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn millis_if_known<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => millis(duration, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A quarter of a copy.
    pub(in super::super) fn picture() -> Picture {
        let copying = |schema: &str, name: &str, parts| Copying {
            oid: 1,
            name: (&QualifiedName::new(schema, name)).into(),
            part: 2,
            parts,
            total_bytes: 100 << 20,
            done_bytes: 62 << 20,
            percent: 62,
            elapsed: Duration::from_millis(3100),
        };
        Picture {
            stage: Stage::Step("rows".to_owned()),
            percent: 25,
            tables: Count {
                total: 12,
                done: 3,
                in_progress: vec![copying("public", "orders", 4), copying("Weird\n", "x", 1)],
            },
            indexes: Count {
                total: 20,
                done: 5,
                in_progress: vec![Building {
                    oid: 2,
                    name: (&QualifiedName::new("public", "orders_pkey")).into(),
                    bytes: 120 << 20,
                    elapsed: Duration::from_secs(71),
                }],
            },
            tidied: Some(0),
            total_bytes: 4 << 30,
            done_bytes: 1 << 30,
            moved_bytes: 1 << 30,
            rows: 1000,
            bytes_per_second: Some(100 << 20),
            eta: Some(Duration::from_secs(30)),
            stream: Some(Streaming {
                received: Lsn::new(0x300),
                replayed: Lsn::new(0x200),
                endpos: None,
                behind_bytes: 0x100,
            }),
        }
    }

    #[test]
    fn programs_find_totals_what_is_done_and_what_is_in_progress() {
        let json = serde_json::to_value(picture()).expect("JSON");
        assert_eq!(json["stage"], "rows");
        assert_eq!(json["tables"]["total"], 12);
        assert_eq!(json["tables"]["in-progress"][0]["name"], "orders");
        assert_eq!(json["tables"]["in-progress"][0]["elapsed_ms"], 3100);
        assert_eq!(json["eta_ms"], 30_000);
        assert_eq!(json["stream"]["replayed"], "0/200");
    }

    #[test]
    fn percent_is_rounded_down_and_nothing_of_nothing_is_none() {
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(0, 0), 0);
        assert_eq!(percent(u64::MAX, 1), 100);
    }
}
