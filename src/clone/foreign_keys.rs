//! Foreign keys: added without looking at rows, then validated, several tables at a time.
//!
//! Adding one as a whole locks both tables while the rows are looked at; adding it as NOT VALID
//! takes a moment, and validating several at a time is then possible. What is there already is
//! found by name, so a resumed run does the rest.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::base::backoff::Backoff;
use crate::base::ident::quote_ident;
use crate::base::{QualifiedName, Shutdown, failpoint};
use crate::catalog::sizes::Sizes;
use crate::pg::{self, Address, Session};

/// Foreign keys added in one transaction, and so in one round trip.
const BATCH: usize = 100;

/// Tables whose foreign keys are validated in one round trip, each in its own transaction, if they
/// are small.
const SMALL_TABLES: usize = 20;

/// A table this big is validated in a round trip of its own, in bytes.
const SMALL: u64 = 1 << 20;

/// How often a statement that met a deadlock is tried again.
const DEADLOCKS: u32 = 20;

/// A foreign key of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its OID on the source.
    pub oid: u32,
    /// The schema of the referencing table.
    pub schema: String,
    /// The referencing table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// `FOREIGN KEY … REFERENCES …`, as the source prints it.
    pub definition: String,
    /// Whether it is to be validated: valid on the source.
    pub is_valid: bool,
    /// Whether one of the two tables is partitioned: then it is added as a whole, since its
    /// partitions' own ones would not be validated with it.
    pub is_partitioned: bool,
    /// The size of the referencing table.
    pub bytes: u64,
}

/// A foreign key that the target refused, or whose rows it did.
#[derive(Debug)]
pub struct Refused {
    /// Which.
    pub key: ForeignKey,
    /// Why.
    pub error: pg::Error,
}

impl ForeignKey {
    fn table(&self) -> QualifiedName {
        QualifiedName::new(&self.schema, &self.table)
    }

    /// The statement that adds it; validated later if that is possible.
    fn add_sql(&self) -> String {
        let (only, later) = match (self.is_partitioned, self.is_valid) {
            (true, _) => ("", ""),
            (false, true) => ("ONLY ", " NOT VALID"),
            // The definition says NOT VALID or NOT ENFORCED itself.
            (false, false) => ("ONLY ", ""),
        };
        format!(
            "ALTER TABLE {only}{} ADD CONSTRAINT {} {}{later};",
            self.table().quoted(),
            quote_ident(&self.name),
            self.definition
        )
    }

    /// What it is identified by on the target.
    fn id(&self) -> (String, String, String) {
        (self.schema.clone(), self.table.clone(), self.name.clone())
    }
}

/// The foreign keys of the source that a dump contains, with the sizes of their tables.
pub async fn read(source: &Session, sizes: Sizes) -> Result<Vec<ForeignKey>, pg::Error> {
    let is_enforced = match source.server_version().major() {
        18.. => "k.conenforced",
        _ => "true",
    };
    let bytes = sizes.of_table("c");
    let sql = format!(
        "SELECT k.oid, n.nspname::text, c.relname::text, k.conname::text,
                pg_get_constraintdef(k.oid), k.convalidated AND {is_enforced},
                'p' IN (c.relkind, r.relkind), coalesce({bytes}, 0)
           FROM pg_constraint k
           JOIN pg_class c ON c.oid = k.conrelid
           JOIN pg_class r ON r.oid = k.confrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE k.contype = 'f' AND k.conparentid = 0
          ORDER BY k.oid"
    );
    let rows = source.query(&sql, &[]).await?;
    let key = |row: &tokio_postgres::Row| ForeignKey {
        oid: row.get(0),
        schema: row.get(1),
        table: row.get(2),
        name: row.get(3),
        definition: row.get(4),
        is_valid: row.get(5),
        is_partitioned: row.get(6),
        bytes: row.get::<_, i64>(7).cast_unsigned(),
    };
    Ok(rows.iter().map(key).collect())
}

/// How foreign keys are made.
#[derive(Debug, Clone)]
pub struct Config {
    /// The target.
    pub target: Address,
    /// Tables validated at a time.
    pub jobs: usize,
    /// Stop at the first that is refused.
    pub fail_fast: bool,
}

