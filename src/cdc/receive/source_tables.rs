//! What the plugins that know tables only by name do not say of them: read from the source's
//! catalog.
//!
//! The catalog is of now and a change is of then. What stands here is therefore never trusted by
//! itself: each row must have exactly the columns that stand here, see [`super::named`]. It is read
//! at the start, so as early as can be, and a table's part again when a row does not fit.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::base::QualifiedName;
use crate::base::ident::quote_literal;
use crate::cdc::change::{Column, Identity, Relation};
use crate::pg::{self, Address, Connection, Mode};
use crate::store::{Capture, TableRow};

use super::error::ReceiveError;
use super::identities;

/// How long the source may take to answer about its catalog, which takes milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How often the identities of tables that have changes are looked at again.
const IDENTITIES: Duration = Duration::from_secs(5);

/// Names that are kept of tables that are not there: an application may make one a minute.
const MISSING_MAX: usize = 1000;

/// A table as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceTable {
    pub(super) oid: u32,
    pub(super) identity: Identity,
    /// All that are not dropped, in order.
    pub(super) columns: Vec<SourceColumn>,
}

/// A column as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceColumn {
    pub(super) name: String,
    pub(super) type_oid: u32,
    /// By `format_type`, without modifiers.
    pub(super) type_name: String,
    /// As segments name it.
    pub(super) segment_type: String,
    pub(super) is_generated: bool,
    pub(super) is_identity_always: bool,
    /// Whether its values may be stored outside the row.
    pub(super) may_be_toasted: bool,
    pub(super) is_key: bool,
    /// `attnum`.
    pub(super) number: i16,
    /// `atttypmod`.
    pub(super) modifier: i32,
}

impl SourceTable {
    /// As segments describe it: without generated columns, which are never written.
    pub(super) fn relation(&self, name: &QualifiedName) -> Relation {
        let columns = self.columns.iter().filter(|column| !column.is_generated);
        let columns = columns.map(|column| Column {
            name: column.name.clone(),
            type_name: column.segment_type.clone(),
            modifier: column.modifier,
            key: column.is_key,
            identity_always: column.is_identity_always,
        });
        Relation {
            rel: self.oid,
            schema: name.schema.clone(),
            table: name.name.clone(),
            columns: columns.collect(),
            identity: self.identity,
        }
    }

    /// What identifies its rows, whatever the columns are called.
    fn key(&self) -> String {
        let kind = match self.identity {
            Identity::Default => 'd',
            Identity::Nothing => 'n',
            Identity::Full => return "f:".to_owned(),
            Identity::Index => 'i',
        };
        let keys = self.columns.iter().filter(|column| column.is_key);
        let keys: Vec<_> = keys.map(|column| column.number.to_string()).collect();
        format!("{kind}:{}", keys.join(","))
    }
}

/// Whose changes a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of a table that is captured, with what of it.
    Captured(Arc<SourceTable>, Capture),
    /// Of one that is left out.
    LeftOut,
    /// Of one that is not on the source any more, and was not captured under this name.
    Missing,
}

/// The source's catalog, as last read.
#[derive(Debug)]
pub(super) struct SourceTables {
    source: Address,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    connection: Option<Connection>,
    captured: HashMap<u32, Capture>,
    /// The names of captured tables when the migration began.
    begun_as: HashSet<QualifiedName>,
    known: HashMap<QualifiedName, Arc<SourceTable>>,
    /// Names that stand for no table; looked for again after a while.
    missing: HashSet<QualifiedName>,
    /// Of those, the ones that a line was logged for.
    told: HashSet<QualifiedName>,
    /// Whether no identity may change: the plugin does not say which it was.
    fixed_identities: bool,
    /// Captured tables that have changes.
    used: HashSet<QualifiedName>,
    looked_at: Instant,
}

