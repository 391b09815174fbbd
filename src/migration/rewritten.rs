//! Whether rows that are on the target may have lost step with the source by what no stream carries.
//!
//! DDL on the source changes rows without a change that is decoded: a column that is dropped and
//! added again is empty there, `ALTER COLUMN … TYPE … USING` computes each value anew, a column that
//! is added may have a value in every row. The stream says nothing of it, and where the target's
//! columns still fit, or were altered before, apply goes on.
//!
//! So what the catalog had of each column when the migration began is kept in the store, and
//! looked at again: now and then to warn, and before following ends. What may be different then ends
//! it, until somebody has looked and said so on the target, in `pgflit.step`: under a name that has
//! the transaction of the DDL, so that it is good for that alone.

use std::collections::HashSet;

use crate::base::Side;
use crate::base::Visibility;
use crate::catalog::columns::{self, Column, TargetColumn};
use crate::catalog::ledger::{self, Ledger};
use crate::pg::Session;
use crate::store::{Capture, Run, Store, TableMarks};

use super::error::{MigrationError, on_source, on_target};
use super::partitions::Places;

/// What may be different in rows that were there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// Its name stood for another column.
    Another,
    /// All rows were written anew, and its definition was too.
    Rewritten,
    /// It is new, and older rows have another value in it than on the target.
    Missing,
    /// It is new, and each row has a value of its own.
    Filled,
    /// The target computes it in another way.
    Expression,
}

impl Doubt {
    /// `name` is in quotes.
    fn words(self, name: &str) -> String {
        match self {
            Doubt::Another => format!(
                "its column {name} was dropped and added again, or has the name of another: rows that were there before have other values in it"
            ),
            Doubt::Rewritten => format!(
                "the values of its column {name} may have been written anew, as by ALTER COLUMN … TYPE … USING"
            ),
            Doubt::Missing => format!(
                "its column {name} is new, and rows that were there before have another value in it than on the target"
            ),
            Doubt::Filled => format!(
                "its column {name} is new, and rows that were there before may each have a value of their own in it"
            ),
            Doubt::Expression => {
                format!("its column {name} is generated otherwise than on the target")
            }
        }
    }
}

/// A table that was altered: what it had, and the columns whose entries were written since.
#[derive(Debug)]
struct Altered {
    before: TableMarks,
    columns: Vec<Column>,
}

impl Altered {
    /// The transactions that have altered a type: some servers then write the entries of the
    /// columns behind that one anew too.
    fn have_altered_types(&self) -> HashSet<u32> {
        let is_of_another_type = |column: &&Column| {
            let mark = &column.mark;
            let mut before = self.before.columns.iter();
            before.any(|was| was.number == mark.number && was.type_name != mark.type_name)
        };
        let columns = self.columns.iter().filter(is_of_another_type);
        columns.map(|column| column.mark.xid).collect()
    }
}

/// What speaks against `now`, a column of `table` that is `here` on the target; none if rows that
/// were there have the same on both sides.
fn doubt(table: &Altered, now: &Column, here: Option<&TargetColumn>) -> Option<Doubt> {
    let (before, mark) = (&table.before, &now.mark);
    if let Some(expression) = &now.expression {
        // Values are computed on each side.
        let there = here.and_then(|here| here.expression.as_ref());
        return (there != Some(expression)).then_some(Doubt::Expression);
    }
    let is_rewritten = now.file != before.file;
    let named = before.columns.iter().find(|was| was.name == mark.name);
    match named {
        Some(was) if was.number != mark.number => Some(Doubt::Another),
        // Without writing all rows no value can become another.
        Some(_) if !is_rewritten => None,
        Some(was) if was.type_name != mark.type_name => {
            // Whoever has altered the target alike was told to mind its rows.
            let is_alike = here.is_some_and(|here| here.type_name == mark.type_name);
            let is_kept = is_alike || widens(&was.type_name, &mark.type_name);
            (!is_kept).then_some(Doubt::Rewritten)
        }
        // To alter the type writes the default anew.
        Some(was) if was.default_oid.is_some() && was.default_oid == mark.default_oid => None,
        Some(was) if was.xid == mark.xid => None,
        Some(_) => (!table.have_altered_types().contains(&mark.xid)).then_some(Doubt::Rewritten),
        // Renamed, and on the target too, or the columns would not fit.
        None if before.columns.iter().any(|was| was.number == mark.number) => None,
        None if is_rewritten && now.is_filled && now.missing.is_none() => Some(Doubt::Filled),
        None => {
            let there = here.and_then(|here| here.missing.as_ref());
            (there != now.missing.as_ref()).then_some(Doubt::Missing)
        }
    }
}

