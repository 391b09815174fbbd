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

use crate::base::ident::quote_literal;
use crate::base::{Lsn, QualifiedName};
use crate::cdc::change::{Column, Identity, Relation};
use crate::pg::Address;
use crate::store::{Capture, TableRow};

use super::error::ReceiveError;
use super::identities;
use super::names::{self, Names};
use super::plugin::Plugin;
use super::source_catalog::{SourceCatalog, unreadable};

/// How often it is looked whether tables that have changes are what they were.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Where that takes long, it is done less often: the source is not there for us.
const SHARE: u32 = 50;

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

/// When to look whether tables are what they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Not more often than is good for the source.
    NowAndThen,
    /// If changes have come since the last time.
    IfAnythingCame,
    /// In any case.
    Now,
}

/// The source's catalog, as last read.
#[derive(Debug)]
pub(super) struct SourceTables {
    plugin: &'static str,
    catalog: SourceCatalog,
    /// The tables that are captured, by what they were called when the migration began.
    captured: HashMap<QualifiedName, (u32, Capture)>,
    known: HashMap<QualifiedName, Arc<SourceTable>>,
    names: Names,
    /// Whether no identity may change: the plugin does not say which it was.
    fixed_identities: bool,
    /// Captured tables that have changes.
    used: HashSet<QualifiedName>,
    looked_at: Instant,
    /// How long what was seen then is taken for what is.
    look_again: Duration,
}

impl SourceTables {
    /// Reads the whole catalog of `source`. `tables` are those that the migration knows; what must
    /// be known of them at the next start is kept in `folder`.
    ///
    /// Blocks, so it is for a thread that runs no event loop.
    pub(super) fn read(
        source: Address,
        tables: &[TableRow],
        plugin: Plugin,
        folder: &Path,
    ) -> Result<Self, ReceiveError> {
        let captured = tables
            .iter()
            .filter(|table| table.capture != Capture::Nothing);
        let names = captured.clone();
        let names = names.map(|table| (table.oid, table.name.clone())).collect();
        let mut tables = Self {
            plugin: plugin.name(),
            catalog: SourceCatalog::new(source)?,
            captured: captured
                .map(|table| (table.name.clone(), (table.oid, table.capture)))
                .collect(),
            known: HashMap::new(),
            names: Names::open(folder, names)?,
            fixed_identities: plugin == Plugin::TestDecoding,
            used: HashSet::new(),
            looked_at: Instant::now(),
            look_again: LOOK_AGAIN,
        };
        tables.check_names(Lsn::ZERO)?;
        tables.known = shared(tables.ask("true")?);
        if tables.fixed_identities {
            tables.fix_identities(folder)?;
        }
        Ok(tables)
    }

    /// Refuses to begin if the identity of a captured table is another than it was at the first
    /// start, as kept in `folder`.
    fn fix_identities(&mut self, folder: &Path) -> Result<(), ReceiveError> {
        let captured = self.captured.iter();
        let captured = captured.filter(|(_, (_, capture))| *capture == Capture::Rows);
        let known =
            captured.filter_map(|(name, (oid, _))| Some((name, oid, self.known.get(name)?)));
        let now = known.clone().map(|(_, oid, table)| (*oid, table.key()));
        let changed = identities::keep(folder, &now.collect())?;
        match known.into_iter().find(|(_, oid, _)| changed.contains(oid)) {
            Some((name, ..)) => Err(ReceiveError::IdentityChanged(name.clone())),
            None => Ok(()),
        }
    }

    /// Changes of the transaction `xid`, which has committed, are looked up from now on.
    pub(super) fn begin(&mut self, xid: u32) {
        self.catalog.note(xid);
    }

    /// The captured table of this name, in quotes that are not doubled.
    pub(super) fn captured_as(&self, plainly_quoted: &str) -> Option<QualifiedName> {
        let plain = |name: &QualifiedName| format!("\"{}\".\"{}\"", name.schema, name.name);
        let mut names = self.captured.keys();
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
        let names = self.known.keys();
        let names = names.filter(|name| !self.captured.contains_key(*name));
        let names = names.filter(|name| plain(&name.schema) && plain(&name.name));
        let mut names: Vec<_> = names
            .map(|name| format!("{}.{}", name.schema, name.name))
            .collect();
        names.sort();
        names.truncate(NAMES_MAX);
        names
    }

    /// The captured table that `name` stands for in a change at `lsn`; none if there is none. It is
    /// the one that was called so when the migration began, or receive will not go on, see
    /// [`super::names`].
    pub(super) fn look_up(
        &mut self,
        lsn: Lsn,
        name: &QualifiedName,
    ) -> Result<Option<(Arc<SourceTable>, Capture)>, ReceiveError> {
        let Some(&(oid, capture)) = self.captured.get(name) else {
            return Ok(None);
        };
        match self.known.get(name) {
            Some(table) if table.oid == oid => {
                let table = Arc::clone(table);
                if !self.used.contains(name) {
                    self.used.insert(name.clone());
                }
                Ok(Some((table, capture)))
            }
            _ => {
                // If it has another name, that says more.
                self.check_names(lsn)?;
                Err(ReceiveError::TableGone(name.clone()))
            }
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
        let Some(table) = found.remove(name) else {
            self.known.remove(name);
            return Ok(());
        };
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
        Ok(())
    }

    /// Refuses to go on if changes up to `lsn` may have been read wrongly, which they do not show:
    /// a table had another name, or another identity than when they were read.
    pub(super) fn look(&mut self, when: Look, lsn: Lsn) -> Result<(), ReceiveError> {
        let is_time = self.looked_at.elapsed() >= self.look_again || self.catalog.is_full();
        let is_due = match when {
            Look::NowAndThen => is_time && self.catalog.has_noted(),
            Look::IfAnythingCame => self.catalog.has_noted(),
            Look::Now => true,
        };
        if !is_due {
            return Ok(());
        }
        let begun = Instant::now();
        self.check_names(lsn)?;
        if self.fixed_identities {
            self.check_identities()?;
        }
        self.looked_at = Instant::now();
        self.look_again = LOOK_AGAIN.max(begun.elapsed() * SHARE);
        Ok(())
    }

    fn check_names(&mut self, lsn: Lsn) -> Result<(), ReceiveError> {
        let Some(query) = self.names.query() else {
            return Ok(());
        };
        let rows = self.catalog.ask(|_| query.clone())?;
        let now = names::read(rows).ok_or_else(unreadable)?;
        match self.names.check(now)? {
            None => Ok(()),
            Some((table, now)) => Err(ReceiveError::Renamed {
                plugin: self.plugin,
                table: Box::new(table),
                now: Box::new(now),
                lsn,
            }),
        }
    }

    fn check_identities(&mut self) -> Result<(), ReceiveError> {
        let oids: Vec<_> = self
            .used
            .iter()
            .filter_map(|name| Some(self.known.get(name)?.oid.to_string()))
            .collect();
        if oids.is_empty() {
            return Ok(());
        }
        let found = self.ask(&format!("c.oid IN ({})", oids.join(", ")))?;
        for name in &self.used {
            let (before, after) = (self.known.get(name), found.get(name));
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
        let rows = self.catalog.ask(|major| query(major, condition))?;
        let mut tables: HashMap<QualifiedName, SourceTable> = HashMap::new();
        for row in rows {
            add(row, &mut tables).ok_or_else(unreadable)?;
        }
        Ok(tables)
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
