//! How large tables and indexes are, for planning: order, parts, what there is to do.
//!
//! The server measures by opening the relation, which waits for whoever has locked it, and by
//! looking at each of its files. `pg_class` has the pages that VACUUM, ANALYZE or CREATE INDEX
//! counted last, for nothing. What they have not counted is measured all the same, where
//! estimates are asked for too:
//!
//! - a table that was never analyzed, or was truncated since: no pages, or no rows;
//! - an index that was made before the rows came: one page, no rows;
//! - a TOAST table that was never vacuumed: ANALYZE counts only the table's own pages.

/// Where sizes are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sizes {
    /// The files, as they are now.
    Measured,
    /// `pg_class`, where it knows them; also for those who look at no sizes.
    Estimated,
}

impl Sizes {
    /// SQL: the bytes of the table `row`, a row of `pg_class`, TOAST included.
    pub(crate) fn of_table(self, row: &str) -> String {
        match self {
            Sizes::Measured => format!("pg_table_size({row}.oid)"),
            Sizes::Estimated => format!(
                "({} + coalesce((SELECT {} FROM pg_class toast
                                  WHERE toast.oid = {row}.reltoastrelid), 0))",
                estimate(row),
                estimate("toast")
            ),
        }
    }

    /// SQL: the bytes of the index `row`, a row of `pg_class`.
    pub(crate) fn of_index(self, row: &str) -> String {
        match self {
            Sizes::Measured => format!("pg_relation_size({row}.oid)"),
            Sizes::Estimated => estimate(row),
        }
    }
}

/// SQL: the bytes of one relation. Pages past 2^31 are negative in `pg_class`; they are measured.
fn estimate(row: &str) -> String {
    format!(
        "CASE WHEN {row}.relpages > 0 AND {row}.reltuples > 0
              THEN {row}.relpages * current_setting('block_size')::bigint
              ELSE coalesce(pg_relation_size({row}.oid), 0) END"
    )
}
