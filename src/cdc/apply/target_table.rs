//! Whether a table of the target takes what the stream says of the source's.
//!
//! The source may have been altered while it is followed, and the stream only says what its
//! columns are called and how they are typed from there on. Where the target was not altered
//! alike, most differences are errors by themselves; some would change values without a word (a
//! numeric with fewer digits rounds, a varchar drops blanks), so each column is looked at before a
//! statement's first use.

use std::collections::HashMap;

use crate::base::QualifiedName;
use crate::base::ident::{quote_ident, quote_literal};
use crate::cdc::change::{OF_DOMAIN, UNLIMITED};
use crate::cdc::sql_line::Shape;
use crate::pg::{Connection, Error, ResultSet};

/// A table as it is on the target.
#[derive(Debug)]
pub(super) struct TargetTable {
    /// Whether its rows are in its partitions.
    pub(super) partitioned: bool,
    /// Whether rows may be written several at a time: it is an ordinary table, and has no trigger or
    /// rule that fires on a replica.
    pub(super) takes_sets: bool,
    /// The columns of each index that admits no two rows alike, at any moment.
    unique: Vec<Vec<String>>,
    columns: HashMap<String, TargetColumn>,
}

#[derive(Debug)]
struct TargetColumn {
    column_type: ColumnType,
    /// The type that a domain limits; of a domain over a domain, the one below them all.
    base: Option<ColumnType>,
    generated: bool,
    /// Whether an array of its type, unnested, gives its values.
    has_array: bool,
}

#[derive(Debug, Clone)]
struct ColumnType {
    schema: String,
    name: String,
    oid: String,
    modifier: i32,
}

/// Where the question has its parameters: a table's quoted name, how many are asked about, and the table of
/// its schema, if any, before which they end.
pub(super) const ITS_NAME: &str = "$1";
pub(super) const HOW_MANY: &str = "$2";
pub(super) const END: &str = "$3";

/// Tables that are asked about along with another have so many columns at most: those that an answer tells
/// of come to a few megabytes.
const NARROW: u32 = 100;

/// The name of `table` for the question.
pub(super) fn name_in_question(table: &QualifiedName) -> String {
    quote_literal(&table.quoted())
}

/// The question that [`TargetTable::read`] reads the answer to: about a table and those that follow by
/// name in its schema up to `end`, `count` in all. They are found first, as an array: what is known of the
/// catalog's size, which may be nothing, cannot make a plan that looks for them last.
pub(super) fn question(name: &str, count: &str, end: &str) -> String {
    format!(
        "SELECT (c.relkind = 'p')::text, a.attname, n.nspname, t.typname, t.oid::text,
                a.atttypmod::text, (a.attgenerated <> '')::text,
                bn.nspname, b.typname, b.oid::text, b.modifier,
                (t.typarray <> 0 AND t.typcategory <> 'A' AND t.typdelim = ',')::text,
                (c.relkind = 'r' AND NOT EXISTS (
                    SELECT FROM pg_catalog.pg_trigger g
                     WHERE g.tgrelid = c.oid AND g.tgenabled IN ('A', 'R')) AND NOT EXISTS (
                    SELECT FROM pg_catalog.pg_rewrite r
                     WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R')))::text,
                (SELECT pg_catalog.json_agg((
                        SELECT pg_catalog.json_agg(k.attname)
                          FROM pg_catalog.pg_attribute k
                         WHERE k.attrelid = c.oid
                               AND k.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])))
                   FROM pg_catalog.pg_index i
                  WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
                        AND i.indpred IS NULL AND i.indexprs IS NULL)::text,
                s.nspname, c.relname
           FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
           LEFT JOIN pg_catalog.pg_attribute a
                  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
           LEFT JOIN LATERAL (
                WITH RECURSIVE below AS (
                    SELECT t.typbasetype AS oid, t.typtypmod AS modifier WHERE t.typtype = 'd'
                     UNION ALL
                    SELECT d.typbasetype, d.typtypmod
                      FROM below JOIN pg_catalog.pg_type d USING (oid) WHERE d.typtype = 'd')
                SELECT o.oid, o.typname, o.typnamespace, below.modifier::text
                  FROM below JOIN pg_catalog.pg_type o USING (oid) WHERE o.typtype <> 'd') b ON true
           LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
          WHERE c.oid = ANY (ARRAY(
                SELECT f.oid
                  FROM pg_catalog.pg_class f
                 WHERE f.relname >= (SELECT relname FROM pg_catalog.pg_class
                                      WHERE oid = pg_catalog.to_regclass({name}))
                       AND f.relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class
                                              WHERE oid = pg_catalog.to_regclass({name}))
                       AND (f.relkind IN ('r', 'p') AND f.relnatts <= {NARROW}
                            AND ({end}::name IS NULL OR f.relname < {end}::name)
                            OR f.oid = pg_catalog.to_regclass({name}))
                 ORDER BY f.relname LIMIT {count}))"
    )
}

