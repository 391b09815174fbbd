//! What `sentinel get` prints: the shapes that pgcopydb's scripts read.

use serde::Serialize;

use crate::base::Lsn;
use crate::cli::options::SentinelField;
use crate::commands::CommandError;
use crate::store::Sentinel;

/// The names in the order of the lines.
const FIELDS: [(&str, SentinelField); 6] = [
    ("startpos", SentinelField::Startpos),
    ("endpos", SentinelField::Endpos),
    ("apply", SentinelField::Apply),
    ("write_lsn", SentinelField::WriteLsn),
    ("flush_lsn", SentinelField::FlushLsn),
    ("replay_lsn", SentinelField::ReplayLsn),
];

/// One bare value.
pub(super) fn value(sentinel: &Sentinel, field: SentinelField) -> String {
    match field {
        SentinelField::Startpos => sentinel.startpos.to_string(),
        SentinelField::Endpos => sentinel.endpos.to_string(),
        SentinelField::Apply => match sentinel.apply {
            true => "enabled".to_owned(),
            false => "disabled".to_owned(),
        },
        SentinelField::WriteLsn => sentinel.write_lsn.to_string(),
        SentinelField::FlushLsn => sentinel.flush_lsn.to_string(),
        SentinelField::ReplayLsn => sentinel.replay_lsn.to_string(),
    }
}

/// Six lines, `name value`.
pub(super) fn columns(sentinel: &Sentinel) -> String {
    FIELDS
        .iter()
        .map(|(name, field)| format!("{name:<10} {}\n", value(sentinel, *field)))
        .collect()
}

/// One object.
pub(super) fn json(sentinel: &Sentinel) -> Result<String, CommandError> {
    #[derive(Serialize)]
    struct Object {
        startpos: Lsn,
        endpos: Lsn,
        apply: bool,
        write_lsn: Lsn,
        flush_lsn: Lsn,
        replay_lsn: Lsn,
    }
    let object = serde_json::to_string(&Object {
        startpos: sentinel.startpos,
        endpos: sentinel.endpos,
        apply: sentinel.apply,
        write_lsn: sentinel.write_lsn,
        flush_lsn: sentinel.flush_lsn,
        replay_lsn: sentinel.replay_lsn,
    });
    Ok(object.map_err(|error| CommandError::stdout(error.into()))? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_columns() {
        let sentinel = Sentinel {
            startpos: Lsn::new(0x16B_3748),
            apply: true,
            ..Sentinel::default()
        };
        assert_eq!(
            columns(&sentinel),
            "startpos   0/16B3748\nendpos     0/0\napply      enabled\n\
             write_lsn  0/0\nflush_lsn  0/0\nreplay_lsn 0/0\n"
        );
    }
}