/// Whether every value of one type is the same number in the other.
fn widens(from: &str, to: &str) -> bool {
    let integers = ["smallint", "integer", "bigint", "numeric"];
    let place = |name: &str| integers.iter().position(|integer| *integer == name);
    place(from)
        .zip(place(to))
        .is_some_and(|(from, to)| from < to)
}

/// A column and what is in doubt.
struct Found {
    column: Column,
    doubt: Doubt,
}

impl Found {
    /// What somebody says on the target who has looked: once for all columns of a table that one
    /// transaction has altered.
    fn name(&self) -> String {
        format!("altered {} {}", self.column.table, self.column.mark.xid)
    }

    fn problem(&self) -> String {
        let name = format!("\"{}\"", self.column.mark.name);
        format!(
            "{} was altered on the source after the migration began: {}",
            self.column.table,
            self.doubt.words(&name)
        )
    }

    fn hint(&self) -> String {
        format!(
            "let the column have the values of the source's on the target (by the same ALTER TABLE, \
             if that makes the same, or by hand); then say so there: {}; and go on with --resume",
            ledger::note_step_sql(&self.name())
        )
    }
}

/// Keeps what the tables have, as `source` sees them: what happens later will show.
pub(super) async fn keep(source: &Session, store: &mut Store) -> Result<(), MigrationError> {
    let columns = columns::columns(source, None).await;
    let columns = columns.map_err(on_source("reading the catalog"))?;
    store.set_columns(&columns::marks(columns))?;
    Ok(())
}

/// The captured tables that were altered since the migration began.
async fn altered(source: &Session, store: &Store) -> Result<Vec<Altered>, MigrationError> {
    let run = store.run()?.unwrap_or_default();
    let columns = columns::columns(source, oldest(&run)).await;
    let columns = columns.map_err(on_source("looking at its columns"))?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let captured = store.tables()?.into_iter();
    let captured = captured.filter(|table| table.capture != Capture::Nothing);
    let captured: HashSet<u32> = captured.map(|table| table.oid).collect();
    let mut altered = Vec::new();
    for columns in columns.chunk_by(|one, next| one.table_oid == next.table_oid) {
        let oid = columns.first().map_or(0, |column| column.table_oid);
        let before = match captured.contains(&oid) {
            true => store.columns(oid)?,
            false => None,
        };
        if let Some(before) = before {
            let columns = columns.iter();
            let columns = columns.filter(|column| !before.columns.contains(&column.mark));
            altered.push(Altered {
                columns: columns.cloned().collect(),
                before,
            });
        }
    }
    Ok(altered)
}

/// No transaction before this one comes in the stream.
fn oldest(run: &Run) -> Option<u32> {
    let snapshot: crate::base::snapshot::Snapshot = run.slot_snapshot.as_ref()?.parse().ok()?;
    Some(snapshot.oldest_running())
}

/// Whether the copy of its table was read after the column was written.
fn is_in_copy(ledger: &Ledger, column: &Column) -> bool {
    let parts = ledger.parts_of(&column.table);
    let sees = |visibility: &Visibility| match visibility {
        Visibility::Snapshot(snapshot) => snapshot.sees(snapshot.widen(column.mark.xid)),
        Visibility::Replayed(_) => false,
    };
    ledger.is_complete(&column.table) && parts.iter().all(|part| sees(&part.visibility))
}

