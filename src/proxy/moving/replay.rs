//! What a session held is made again at the server that it comes to.

use std::collections::BTreeMap;

use super::error::{MoveError, Part};
use super::inventory::{AdvisoryLock, CustomType, Inventory, LockKey, Statement};
use super::parameters::{Parameters, REPORTED};
use super::pipeline::{Pipeline, TEXT, columns};
use super::prepare;
use super::question;
use crate::proxy::channel::Channel;
use crate::wire::frame::{HEADER_BYTES, frames};

/// OIDs of int4 and int8.
const INT4: u32 = 23;
const INT8: u32 = 20;

/// The unnamed statement: nobody uses that of a new session yet, and it is closed in the end.
const UNNAMED: &[u8] = b"";

/// What [`give`] gives.
#[derive(Debug)]
pub struct Given {
    /// What the new server reports of its settings in the end.
    pub parameters: Parameters,
    /// A type of a statement's parameters has another OID than on the old server: drivers that have
    /// remembered the old one would send values of another type.
    pub types_differ: bool,
    /// Messages of the new server for the client, whole and as they were: notifications.
    pub messages: Vec<u8>,
}

/// Makes everything in `taken` on a connection that has just been logged in, in one round trip, or
/// in two if types have to be found by name. Obstacles are not looked at.
///
/// Not cancel safe: given up half way, the connection is of no more use.
///
/// # Errors
/// What could not be made. The connection is of no more use; dropped, it leaves nothing.
pub async fn give(new: &mut Channel, taken: &Inventory) -> Result<Given, MoveError> {
    let mut messages = Vec::new();
    let types = match taken.types.is_empty() {
        true => BTreeMap::new(),
        false => find_types(new, taken, &mut messages).await?,
    };
    let pipeline = making(taken, &types)?;
    let mut parameters = Parameters::default();
    exchange(new, pipeline, &mut messages, |body| {
        match columns::<5>(body)? {
            [_, Some(name), Some(value), ..] => {
                parameters.set(name, value);
                Ok(())
            }
            _ => Ok(()),
        }
    })
    .await?;
    let mut notifications = Vec::new();
    for (tag, message) in frames(&messages) {
        match tag {
            b'A' => notifications.extend_from_slice(message),
            b'S' => {
                parameters.heard(message.get(HEADER_BYTES..).unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(Given {
        parameters,
        types_differ: types.iter().any(|(old, new)| old != new),
        messages: notifications,
    })
}

/// Takes back what was made on a connection ([`give`]): it is as after its login.
///
/// # Errors
/// The connection is of no more use.
pub async fn discard(new: &mut Channel) -> Result<(), MoveError> {
    let mut pipeline = Pipeline::new();
    pipeline.parse(UNNAMED, question::DISCARD, &[], Making::Nothing);
    pipeline.run(UNNAMED, &[], Making::Nothing);
    pipeline.close(UNNAMED, Making::Nothing);
    exchange_with(new, pipeline, &mut Vec::new(), |_, _| Ok(())).await
}

/// What a step makes.
#[derive(Debug, Clone)]
enum Making {
    /// Something of the frame around the rest.
    Nothing,
    Part(Part),
    /// Gives whether it was obtained.
    Lock(Part),
    /// Gives the OID of the type that had this one.
    Type(u32, Part),
    /// Gives what the server reports.
    Reported,
}

/// The OIDs of the session's own types on the new server, by those on the old one.
async fn find_types(
    new: &mut Channel,
    taken: &Inventory,
    messages: &mut Vec<u8>,
) -> Result<BTreeMap<u32, u32>, MoveError> {
    let mut pipeline = begun();
    // Their names are said in it.
    set(&mut pipeline, taken, |name| name == b"client_encoding");
    pipeline.parse(UNNAMED, question::TYPE, &[TEXT], Making::Nothing);
    for CustomType { oid, name } in &taken.types {
        let making = Making::Type(*oid, Part::Type(Part::name(name)));
        pipeline.run(UNNAMED, &[name], making);
    }
    end(&mut pipeline);
    let mut found = BTreeMap::new();
    exchange_with(new, pipeline, messages, |making, body| {
        let Making::Type(old, part) = making else {
            return Ok(());
        };
        let oid = columns::<1>(body)?[0].ok_or_else(|| MoveError::NoType(part.clone()))?;
        let oid = str::from_utf8(oid).ok().and_then(|oid| oid.parse().ok());
        found.insert(*old, oid.ok_or(MoveError::Odd("an OID is no number"))?);
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Everything, in the order in which one needs the other: settings, who the session is, what is
/// read by these, and last the timeouts.
fn making(taken: &Inventory, types: &BTreeMap<u32, u32>) -> Result<Pipeline<Making>, MoveError> {
    let mut pipeline = begun();
    set(&mut pipeline, taken, |name| !question::is_timeout(name));
    let user = &taken.session_user;
    let authorization = Part::SessionAuthorization(Part::name(user));
    let role = Part::Role(Part::name(&taken.role));
    for (sql, name, part) in [
        (question::SET_SESSION_USER, user, authorization),
        (question::SET_ROLE, &taken.role, role),
    ] {
        pipeline.parse(UNNAMED, sql, &[TEXT], Making::Part(part.clone()));
        pipeline.run(UNNAMED, &[name], Making::Part(part));
    }
    for statement in &taken.statements {
        prepare(&mut pipeline, statement, types)?;
    }
    for channel in &taken.channels {
        let part = Making::Part(Part::Channel(Part::name(channel)));
        let sql = [b"LISTEN ", &quoted(channel)[..]].concat();
        pipeline.parse(UNNAMED, &sql, &[], part.clone());
        pipeline.run(UNNAMED, &[], part);
    }
    for lock in &taken.locks {
        obtain(&mut pipeline, *lock);
    }
    let reported = question::reported(&REPORTED);
    pipeline.parse(UNNAMED, &reported, &[], Making::Nothing);
    pipeline.run(UNNAMED, &[], Making::Reported);
    set(&mut pipeline, taken, question::is_timeout);
    end(&mut pipeline);
    Ok(pipeline)
}

fn begun() -> Pipeline<Making> {
    let mut pipeline = Pipeline::new();
    for sql in [question::BEGIN, question::WITHOUT_TIMEOUTS] {
        pipeline.parse(UNNAMED, sql, &[], Making::Nothing);
        pipeline.run(UNNAMED, &[], Making::Nothing);
    }
    pipeline
}

fn end(pipeline: &mut Pipeline<Making>) {
    pipeline.parse(UNNAMED, question::COMMIT, &[], Making::Nothing);
    pipeline.run(UNNAMED, &[], Making::Nothing);
    pipeline.close(UNNAMED, Making::Nothing);
}

/// Makes those settings whose names are `wanted`.
fn set(pipeline: &mut Pipeline<Making>, taken: &Inventory, wanted: impl Fn(&[u8]) -> bool) {
    pipeline.parse(UNNAMED, question::SET, &[TEXT, TEXT], Making::Nothing);
    for setting in taken.settings.iter().filter(|one| wanted(&one.name)) {
        let part = Part::Setting(Part::name(&setting.name));
        let values: [&[u8]; 2] = [&setting.name, &setting.value];
        pipeline.run(UNNAMED, &values, Making::Part(part));
    }
}

fn prepare(
    pipeline: &mut Pipeline<Making>,
    statement: &Statement,
    types: &BTreeMap<u32, u32>,
) -> Result<(), MoveError> {
    let part = Part::Statement(Part::name(&statement.name));
    if statement.is_from_sql {
        let Some(sql) = prepare::of_text(&statement.text, &statement.name) else {
            return Err(MoveError::NotRepeatable(part));
        };
        pipeline.parse(UNNAMED, sql, &[], Making::Part(part.clone()));
        pipeline.run(UNNAMED, &[], Making::Part(part));
        return Ok(());
    }
    let mut here = Vec::with_capacity(statement.parameter_types.len());
    for oid in &statement.parameter_types {
        match types.get(oid) {
            Some(oid) => here.push(*oid),
            None if question::OIDS_KEPT.contains(oid) => here.push(*oid),
            // Dropped meanwhile; its number may be another type's here.
            None => return Err(MoveError::NoType(Part::Type(oid.to_string()))),
        }
    }
    pipeline.parse(&statement.name, &statement.text, &here, Making::Part(part));
    Ok(())
}

/// Takes a lock without waiting for whoever has it.
fn obtain(pipeline: &mut Pipeline<Making>, lock: AdvisoryLock) {
    let shared = if lock.is_shared { "_shared" } else { "" };
    let (numbers, oids) = match lock.key {
        LockKey::One(key) => (vec![key.to_string()], vec![INT8]),
        LockKey::Two(one, two) => (vec![one.to_string(), two.to_string()], vec![INT4, INT4]),
    };
    let places = if numbers.len() == 1 { "$1" } else { "$1, $2" };
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock{shared}({places})");
    let part = Part::Lock(format!("({})", numbers.join(", ")));
    let values: Vec<_> = numbers.iter().map(String::as_bytes).collect();
    pipeline.parse(UNNAMED, sql.as_bytes(), &oids, Making::Part(part.clone()));
    pipeline.run(UNNAMED, &values, Making::Lock(part));
}

async fn exchange(
    new: &mut Channel,
    pipeline: Pipeline<Making>,
    messages: &mut Vec<u8>,
    mut reported: impl FnMut(&[u8]) -> Result<(), MoveError>,
) -> Result<(), MoveError> {
    exchange_with(new, pipeline, messages, |making, body| match making {
        Making::Reported => reported(body),
        Making::Lock(part) if columns::<1>(body)?[0] != Some(b"t") => {
            Err(MoveError::LockIsTaken(part.clone()))
        }
        _ => Ok(()),
    })
    .await
}

async fn exchange_with(
    new: &mut Channel,
    pipeline: Pipeline<Making>,
    messages: &mut Vec<u8>,
    row: impl FnMut(&Making, &[u8]) -> Result<(), MoveError>,
) -> Result<(), MoveError> {
    let outcome = pipeline.exchange(new, messages, row).await?;
    if let Some((making, sqlstate)) = outcome.failure {
        let part = match making {
            Making::Nothing | Making::Reported => Part::Whole,
            Making::Part(part) | Making::Lock(part) | Making::Type(_, part) => part,
        };
        return Err(MoveError::Refused { part, sqlstate });
    }
    match outcome.is_in_transaction || outcome.is_too_large {
        true => Err(MoveError::Odd("a transaction does not end")),
        false => Ok(()),
    }
}

/// As an SQL identifier. In every encoding that PostgreSQL knows, a byte that looks like a quote is
/// one.
fn quoted(name: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for byte in name {
        if *byte == b'"' {
            quoted.push(b'"');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_channels_are_doubled() {
        assert_eq!(quoted(b"a\"b\xff"), b"\"a\"\"b\xff\"");
    }

    #[test]
    fn a_lock_is_named_by_its_key_and_never_waited_for() {
        for (lock, sql, name) in [
            ((false, LockKey::One(-1)), "lock($1)", "(-1)"),
            (
                (true, LockKey::Two(3, -4)),
                "lock_shared($1, $2)",
                "(3, -4)",
            ),
        ] {
            let mut pipeline = Pipeline::new();
            let (is_shared, key) = lock;
            obtain(&mut pipeline, AdvisoryLock { is_shared, key });
            let said = format!("{pipeline:?}");
            assert!(said.contains(&format!("Lock(\"{name}\")")), "{said}");
            let bytes = pipeline.into_bytes();
            let text = String::from_utf8_lossy(&bytes);
            assert!(text.contains(&format!("pg_try_advisory_{sql}")), "{text}");
        }
    }
}