/// Makes those of `keys` that are not on the target yet and validates those that are not valid.
/// Gives what the target refused; the others are there. Ends early when asked to stop.
pub async fn make(
    config: &Config,
    keys: Vec<ForeignKey>,
    shutdown: &Shutdown,
) -> Result<Vec<Refused>, pg::Error> {
    let session = Session::connect(&config.target, "foreign keys").await?;
    let there = there(&session).await?;
    let (partitioned, plain): (Vec<_>, Vec<_>) =
        keys.into_iter().partition(|key| key.is_partitioned);
    let is_missing = |key: &ForeignKey| !there.contains_key(&key.id());
    let missing: Vec<_> = plain
        .iter()
        .filter(|key| is_missing(key))
        .cloned()
        .collect();
    let mut refused = add(&session, missing, config.fail_fast, shutdown).await?;
    failpoint::reach("foreign keys added");
    if config.fail_fast && !refused.is_empty() {
        return Ok(refused);
    }
    let is_refused = |key: &ForeignKey| refused.iter().any(|refused| refused.key.oid == key.oid);
    let is_valid = |key: &ForeignKey| there.get(&key.id()) == Some(&true);
    let unvalidated: Vec<_> = plain
        .into_iter()
        .filter(|key| key.is_valid && !is_valid(key) && !is_refused(key))
        .collect();
    let whole = partitioned.into_iter().filter(|key| is_missing(key));
    let work = packages(unvalidated.into_iter().chain(whole));
    refused.extend(in_parallel(config, work, shutdown).await?);
    Ok(refused)
}

/// The foreign keys of the target, and whether each is valid.
async fn there(session: &Session) -> Result<BTreeMap<(String, String, String), bool>, pg::Error> {
    let sql = "SELECT n.nspname::text, c.relname::text, k.conname::text, k.convalidated
                 FROM pg_constraint k
                 JOIN pg_class c ON c.oid = k.conrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE k.contype = 'f'";
    let rows = session.query(sql, &[]).await?;
    let one = |row: &tokio_postgres::Row| ((row.get(0), row.get(1), row.get(2)), row.get(3));
    Ok(rows.iter().map(one).collect())
}

/// Adds `keys` a batch at a time; one by one where a batch is refused.
async fn add(
    session: &Session,
    keys: Vec<ForeignKey>,
    fail_fast: bool,
    shutdown: &Shutdown,
) -> Result<Vec<Refused>, pg::Error> {
    let mut refused = Vec::new();
    for batch in keys.chunks(BATCH) {
        if shutdown.asked() {
            break;
        }
        let sql: Vec<_> = batch.iter().map(ForeignKey::add_sql).collect();
        match patiently(session, &sql.join("\n")).await? {
            Ok(()) => continue,
            Err(error) => tracing::debug!("a batch of foreign keys: {error}"),
        }
        for key in batch {
            if let Err(error) = patiently(session, &key.add_sql()).await? {
                refused.push(Refused {
                    key: key.clone(),
                    error,
                });
                if fail_fast {
                    return Ok(refused);
                }
            }
        }
    }
    Ok(refused)
}

/// What one worker does in one go: tables, each with its foreign keys. Two of one table wait for
/// each other, so they never are in two packages.
type Package = Vec<Vec<ForeignKey>>;

/// The biggest table first; small ones together.
fn packages(keys: impl Iterator<Item = ForeignKey>) -> VecDeque<Package> {
    let mut tables: BTreeMap<QualifiedName, Vec<ForeignKey>> = BTreeMap::new();
    for key in keys {
        tables.entry(key.table()).or_default().push(key);
    }
    let size = |keys: &Vec<ForeignKey>| keys.first().map_or(0, |key| key.bytes);
    let mut tables: Vec<_> = tables.into_values().collect();
    tables.sort_by_key(|keys| std::cmp::Reverse(size(keys)));
    let mut packages = VecDeque::new();
    let (mut small, mut whole): (Package, Package) = (Vec::new(), Vec::new());
    for keys in tables {
        if keys.iter().any(|key| key.is_partitioned) {
            whole.push(keys);
            continue;
        }
        if size(&keys) > SMALL {
            packages.push_back(vec![keys]);
            continue;
        }
        small.push(keys);
        if small.len() == SMALL_TABLES {
            packages.push_back(std::mem::take(&mut small));
        }
    }
    if !small.is_empty() {
        packages.push_back(small);
    }
    // Adding one locks both tables against another that is being added: at the same time, they
    // would wait for each other, or meet in a deadlock.
    if !whole.is_empty() {
        packages.push_front(whole);
    }
    packages
}

async fn in_parallel(
    config: &Config,
    work: VecDeque<Package>,
    shutdown: &Shutdown,
) -> Result<Vec<Refused>, pg::Error> {
    let workers = config.jobs.min(work.len());
    let queue = Arc::new(Mutex::new(work));
    let mut running = JoinSet::new();
    for _ in 0..workers {
        let (queue, config, shutdown) = (Arc::clone(&queue), config.clone(), shutdown.clone());
        running.spawn(async move { worker(&config, &queue, &shutdown).await });
    }
    let mut refused = Vec::new();
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| pg::Error::Protocol(error.to_string()))?;
        refused.extend(ended?);
    }
    Ok(refused)
}