impl TargetTable {
    /// The tables, those of them that the target has.
    pub(super) fn read(answer: &ResultSet) -> HashMap<QualifiedName, Self> {
        let mut tables = HashMap::new();
        for row in &answer.rows {
            let field = |at: usize| row.get(at).cloned().flatten();
            let is_so = |at: usize| field(at).as_deref() == Some("true");
            let column_type = |at: usize, modifier: usize| {
                Some(ColumnType {
                    schema: field(at)?,
                    name: field(at + 1)?,
                    oid: field(at + 2)?,
                    modifier: field(modifier)?.parse().ok()?,
                })
            };
            let (Some(schema), Some(name)) = (field(14), field(15)) else {
                continue;
            };
            let table = tables
                .entry(QualifiedName::new(schema, name))
                .or_insert_with(|| Self {
                    partitioned: is_so(0),
                    takes_sets: is_so(12),
                    unique: field(13)
                        .and_then(|json| serde_json::from_str(&json).ok())
                        .unwrap_or_default(),
                    columns: HashMap::new(),
                });
            if let (Some(name), Some(its_type)) = (field(1), column_type(2, 5)) {
                let column = TargetColumn {
                    column_type: its_type,
                    base: column_type(7, 10),
                    generated: is_so(6),
                    has_array: is_so(11),
                };
                table.columns.insert(name, column);
            }
        }
        tables
    }

    /// An ordinary table with these columns of type text, and an index that admits each `key` once.
    #[cfg(test)]
    pub(super) fn with_key(key: &[&str], others: &[&str]) -> Self {
        let text = || TargetColumn {
            column_type: ColumnType {
                schema: "pg_catalog".into(),
                name: "text".into(),
                oid: "25".into(),
                modifier: UNLIMITED,
            },
            base: None,
            generated: false,
            has_array: true,
        };
        let names = key.iter().chain(others);
        Self {
            partitioned: false,
            takes_sets: true,
            unique: vec![key.iter().map(|name| (*name).to_owned()).collect()],
            columns: names.map(|name| ((*name).to_owned(), text())).collect(),
        }
    }

    /// How many columns it has.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Why the values of `shape` cannot be put into this table as they are, if so.
    pub(super) fn misfit(&self, shape: &Shape) -> Option<String> {
        let types = shape.types.iter().zip(&shape.modifiers);
        let mut columns = shape.columns.iter().zip(types);
        columns.find_map(|(name, (source, modifier))| self.column_misfit(name, source, *modifier))
    }

    fn column_misfit(&self, name: &str, source: &str, modifier: i32) -> Option<String> {
        let Some(column) = self.columns.get(name) else {
            return Some(format!("it has no column \"{name}\""));
        };
        let fits = column.column_type.takes(source, modifier)
            || (column.base.as_ref()).is_some_and(|base| base.takes_below(source, modifier));
        (!fits).then(|| {
            format!(
                "its column \"{name}\" is {}, and {} on the source",
                column.column_type.shown(),
                shown_type(source, modifier)
            )
        })
    }

    /// Whether no two rows have the same values in these columns.
    pub(super) fn is_unique_within(&self, columns: &[&str]) -> bool {
        let is_within = |index: &Vec<String>| {
            let mut names = index.iter().map(String::as_str);
            !index.is_empty() && names.all(|name| columns.contains(&name))
        };
        self.unique.iter().any(is_within)
    }

    /// Whether values of this column can be sent as an array of them.
    pub(super) fn has_array(&self, column: &str) -> bool {
        self.columns
            .get(column)
            .is_some_and(|column| column.has_array)
    }

    /// The type of a column, quoted and with its schema, without its limits.
    pub(super) fn type_of(&self, column: &str) -> Option<String> {
        let found = &self.columns.get(column)?.column_type;
        let (schema, name) = (quote_ident(&found.schema), quote_ident(&found.name));
        Some(format!("{schema}.{name}"))
    }

