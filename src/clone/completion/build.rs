//! The statements that complete a table.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::catalog::ledger;
use crate::pg::{Error, Session};
use crate::store::IndexRow;

use super::board::Job;
use super::error::CompletionError;
use super::pool::Tidying;

/// The valid indexes that are on the target, and whether a constraint stands on each.
#[derive(Debug, Default)]
pub struct Existing(HashMap<QualifiedName, bool>);

const EXISTING: &str = "
SELECT n.nspname::text, c.relname::text,
       EXISTS (SELECT FROM pg_constraint k
                WHERE k.conindid = c.oid AND k.conrelid = i.indrelid
                      AND k.contype IN ('p', 'u', 'x'))
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisvalid AND n.nspname !~ '^pg_'";

/// Asks the target which indexes it has.
pub async fn existing(target: &Session) -> Result<Existing, Error> {
    found(target.query(EXISTING, &[]).await?)
}

async fn existing_of(target: &Session, name: &QualifiedName) -> Result<Existing, Error> {
    let sql = format!("{EXISTING} AND n.nspname = $1 AND c.relname = $2");
    found(target.query(&sql, &[&name.schema, &name.name]).await?)
}

fn found(rows: Vec<tokio_postgres::Row>) -> Result<Existing, Error> {
    let named = rows.iter().map(|row| {
        let name = QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1));
        (name, row.get(2))
    });
    Ok(Existing(named.collect()))
}

impl Existing {
    /// Whether the index is there with its constraint, if it has one.
    pub fn has(&self, index: &IndexRow) -> bool {
        match (self.0.get(&index.name), &index.constraint) {
            (None, _) | (Some(false), Some(_)) => false,
            (Some(_), None) | (Some(true), Some(_)) => true,
        }
    }

    /// What is left to do for an index; none if nothing is.
    ///
    /// What belongs to an index beside its constraint is done again: it does no harm.
    pub fn left_of(&self, mut index: IndexRow) -> Option<IndexRow> {
        match self.0.get(&index.name) {
            None => return Some(index),
            Some(false) => index.sql = None,
            Some(true) => {
                index.sql = None;
                index.constraint = None;
            }
        }
        let something = index.constraint.is_some() || !index.extra_sql.is_empty();
        something.then_some(index)
    }
}

/// Does one job. What another process has made meanwhile is taken as it is: a server process that
/// a killed run left behind ends its statement all the same.
pub(super) async fn run(
    target: &Session,
    job: &Job,
    tidying: Option<Tidying>,
) -> Result<(), CompletionError> {
    match job {
        Job::Index(index) => {
            let built = async {
                let Some(sql) = &index.sql else {
                    return Ok(());
                };
                let Err(error) = target.batch(sql).await else {
                    return Ok(());
                };
                match existing_of(target, &index.name)
                    .await?
                    .left_of(index.clone())
                {
                    Some(left) if left.sql.is_some() => Err(error),
                    _ => Ok(()),
                }
            };
            built.await.map_err(|source| CompletionError::Build {
                name: index.name.clone(),
                source,
            })
        }
        Job::Constraint(index) => {
            let added = constrain(target, index).await;
            added.map_err(|source| CompletionError::Constrain {
                index: index.name.clone(),
                source,
            })
        }
        Job::Tidy { name, freeze } => {
            let Some(sql) = tidying.and_then(|tidying| tidying.sql(name, *freeze)) else {
                return Ok(());
            };
            let tidied = async {
                if *freeze {
                    // VACUUM takes no row for visible to all whose commit is not on the disk.
                    target.batch("SET synchronous_commit = local").await?;
                    ledger::make_durable(target).await?;
                }
                target.batch(&sql).await
            };
            tidied.await.map_err(|source| CompletionError::Vacuum {
                table: name.clone(),
                source,
            })
        }
    }
}

/// Adds the constraint of an index that is there, and what belongs to it, as one transaction. An index
/// whose commit a crash of the target has lost since is built again.
async fn constrain(target: &Session, index: &IndexRow) -> Result<(), Error> {
    let statements = |index: &IndexRow| {
        // Nobody looks later whether a crash of the target has lost these: they wait for the disk.
        let durable = (!index.extra_sql.is_empty()).then_some("SET LOCAL synchronous_commit = on");
        let constraint = index
            .constraint
            .as_ref()
            .map(|constraint| constraint.sql.as_str());
        let all: Vec<&str> = durable
            .into_iter()
            .chain(constraint)
            .chain(index.extra_sql.iter().map(String::as_str))
            .collect();
        all.join("; ")
    };
    let Err(error) = target.batch(&statements(index)).await else {
        return Ok(());
    };
    let now = existing_of(target, &index.name).await?;
    match now.left_of(index.clone()) {
        None => Ok(()),
        Some(IndexRow { sql: Some(sql), .. }) => {
            tracing::warn!(
                "the target has lost index {} that it had confirmed: it is built again",
                index.name
            );
            target.batch(&sql).await?;
            target.batch(&statements(index)).await
        }
        Some(left) if left.constraint.is_none() => target.batch(&statements(&left)).await,
        Some(_) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ConstraintRow;

    fn index(constraint: bool) -> IndexRow {
        IndexRow {
            oid: 1,
            table_oid: 2,
            name: QualifiedName::new("public", "i"),
            bytes: 0,
            sql: Some("CREATE INDEX".into()),
            constraint: constraint.then(|| ConstraintRow {
                oid: 3,
                name: "c".into(),
                sql: "ALTER TABLE".into(),
            }),
            extra_sql: vec![],
        }
    }

    fn with(constraint: bool) -> Existing {
        Existing(HashMap::from([(
            QualifiedName::new("public", "i"),
            constraint,
        )]))
    }

    #[test]
    fn what_an_earlier_run_has_made_is_not_made_again() {
        let nothing = Existing::default();
        assert_eq!(nothing.left_of(index(true)), Some(index(true)));
        assert_eq!(with(true).left_of(index(true)), None);
        assert_eq!(with(false).left_of(index(false)), None);
        let left = with(false).left_of(index(true)).expect("its constraint");
        assert!(left.sql.is_none() && left.constraint.is_some());
    }

    #[test]
    fn an_index_without_its_constraint_is_not_all_there() {
        assert!(with(true).has(&index(true)));
        assert!(with(false).has(&index(false)));
        assert!(!with(false).has(&index(true)));
        assert!(!Existing::default().has(&index(false)));
    }
}