impl SourceTables {
    /// Reads the whole catalog of `source`. `captured` are the tables that the migration follows.
    ///
    /// Blocks, so it is for a thread that runs no event loop.
    pub(super) fn read(source: Address, captured: &[TableRow]) -> Result<Self, ReceiveError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ReceiveError::Thread)?;
        let captured = captured
            .iter()
            .filter(|table| table.capture != Capture::Nothing);
        let mut tables = Self {
            source,
            runtime: Some(runtime),
            connection: None,
            captured: captured
                .clone()
                .map(|table| (table.oid, table.capture))
                .collect(),
            begun_as: captured.map(|table| table.name.clone()).collect(),
            known: HashMap::new(),
            missing: HashSet::new(),
            told: HashSet::new(),
            fixed_identities: false,
            used: HashSet::new(),
            looked_at: Instant::now(),
        };
        tables.known = shared(tables.ask("true")?);
        Ok(tables)
    }

    /// Lets no identity change from now on, and refuses to begin if that of a captured table is
    /// another than it was at the first start, as kept in `folder`.
    pub(super) fn fix_identities(&mut self, folder: &Path) -> Result<(), ReceiveError> {
        self.fixed_identities = true;
        let is_captured = |oid: &u32| self.captured.get(oid) == Some(&Capture::Rows);
        let captured = self.known.iter();
        let captured = captured.filter(|(_, table)| is_captured(&table.oid));
        let now = captured.clone().map(|(_, table)| (table.oid, table.key()));
        let changed = identities::keep(folder, &now.collect())?;
        match captured
            .into_iter()
            .find(|(_, table)| changed.contains(&table.oid))
        {
            Some((name, _)) => Err(ReceiveError::IdentityChanged(name.clone())),
            None => Ok(()),
        }
    }

    /// Whether a captured table had this name, in quotes that are not doubled, when the migration
    /// began or has it now.
    pub(super) fn captured_as(&self, plainly_quoted: &str) -> Option<QualifiedName> {
        let known = self.known.iter();
        let known = known.filter(|(_, table)| self.captured.contains_key(&table.oid));
        let mut names = self.begun_as.iter().chain(known.map(|(name, _)| name));
        let plain = |name: &QualifiedName| format!("\"{}\".\"{}\"", name.schema, name.name);
        names.find(|name| plain(name) == plainly_quoted).cloned()
    }

    /// The names of tables that are not captured, of letters that need no escape anywhere: at most
    /// as many as fit into a command of moderate size. The others are left out here.
    pub(super) fn left_out_names(&self) -> Vec<String> {
        const NAMES_MAX: usize = 200;
        let plain = |part: &str| {
            let is_plain = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            !part.is_empty() && part.bytes().all(is_plain)
        };
        let names = self.known.iter().filter(|(name, table)| {
            !self.captured.contains_key(&table.oid) && !self.begun_as.contains(*name)
        });
        let names = names.filter(|(name, _)| plain(&name.schema) && plain(&name.name));
        let mut names: Vec<_> = names
            .map(|(name, _)| format!("{}.{}", name.schema, name.name))
            .collect();
        names.sort();
        names.truncate(NAMES_MAX);
        names
    }

    /// What is known of `name`.
    pub(super) fn look_up(&mut self, name: &QualifiedName) -> Result<Whose, ReceiveError> {
        if !self.known.contains_key(name) && !self.missing.contains(name) {
            self.read_again(name)?;
        }
        let Some(table) = self.known.get(name) else {
            if self.begun_as.contains(name) {
                return Err(ReceiveError::TableGone(name.clone()));
            }
            return Ok(Whose::Missing);
        };
        match self.captured.get(&table.oid) {
            Some(capture) => {
                if !self.used.contains(name) {
                    self.used.insert(name.clone());
                }
                Ok(Whose::Captured(Arc::clone(table), *capture))
            }
            None if self.begun_as.contains(name) => Err(ReceiveError::TableGone(name.clone())),
            None => Ok(Whose::LeftOut),
        }
    }

    /// Whether a captured table has all the columns `names`, or exactly these.
    pub(super) fn some_captured_has(&self, names: &[&str], exactly: bool) -> bool {
        let mut known = self.known.values();
        known.any(|table| {
            let has = |name: &&str| table.columns.iter().any(|column| column.name == *name);
            let written = table.columns.iter().filter(|column| !column.is_generated);
            self.captured.contains_key(&table.oid)
                && names.iter().all(has)
                && (!exactly || names.len() >= written.count())
        })
    }

    /// Leaves out, once told, the changes of a table that is not there any more.
    pub(super) fn leave_out_missing(&mut self, name: &QualifiedName) {
        if self.told.len() < MISSING_MAX && self.told.insert(name.clone()) {
            tracing::warn!(
                "changes of {name} are left out: it is not captured and not on the source any more"
            );
        }
    }

    /// Reads what the catalog has of `name` now.
    pub(super) fn read_again(&mut self, name: &QualifiedName) -> Result<(), ReceiveError> {
        let condition = format!(
            "n.nspname = {} AND c.relname = {}",
            quote_literal(&name.schema),
            quote_literal(&name.name)
        );
        let mut found = self.ask(&condition)?;
        match found.remove(name) {
            Some(table) => {
                let before = self
                    .known
                    .get(name)
                    .filter(|before| before.oid == table.oid);
                if self.fixed_identities
                    && self.used.contains(name)
                    && before.is_some_and(|before| before.key() != table.key())
                {
                    return Err(ReceiveError::IdentityChanged(name.clone()));
                }
                self.known.insert(name.clone(), Arc::new(table));
            }
            None => {
                if self.missing.len() >= MISSING_MAX {
                    self.missing.clear();
                }
                self.missing.insert(name.clone());
                self.known.remove(name);
            }
        }
        Ok(())
    }

    /// Refuses to go on if the identity of a table that has changes is another than it was when
    /// they were read, which a change without old values does not show. Looks only now and then,
    /// unless `now`.
    pub(super) fn check_identities(&mut self, now: bool) -> Result<(), ReceiveError> {
        if !now && self.looked_at.elapsed() < IDENTITIES {
            return Ok(());
        }
        self.looked_at = Instant::now();
        self.missing.clear();
        let oids: Vec<_> = self
            .used
            .iter()
            .filter_map(|name| Some(self.known.get(name)?.oid.to_string()))
            .collect();
        if oids.is_empty() {
            return Ok(());
        }
        let found = self.ask(&format!("c.oid IN ({})", oids.join(", ")))?;
        let by_oid: HashMap<_, _> = found.values().map(|table| (table.oid, table)).collect();
        for name in &self.used {
            let before = self.known.get(name);
            let after = before.and_then(|table| by_oid.get(&table.oid));
            // A column that is renamed shows in the row; one table's key that is dropped does not.
            if let (Some(before), Some(after)) = (before, after)
                && before.key() != after.key()
            {
                return Err(ReceiveError::IdentityChanged(name.clone()));
            }
        }
        Ok(())
    }

    fn ask(
        &mut self,
        condition: &str,
    ) -> Result<HashMap<QualifiedName, SourceTable>, ReceiveError> {
        // One that has been idle may have been closed meanwhile.
        let kept = self.connection.take();
        let (source, asked) = (&self.source, kept.is_some());
        let asking = async |kept: Option<Connection>| {
            let answer = async {
                let mut connection = match kept {
                    Some(connection) => connection,
                    None => Connection::open(source, Mode::Sql, "receive, catalog").await?,
                };
                let sql = query(connection.server_version().major(), condition);
                let results = connection.query(&sql).await?;
                Ok::<_, pg::Error>((connection, results))
            };
            let late = || pg::Error::Lost(Some(std::io::ErrorKind::TimedOut.into()));
            tokio::time::timeout(ANSWER_MAX, answer)
                .await
                .unwrap_or_else(|_| Err(late()))
        };
        let ended = || ReceiveError::Thread(std::io::Error::other("the runtime has ended"));
        let runtime = self.runtime.as_ref().ok_or_else(ended)?;
        let answer = runtime.block_on(async {
            match asking(kept).await {
                Err(pg::Error::Lost(_)) if asked => asking(None).await,
                answer => answer,
            }
        });
        let (connection, results) = answer?;
        self.connection = Some(connection);
        let mut tables: HashMap<QualifiedName, SourceTable> = HashMap::new();
        for row in results.into_iter().flat_map(|result| result.rows) {
            let unreadable =
                || pg::Error::Protocol("the catalog's answer is not as asked for".into());
            add(row, &mut tables).ok_or_else(unreadable)?;
        }
        Ok(tables)
    }
}