    /// Whether these are all its columns that an INSERT gives values to.
    pub(super) fn is_covered_by(&self, columns: &[String]) -> bool {
        self.columns
            .iter()
            .filter(|(_, column)| !column.generated)
            .all(|(name, _)| columns.contains(name))
    }
}

/// The columns of a table of the target, for who does not apply.
#[derive(Debug)]
pub struct TargetColumns(Option<TargetTable>);

/// A column of the source, as its catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type, as [`crate::cdc::change::Column::type_name`] has it.
    pub type_name: String,
    /// The type that it limits, if it is a domain.
    pub below: Option<String>,
    /// As [`crate::cdc::change::Column::modifier`].
    pub modifier: i32,
    /// Whether it is generated.
    pub generated: bool,
}

impl TargetColumns {
    /// Asks the target.
    pub async fn ask(connection: &mut Connection, table: &QualifiedName) -> Result<Self, Error> {
        let answers = connection
            .query(&question(&name_in_question(table), "1", "NULL"))
            .await?;
        let mut tables = answers.first().map(TargetTable::read).unwrap_or_default();
        Ok(Self(tables.remove(table)))
    }

    /// Why values of `column` would not be the same here, if so.
    pub fn misfit(&self, column: &SourceColumn) -> Option<String> {
        let Some(table) = &self.0 else {
            return Some("it is not there".to_owned());
        };
        let (name, modifier) = (&column.name, column.modifier);
        let problem = table.column_misfit(name, &column.type_name, modifier);
        let below =
            (column.below.as_ref()).map(|below| table.column_misfit(name, below, OF_DOMAIN));
        if problem.is_some() && below != Some(None) {
            return problem;
        }
        let here = table.columns.get(name).is_some_and(|found| found.generated);
        match (column.generated, here) {
            (true, false) => Some(format!("its column \"{name}\" is not generated")),
            (false, true) => Some(format!("its column \"{name}\" is generated")),
            _ => None,
        }
    }
}

impl ColumnType {
    /// Whether every value of `source`, limited by `modifier`, is the same here as there.
    fn takes(&self, source: &str, modifier: i32) -> bool {
        if self.is(source) {
            return same_within(&self.name, modifier, self.modifier);
        }
        // Text holds what the source writes, character by character.
        let wider: &[&str] = match source {
            "int2" => &["int4", "int8", "numeric", "text", "varchar"],
            "int4" => &["int8", "numeric", "text", "varchar"],
            "int8" => &["numeric", "text", "varchar"],
            _ => &["text", "varchar"],
        };
        let is_built_in = self.schema == "pg_catalog";
        is_built_in && self.modifier == UNLIMITED && wider.contains(&self.name.as_str())
    }

    /// The same where this is what a domain limits: the source's, if it is that of a domain too, is
    /// the same domain's.
    fn takes_below(&self, source: &str, modifier: i32) -> bool {
        let of_domain =
            modifier == OF_DOMAIN || (modifier == UNLIMITED && self.schema != "pg_catalog");
        match of_domain {
            true => self.is(source),
            false => self.takes(source, modifier),
        }
    }

    /// Whether `source` names this type. One of an extension may stand in another schema here.
    fn is(&self, source: &str) -> bool {
        if source.strip_prefix("oid ") == Some(&self.oid) {
            return true;
        }
        match self.schema.as_str() {
            "pg_catalog" => source == self.name,
            _ => source
                .strip_suffix(&self.name)
                .is_some_and(|schema| schema.ends_with('.')),
        }
    }

    fn shown(&self) -> String {
        match self.schema.as_str() {
            "pg_catalog" => shown_type(&self.name, self.modifier),
            schema => shown_type(&format!("{schema}.{}", self.name), self.modifier),
        }
    }
}

/// What a length is stored as more than it is.
const VARHDRSZ: i32 = 4;

/// Whether a value within `source` stays the same when put into the same type within `target`.
fn same_within(type_name: &str, source: i32, target: i32) -> bool {
    if source == target || target == UNLIMITED {
        return true;
    }
    match type_name.trim_start_matches('_') {
        "varchar" | "varbit" => source != UNLIMITED && target > source,
        // Without a precision they have the most there is.
        "time" | "timetz" | "timestamp" | "timestamptz" => {
            let most = 6;
            target >= if source == UNLIMITED { most } else { source }
        }
        "numeric" => {
            let (digits, scale) = precision_and_scale(source);
            let (room, places) = precision_and_scale(target);
            source != UNLIMITED && scale == places && room >= digits
        }
        _ => false,
    }
}

