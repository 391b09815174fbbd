//! The answers to the question what a session holds, row by row.

use super::error::{MoveError, Part};
use super::inventory::{
    AdvisoryLock, CustomType, Inventory, LockKey, Obstacle, Setting, Statement,
};
use super::pipeline::columns;
use super::question;

/// What has been told so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    inventory: Inventory,
    /// Timeouts that were turned off, as they were.
    timeouts: Vec<Setting>,
    /// Settings whose names look like those of custom ones, and are known to the server.
    known: Vec<Vec<u8>>,
    customs: Vec<Setting>,
}

impl Told {
    /// A row of [`question::WITHOUT_TIMEOUTS`].
    pub(super) fn timeout(&mut self, body: &[u8]) -> Result<(), MoveError> {
        if let [Some(name), Some(value), _] = columns::<3>(body)? {
            self.timeouts.push(setting(name, value));
        }
        Ok(())
    }

    /// What the custom setting `name` is.
    pub(super) fn custom(&mut self, name: &[u8], body: &[u8]) -> Result<(), MoveError> {
        if let [Some(value)] = columns::<1>(body)? {
            self.customs.push(setting(name, value));
        }
        Ok(())
    }

    /// A row of [`question::HOLDINGS`], or of [`question::reported`].
    pub(super) fn holding(&mut self, body: &[u8]) -> Result<(), MoveError> {
        self.add(columns::<5>(body)?)
            .ok_or(MoveError::Odd("a row is not what was asked for"))
    }

    fn add(&mut self, [kind, first, second, third, fourth]: [Option<&[u8]>; 5]) -> Option<()> {
        let inventory = &mut self.inventory;
        match kind? {
            b"setting" => {
                let found = setting(first?, second.unwrap_or_default());
                match third? {
                    b"session" => inventory.settings.push(found),
                    _ => self.known.push(found.name),
                }
            }
            b"user" => {
                inventory.session_user = first?.to_vec();
                inventory.role = second?.to_vec();
            }
            b"statement" => inventory.statements.push(Statement {
                name: first?.to_vec(),
                text: second?.to_vec(),
                is_from_sql: third? == b"true",
                parameter_types: oids(fourth?)?,
            }),
            b"type" => {
                let oid = oid(first?)?;
                let name = second.map(<[u8]>::to_vec);
                inventory
                    .types
                    .extend(name.map(|name| CustomType { oid, name }));
            }
            b"channel" => inventory.channels.push(first?.to_vec()),
            b"lock" => {
                let (high, low) = (oid(second?)?, oid(third?)?);
                let key = match first? {
                    b"1" => LockKey::One((u64::from(high) << 32 | u64::from(low)).cast_signed()),
                    b"2" => LockKey::Two(high.cast_signed(), low.cast_signed()),
                    _ => return None,
                };
                let is_shared = fourth? == b"ShareLock";
                inventory.locks.push(AdvisoryLock { is_shared, key });
            }
            b"cursor" => {
                let name = Part::name(first?);
                inventory.obstacles.push(Obstacle::HeldCursor(name));
            }
            b"temporary" => {
                let name = Part::name(first.unwrap_or_default());
                inventory.obstacles.push(Obstacle::Temporary(name));
            }
            b"reported" => {
                if let Some(value) = second {
                    inventory.parameters.set(first?, value);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// All of it; statements whose names begin with `own` are not the client's.
    pub(super) fn inventory(self, own: &str) -> Result<Inventory, MoveError> {
        let mut inventory = self.inventory;
        if inventory.role.is_empty() {
            return Err(MoveError::Odd("it does not say who the session is"));
        }
        let is_own = |name: &[u8]| name.starts_with(own.as_bytes());
        inventory.statements.retain(|one| !is_own(&one.name));
        let timeouts = self.timeouts;
        inventory.settings.retain(|one| {
            let is_of_transaction =
                one.name.starts_with(b"transaction_") && !question::is_timeout(&one.name);
            !is_of_transaction && timeouts.iter().all(|other| other.name != one.name)
        });
        for custom in self.customs {
            let is_same = |name: &[u8]| name.eq_ignore_ascii_case(&custom.name);
            if !self.known.iter().any(|name| is_same(name))
                && !inventory.settings.iter().any(|one| is_same(&one.name))
            {
                inventory.settings.push(custom);
            }
        }
        inventory.locks.sort_unstable();
        inventory.settings.extend(timeouts);
        // Everything else is said in the encoding; timeouts would cut short what follows them.
        inventory.settings.sort_by_key(|one| match &one.name[..] {
            b"client_encoding" => 0,
            name if question::is_timeout(name) => 2,
            _ => 1,
        });
        Ok(inventory)
    }
}

fn setting(name: &[u8], value: &[u8]) -> Setting {
    Setting {
        name: name.to_vec(),
        value: value.to_vec(),
    }
}

fn oid(text: &[u8]) -> Option<u32> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// The numbers in `{1,2}`.
fn oids(text: &[u8]) -> Option<Vec<u32>> {
    match text.strip_prefix(b"{")?.strip_suffix(b"}")? {
        b"" => Some(Vec::new()),
        numbers => numbers.split(|byte| *byte == b',').map(oid).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_of_numbers_are_read_or_refused() {
        assert_eq!(oids(b"{}"), Some(vec![]));
        assert_eq!(oids(b"{23,4294967295}"), Some(vec![23, u32::MAX]));
        for odd in [&b""[..], b"{", b"{,}", b"{4294967296}", b"{-1}", b"{1}x"] {
            assert_eq!(oids(odd), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_rows_are_errors_and_not_panics(
            kind in prop::sample::select(vec!["setting", "user", "statement", "type", "channel",
                "lock", "cursor", "temporary", "reported", "other"]),
            columns: [Option<Vec<u8>>; 4],
        ) {
            let [a, b, c, d] = &columns;
            let mut told = Told::default();
            let kind = kind.as_bytes();
            let columns = [Some(kind), a.as_deref(), b.as_deref(), c.as_deref(), d.as_deref()];
            let _ = told.add(columns);
            let _ = told.inventory("own");
        }
    }
}