impl Drop for SourceTables {
    /// Also where an event loop runs, in which a runtime may not wait for its own end.
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn shared(tables: HashMap<QualifiedName, SourceTable>) -> HashMap<QualifiedName, Arc<SourceTable>> {
    let tables = tables.into_iter();
    tables
        .map(|(name, table)| (name, Arc::new(table)))
        .collect()
}

/// Relations of every kind: what has no rows of its own is left out by not being captured. The key
/// is that of `RelationGetIndexList` in the server's `relcache.c`: no deferrable index.
fn query(major: u32, condition: &str) -> String {
    let generated = match major {
        12.. => "a.attgenerated <> ''",
        _ => "false",
    };
    format!(
        "SELECT c.oid, n.nspname, c.relname, c.relreplident,
                a.attname, a.atttypid, pg_catalog.format_type(a.atttypid, NULL),
                CASE tn.nspname WHEN 'pg_catalog' THEN '' ELSE tn.nspname || '.' END || t.typname,
                a.attnum, a.atttypmod, {generated}, a.attidentity = 'a', a.attlen = -1,
                CASE c.relreplident WHEN 'f' THEN true
                     ELSE coalesce(pg_catalog.array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts, false)
                     END
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_catalog.pg_attribute a
                  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
           LEFT JOIN pg_catalog.pg_index i
                  ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND i.indisunique
                 AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                         WHEN 'i' THEN i.indisreplident ELSE false END
          WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
            AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND {condition}
          ORDER BY c.oid, a.attnum"
    )
}

/// Takes one row of [`query`]'s answer; none if it is not as asked for.
fn add(row: Vec<Option<String>>, tables: &mut HashMap<QualifiedName, SourceTable>) -> Option<()> {
    let mut row = row.into_iter();
    let mut next = || row.next();
    let (oid, schema, name) = (next()??.parse().ok()?, next()??, next()??);
    let identity = match next()??.as_str() {
        "d" => Identity::Default,
        "n" => Identity::Nothing,
        "f" => Identity::Full,
        "i" => Identity::Index,
        _ => return None,
    };
    let table = tables.entry(QualifiedName::new(schema, name));
    let table = table.or_insert_with(|| SourceTable {
        oid,
        identity,
        columns: Vec::new(),
    });
    // A table without columns has one row without a column.
    if let Some(name) = next()? {
        let mut is = [false; 4];
        let (type_oid, type_name, segment_type) = (next()??.parse().ok()?, next()??, next()??);
        let (number, modifier) = (next()??.parse().ok()?, next()??.parse().ok()?);
        for flag in &mut is {
            *flag = next()?? == "t";
        }
        let [is_generated, is_identity_always, may_be_toasted, is_key] = is;
        table.columns.push(SourceColumn {
            name,
            type_oid,
            type_name,
            segment_type,
            is_generated,
            is_identity_always,
            may_be_toasted,
            is_key,
            number,
            modifier,
        });
    }
    Some(())
}