/// As `numerictypmodin` packs them; a scale may be negative.
fn precision_and_scale(modifier: i32) -> (i32, i32) {
    let packed = modifier.wrapping_sub(VARHDRSZ);
    ((packed >> 16) & 0xffff, ((packed & 0x7ff) ^ 1024) - 1024)
}

fn shown_type(name: &str, modifier: i32) -> String {
    if modifier == UNLIMITED {
        return name.to_owned();
    }
    if modifier == OF_DOMAIN {
        return format!("a domain over {name}");
    }
    match name.trim_start_matches('_') {
        "varchar" | "bpchar" => format!("{name}({})", modifier.wrapping_sub(VARHDRSZ)),
        "numeric" => {
            let (precision, scale) = precision_and_scale(modifier);
            format!("{name}({precision},{scale})")
        }
        _ => format!("{name}({modifier})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + VARHDRSZ
    }

    fn built_in(name: &str, modifier: i32) -> ColumnType {
        ColumnType {
            schema: "pg_catalog".into(),
            name: name.into(),
            oid: "23".into(),
            modifier,
        }
    }

    #[test]
    fn only_what_keeps_every_value_fits() {
        for (source, within, target, limited, fits) in [
            ("int4", -1, "int4", -1, true),
            ("int4", -1, "int8", -1, true),
            ("int8", -1, "int4", -1, false),
            ("int8", -1, "numeric", -1, true),
            ("int8", -1, "numeric", numeric(30, 0), false),
            ("float4", -1, "float8", -1, false),
            ("json", -1, "jsonb", -1, false),
            ("json", -1, "text", -1, true),
            ("text", -1, "varchar", -1, true),
            ("text", -1, "varchar", 14, false),
            ("varchar", 14, "varchar", 24, true),
            ("varchar", 14, "varchar", 13, false),
            ("varchar", -1, "varchar", 24, false),
            ("_varchar", 14, "_varchar", 24, true),
            ("bpchar", 14, "bpchar", 24, false),
            ("numeric", numeric(10, 2), "numeric", numeric(12, 2), true),
            ("numeric", numeric(10, 2), "numeric", numeric(12, 4), false),
            ("numeric", numeric(10, 4), "numeric", numeric(10, 2), false),
            ("numeric", -1, "numeric", numeric(10, 2), false),
            ("numeric", numeric(10, 2), "numeric", -1, true),
            ("timestamptz", 3, "timestamptz", 6, true),
            ("timestamptz", -1, "timestamptz", 6, true),
            ("timestamptz", -1, "timestamptz", 3, false),
            ("oid 23", -1, "int4", -1, true),
        ] {
            let target = built_in(target, limited);
            assert_eq!(
                target.takes(source, within),
                fits,
                "{} into {}",
                shown_type(source, within),
                target.shown()
            );
        }
    }

    #[test]
    fn a_type_of_an_extension_may_stand_in_another_schema() {
        let hstore = ColumnType {
            schema: "extensions".into(),
            ..built_in("hstore", -1)
        };
        assert!(hstore.takes("public.hstore", -1));
        assert!(!hstore.takes("hstore", -1));
        assert!(!hstore.takes("public.myhstore", -1));
    }

    #[test]
    fn a_domain_takes_the_same_domain_and_nothing_wider() {
        let limited = built_in("numeric", numeric(10, 2));
        assert!(limited.takes_below("numeric", OF_DOMAIN));
        assert!(limited.takes_below("numeric", numeric(9, 2)));
        assert!(!limited.takes_below("numeric", UNLIMITED));
        assert!(!limited.takes_below("text", OF_DOMAIN));
        // Where the source has a domain and the target has none.
        assert!(!limited.takes("numeric", OF_DOMAIN));
        assert!(built_in("numeric", UNLIMITED).takes("numeric", OF_DOMAIN));
    }

    #[test]
    fn a_negative_scale_is_one() {
        assert_eq!(precision_and_scale(numeric(5, -2)), (5, -2));
        assert_eq!(shown_type("numeric", numeric(10, 2)), "numeric(10,2)");
    }
}