/// Ends a migration whose rows may be different, unless somebody has said that they are not.
pub(super) async fn check(
    (source, target): (&Session, &Session),
    ledger: &Ledger,
    store: &Store,
    places: &Places,
) -> Result<(), MigrationError> {
    let failed = || on_target("looking at its columns");
    let mut found = Vec::new();
    for table in altered(source, store).await? {
        for column in &table.columns {
            if is_in_copy(ledger, column) {
                continue;
            }
            let table_here = places.of(&column.table);
            let here = columns::on_target(target, table_here, &column.mark.name).await;
            if let Some(doubt) = doubt(&table, column, here.map_err(failed())?.as_ref()) {
                let column = column.clone();
                found.push(Found { column, doubt });
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    ledger::create(target).await.map_err(failed())?;
    let mut open = Vec::new();
    for found in found {
        match ledger::step_is_done(target, &found.name()).await {
            Ok(true) => {}
            Ok(false) => open.push(found),
            Err(error) => return Err(on_target("reading the ledger")(error)),
        }
    }
    let Some(first) = open.first() else {
        return Ok(());
    };
    for other in open.iter().skip(1) {
        tracing::warn!("{}; {}", other.problem(), other.hint());
    }
    Err(MigrationError::Refused {
        side: Some(Side::Target),
        problem: first.problem(),
        hint: first.hint(),
    })
}

/// Warns of what will end it, as soon as it is there.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    told: HashSet<String>,
}

impl Warnings {
    /// Looks, and tells what was not told. What depends on the target as it is at the end is not.
    pub(super) async fn look(
        &mut self,
        source: &Session,
        store: &Store,
    ) -> Result<(), MigrationError> {
        for table in altered(source, store).await? {
            for column in &table.columns {
                if let Some(found) = of_any_target(&table, column) {
                    self.tell(&found);
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, found: &Found) {
        let name = found.name();
        if !self.told.contains(&name) {
            tracing::warn!(
                "{}; following does not end before somebody has said that they are the same on the target: {}",
                found.problem(),
                ledger::note_step_sql(&name)
            );
            self.told.insert(name);
        }
    }
}

/// What is in doubt of `column` whatever the target has.
fn of_any_target(table: &Altered, column: &Column) -> Option<Found> {
    let mark = &column.mark;
    let mut before = table.before.columns.iter();
    let is_of_same_type =
        before.any(|was| was.number == mark.number && was.type_name == mark.type_name);
    let doubt = match doubt(table, column, None)? {
        Doubt::Another => Doubt::Another,
        Doubt::Rewritten if is_of_same_type => Doubt::Rewritten,
        _ => return None,
    };
    let column = column.clone();
    Some(Found { column, doubt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::QualifiedName;
    use crate::store::ColumnMark;

    fn mark(number: i16, name: &str, type_name: &str, xid: u32) -> ColumnMark {
        ColumnMark {
            number,
            name: name.into(),
            type_name: type_name.into(),
            xid,
            default_oid: None,
        }
    }

    fn before() -> TableMarks {
        TableMarks {
            file: 1,
            columns: vec![
                mark(1, "id", "integer", 5),
                mark(2, "body", "character varying(10)", 5),
                ColumnMark {
                    default_oid: Some(70),
                    ..mark(3, "state", "text", 5)
                },
            ],
        }
    }

    fn column(file: u32, mark: ColumnMark) -> Column {
        Column {
            table_oid: 7,
            table: QualifiedName::new("public", "t"),
            file,
            mark,
            missing: None,
            expression: None,
            is_filled: false,
        }
    }

    /// In a table where nothing else was altered.
    fn alone(now: &Column, here: Option<&TargetColumn>) -> Option<Doubt> {
        let table = Altered {
            before: before(),
            columns: vec![now.clone()],
        };
        doubt(&table, now, here)
    }

    fn target(type_name: &str) -> TargetColumn {
        TargetColumn {
            type_name: type_name.into(),
            missing: None,
            expression: None,
        }
    }

    #[test]
    fn a_name_that_stands_for_another_column_is_in_doubt_and_a_new_name_is_not() {
        let told = |mark| alone(&column(1, mark), Some(&target("integer")));
        assert_eq!(told(mark(4, "id", "integer", 9)), Some(Doubt::Another));
        assert_eq!(told(mark(2, "id", "integer", 9)), Some(Doubt::Another));
        assert_eq!(told(mark(1, "key", "integer", 9)), None);
    }

    #[test]
    fn only_what_writes_all_rows_anew_can_change_values() {
        let same = target("integer");
        for (file, mark, told) in [
            (1, mark(1, "id", "integer", 9), None),
            (1, mark(2, "body", "text", 9), None),
            (2, mark(1, "id", "integer", 5), None),
            (2, mark(1, "id", "integer", 9), Some(Doubt::Rewritten)),
            (2, mark(1, "id", "bigint", 9), None),
            (2, mark(1, "id", "text", 9), Some(Doubt::Rewritten)),
            (2, mark(2, "body", "integer", 9), None),
        ] {
            let now = column(file, mark);
            assert_eq!(alone(&now, Some(&same)), told, "{now:?}");
        }
        // Its default is the one that it was: nobody has altered its type.
        let mut state = column(2, mark(3, "state", "text", 9));
        state.mark.default_oid = Some(70);
        assert_eq!(alone(&state, None), None);
        state.mark.default_oid = Some(71);
        assert_eq!(alone(&state, None), Some(Doubt::Rewritten));
    }

    #[test]
    fn columns_that_are_written_with_one_of_another_type_are_as_they_were() {
        let body = column(2, mark(2, "body", "character varying(10)", 9));
        let told = |of_id| {
            let table = Altered {
                before: before(),
                columns: vec![column(2, of_id), body.clone()],
            };
            doubt(&table, &body, None)
        };
        assert_eq!(told(mark(1, "id", "bigint", 9)), None);
        assert_eq!(told(mark(1, "id", "bigint", 8)), Some(Doubt::Rewritten));
        assert_eq!(told(mark(1, "id", "integer", 9)), Some(Doubt::Rewritten));
    }

    #[test]
    fn a_new_column_has_what_the_target_has_in_older_rows() {
        let new = |file, missing: Option<&str>, is_filled| Column {
            missing: missing.map(str::to_owned),
            is_filled,
            ..column(file, mark(4, "extra", "text", 9))
        };
        let here = |missing: Option<&str>| TargetColumn {
            missing: missing.map(str::to_owned),
            ..target("text")
        };
        let told = |now: &Column, missing| alone(now, Some(&here(missing)));
        assert_eq!(told(&new(1, None, false), None), None);
        assert_eq!(told(&new(1, Some("{a}"), true), Some("{a}")), None);
        assert_eq!(told(&new(1, Some("{a}"), true), None), Some(Doubt::Missing));
        assert_eq!(
            told(&new(1, None, false), Some("{a}")),
            Some(Doubt::Missing)
        );
        assert_eq!(told(&new(2, None, true), None), Some(Doubt::Filled));
        assert_eq!(told(&new(2, None, false), None), None);
    }

    #[test]
    fn what_is_generated_is_as_good_as_its_expression() {
        let generated = |expression: &str| Column {
            expression: Some(expression.to_owned()),
            ..column(2, mark(4, "twice", "integer", 9))
        };
        let here = TargetColumn {
            expression: Some("(id * 2)".to_owned()),
            ..target("integer")
        };
        let told = |now: &Column| alone(now, Some(&here));
        assert_eq!(told(&generated("(id * 2)")), None);
        assert_eq!(told(&generated("(id * 3)")), Some(Doubt::Expression));
    }
}