async fn worker(
    config: &Config,
    queue: &Mutex<VecDeque<Package>>,
    shutdown: &Shutdown,
) -> Result<Vec<Refused>, pg::Error> {
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let session = Session::connect(&config.target, "foreign keys").await?;
    let mut refused = Vec::new();
    while !shutdown.asked() {
        let Some(package) = lock().pop_front() else {
            break;
        };
        refused.extend(validate(&session, package).await?);
        if config.fail_fast && !refused.is_empty() {
            lock().clear();
        }
    }
    Ok(refused)
}

/// Validates the foreign keys of `package`: in one round trip, and where that is refused, each by
/// itself.
async fn validate(session: &Session, package: Package) -> Result<Vec<Refused>, pg::Error> {
    let table_sql = |keys: &Vec<ForeignKey>| match keys.iter().any(|key| key.is_partitioned) {
        true => None,
        false => {
            let each = keys
                .iter()
                .map(|key| format!("VALIDATE CONSTRAINT {}", quote_ident(&key.name)));
            let table = keys.first()?.table().quoted();
            let each: Vec<_> = each.collect();
            Some(format!("ALTER TABLE {table} {};", each.join(", ")))
        }
    };
    let at_once: Option<Vec<_>> = package.iter().map(table_sql).collect();
    if let Some(statements) = at_once {
        // Each a transaction, so that no lock is held while another table is looked at.
        let sql = statements.join("\nCOMMIT;\nBEGIN;\n");
        if patiently(session, &format!("BEGIN;\n{sql}\nCOMMIT;"))
            .await?
            .is_ok()
        {
            return Ok(Vec::new());
        }
    }
    let mut refused = Vec::new();
    for key in package.into_iter().flatten() {
        let sql = match key.is_partitioned {
            true => key.add_sql(),
            false => format!(
                "ALTER TABLE {} VALIDATE CONSTRAINT {}",
                key.table().quoted(),
                quote_ident(&key.name)
            ),
        };
        if let Err(error) = patiently(session, &sql).await? {
            refused.push(Refused { key, error });
        }
    }
    Ok(refused)
}

/// Runs `sql`, again where it met a deadlock: apply locks the same tables meanwhile, in another
/// order. The inner error is the target's about this statement.
async fn patiently(session: &Session, sql: &str) -> Result<Result<(), pg::Error>, pg::Error> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    for attempt in 1.. {
        let Err(error) = session.batch(sql).await else {
            return Ok(Ok(()));
        };
        let Some(sqlstate) = error.sqlstate().map(str::to_owned) else {
            return Err(error);
        };
        if sqlstate.starts_with("53") || sqlstate.starts_with("57") {
            return Err(error);
        }
        // Ends what a BEGIN of ours has begun; otherwise the server only warns.
        session.batch("ROLLBACK").await?;
        if sqlstate != "40P01" || attempt == DEADLOCKS {
            return Ok(Err(error));
        }
        tracing::warn!("adding foreign keys: {error}; trying again");
        tokio::time::sleep(backoff.next_wait()).await;
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(table: &str, name: &str, bytes: u64) -> ForeignKey {
        ForeignKey {
            oid: 1,
            schema: "public".into(),
            table: table.into(),
            name: name.into(),
            definition: "FOREIGN KEY (a) REFERENCES public.p(a)".into(),
            is_valid: true,
            is_partitioned: false,
            bytes,
        }
    }

    #[test]
    fn only_what_can_be_validated_later_is_added_so() {
        let plain = key("t", "k", 0);
        assert_eq!(
            plain.add_sql(),
            "ALTER TABLE ONLY \"public\".\"t\" ADD CONSTRAINT \"k\" FOREIGN KEY (a) REFERENCES public.p(a) NOT VALID;"
        );
        let partitioned = ForeignKey {
            is_partitioned: true,
            ..plain
        };
        assert!(!partitioned.add_sql().contains("NOT VALID"));
        assert!(!partitioned.add_sql().contains("ONLY"));
    }

    #[test]
    fn keys_of_one_table_stay_together_and_big_tables_come_first() {
        let keys = [
            key("small", "a", 1),
            key("big", "a", 10 << 20),
            key("small", "b", 1),
            key("tiny", "a", 0),
        ];
        let packages = packages(keys.into_iter());
        let names: Vec<Vec<Vec<_>>> = packages
            .iter()
            .map(|package| {
                let tables = package.iter();
                tables
                    .map(|keys| {
                        keys.iter()
                            .map(|key| format!("{}.{}", key.table, key.name))
                            .collect()
                    })
                    .collect()
            })
            .collect();
        assert_eq!(
            names,
            [
                vec![vec!["big.a"]],
                vec![vec!["small.a", "small.b"], vec!["tiny.a"]]
            ]
        );
    }
}
