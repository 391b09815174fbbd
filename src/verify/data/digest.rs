//! What of a row is hashed, and how the hashes of a table become one.
//!
//! - A row is hashed as `ROW(a, b, …)::text`, its columns in the order of their names: PostgreSQL's own
//!   text of a record, by the output function of each type, where NULL is nothing, an empty text is
//!   `""`, and what could be taken for the end of a field is quoted. Every session is pinned to the
//!   settings that text depends on ([`crate::pg::pinned_settings`]). Generated columns are in it.
//! - The text is hashed twice by `hashtextextended`, 64 bits each, under two seeds and the collation
//!   "C". It is the hash of hash-partitioned tables, the same in every version since 11, and costs
//!   little beside the text. It finds accidents; it is not made against forgers.
//! - The hashes are summed, each by itself, as numbers that do not overflow. The sum of rows does not
//!   depend on their order, and equal rows do not cancel each other out.
//!
//! A record of more than 1 GB has no text. Then the table is read in the form [`Form::wide`]: values of any
//! length are hashed one by one, and the record is made of their hashes.
//!
//! Between databases of different encodings the text is hashed in UTF-8.

use std::fmt::Write;

use crate::base::QualifiedName;
use crate::base::ident::quote_ident;

/// The two seeds of rows, and the one by which keys are told apart.
const SEEDS: [i64; 2] = [
    i64::from_be_bytes(*b"\0\0pgflit"),
    i64::from_be_bytes(*b"\0compare"),
];
const KEY_SEED: i64 = i64::from_be_bytes(*b"\0\0\0\0\0key");

/// How the values of a type are hashed where the text of a record is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// They are short: as they are.
    Short,
    /// Text of any length.
    Text,
    /// Bytes of any length, whose text is twice as long.
    Bytes,
    /// Anything else of any length.
    Long,
}

/// A column that is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub values: Values,
}

/// In which form rows are hashed; the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// Value by value, whatever their length.
    pub wide: bool,
    /// The databases have different encodings.
    pub converted: bool,
}

/// A count and two sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// Rows.
    pub rows: u64,
    /// The sums of both hashes: some 2^64 rows would have room.
    pub sums: [i128; 2],
}

impl Digest {
    /// That of the rows of both.
    #[must_use]
    pub fn and(self, other: Digest) -> Digest {
        Digest {
            rows: self.rows + other.rows,
            sums: [0, 1].map(|at| self.sums[at].wrapping_add(other.sums[at])),
        }
    }

    /// The sums as people read them: the lower 64 bits of each, in the shape of a UUID.
    pub fn checksum(&self) -> String {
        let [high, low] = self.sums.map(|sum| sum as u64);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// A share of the rows, by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Of a million keys, so many.
    pub of_a_million: u32,
}

/// SQL: the hash of `text` under `seed`.
fn hash(text: &str, seed: i64) -> String {
    format!("hashtextextended({text}, {seed})")
}

/// SQL: a record's text, as it is hashed.
fn record(fields: &str, converted: bool) -> String {
    match converted {
        false => format!(r#"ROW({fields})::text COLLATE "C""#),
        true => {
            format!(r#"encode(sha256(convert_to(ROW({fields})::text, 'UTF8')), 'hex') COLLATE "C""#)
        }
    }
}

/// SQL: what stands in the record for one column.
fn field(column: &Column, form: Form) -> String {
    let name = quote_ident(&column.name);
    if !form.wide {
        return name;
    }
    let text = match column.values {
        Values::Short => return name,
        Values::Bytes => return format!("sha256({name}::bytea)"),
        // The output function, as a record has it: a cast to text may be the user's.
        Values::Long => format!("format('%s', {name})"),
        Values::Text => format!("{name}::text"),
    };
    if form.converted {
        return format!(
            "CASE WHEN num_nulls({name}) = 0 THEN sha256(convert_to({text}, 'UTF8')) END"
        );
    }
    let hashes = SEEDS.map(|seed| {
        let hash = hash(&format!(r#"{text} COLLATE "C""#), seed);
        // A record of nulls is null to IS NULL, and a value all the same.
        format!("CASE WHEN num_nulls({name}) = 0 THEN {hash} END")
    });
    hashes.join(", ")
}

/// SQL: the text of rows with these columns, which are in the order of their names.
pub fn row_text(columns: &[Column], form: Form) -> String {
    let fields: Vec<_> = columns.iter().map(|column| field(column, form)).collect();
    record(&fields.join(", "), form.converted)
}

/// SQL: a text of the values of `key`, for people.
pub fn key_shown(key: &[String]) -> String {
    let names: Vec<_> = key.iter().map(|name| quote_ident(name)).collect();
    format!("ROW({})::text", names.join(", "))
}

/// SQL: a number by which the keys of rows are told apart.
pub fn key_hash(key: &[String], form: Form) -> String {
    let names: Vec<_> = key.iter().map(|name| quote_ident(name)).collect();
    hash(&record(&names.join(", "), form.converted), KEY_SEED)
}

/// SQL: one number for each column, of a row.
pub fn column_hashes(columns: &[Column], form: Form) -> String {
    let hashes = columns.iter().map(|column| {
        let text = record(&field(column, form), form.converted);
        hash(&text, SEEDS[0])
    });
    format!("ARRAY[{}]::bigint[]", hashes.collect::<Vec<_>>().join(", "))
}

/// SQL: the condition that a row is of the sample.
fn sampled(sample: Sample, key: &[String], form: Form) -> String {
    format!(
        "({} & 9223372036854775807) % 1000000 < {}",
        key_hash(key, form),
        sample.of_a_million
    )
}

/// Which rows of a table are meant.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Of which table, without those that inherit from it.
    pub table: &'a QualifiedName,
    /// Which part of it.
    pub condition: Option<&'a str>,
    /// Which share, by which key.
    pub sample: Option<(Sample, &'a [String])>,
}

impl Rows<'_> {
    /// SQL: `FROM …`.
    pub fn from_where(&self, form: Form) -> String {
        let mut sql = format!("FROM ONLY {}", self.table.quoted());
        let sampled = self.sample.map(|(sample, key)| sampled(sample, key, form));
        let conditions = self.condition.map(str::to_owned).into_iter().chain(sampled);
        for (at, condition) in conditions.enumerate() {
            let word = if at == 0 { "WHERE" } else { "AND" };
            let _ = write!(sql, " {word} ({condition})");
        }
        sql
    }
}

/// SQL: both sums over the column `r`, each as text.
pub fn sums() -> String {
    let sums = SEEDS.map(|seed| format!("coalesce(sum({}), 0)::text", hash("r", seed)));
    sums.join(", ")
}

/// SQL: both hashes of the column `r`.
pub fn hashes() -> String {
    SEEDS.map(|seed| hash("r", seed)).join(", ")
}

/// The question that [`Digest`] is the answer to.
///
/// OFFSET 0 keeps the inner query by itself, so that a row's text is made once.
pub fn digest_sql(rows: Rows<'_>, columns: &[Column], form: Form) -> String {
    format!(
        "SELECT count(*), {} FROM (SELECT {} AS r {} OFFSET 0) AS hashed",
        sums(),
        row_text(columns, form),
        rows.from_where(form)
    )
}

/// The same for those who only count.
pub fn count_sql(rows: Rows<'_>, form: Form) -> String {
    format!("SELECT count(*), '0', '0' {}", rows.from_where(form))
}

/// The same of large objects: their numbers and, if `with_contents`, what is in them.
pub fn large_objects_sql(with_contents: bool) -> String {
    let contents = match with_contents {
        true => ", sha256(lo_get(m.oid))",
        false => "",
    };
    format!(
        "SELECT count(*), {} FROM (SELECT {} AS r FROM pg_largeobject_metadata m OFFSET 0) AS hashed",
        sums(),
        record(&format!("m.oid{contents}"), false)
    )
}

/// A server's sum.
pub fn sum_of(text: &str) -> Option<i128> {
    text.parse().ok()
}

/// The question whether two servers hash alike: forks may not, and processors of another byte order.
pub fn probe_sql() -> String {
    format!(
        r#"SELECT {}, {}"#,
        hash(
            r#"'a text of more than a dozen bytes' COLLATE "C""#,
            SEEDS[0]
        ),
        hash(r#"'' COLLATE "C""#, SEEDS[1])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, values: Values) -> Column {
        Column {
            name: name.into(),
            values,
        }
    }

    #[test]
    fn a_row_is_hashed_once_for_both_sums_and_names_are_quoted() {
        let table = QualifiedName::new("s", "T\"x");
        let rows = Rows {
            table: &table,
            condition: Some("ctid < '(1,0)'"),
            sample: None,
        };
        let columns = [column("A b", Values::Text), column("id", Values::Short)];
        let sql = digest_sql(rows, &columns, Form::default());
        assert_eq!(sql.matches("ROW(\"A b\", \"id\")::text").count(), 1);
        assert!(sql.contains("FROM ONLY \"s\".\"T\"\"x\" WHERE (ctid < '(1,0)') OFFSET 0"));
    }

    #[test]
    fn what_may_be_long_is_hashed_by_itself_where_the_record_has_no_text() {
        let form = Form {
            wide: true,
            converted: false,
        };
        let columns = [
            column("b", Values::Bytes),
            column("i", Values::Short),
            column("j", Values::Long),
        ];
        let sql = row_text(&columns, form);
        assert!(
            sql.starts_with("ROW(sha256(\"b\"::bytea), \"i\", CASE WHEN"),
            "{sql}"
        );
        assert_eq!(sql.matches("format('%s', \"j\")").count(), 2);
    }

    #[test]
    fn sums_add_up_and_equal_rows_count_twice() {
        let one = Digest {
            rows: 1,
            sums: [-1, i128::from(i64::MAX)],
        };
        let two = one.and(one);
        assert_eq!(two.rows, 2);
        assert_eq!(two.sums, [-2, 2 * i128::from(i64::MAX)]);
        assert_ne!(two.checksum(), Digest::default().checksum());
        assert_eq!(
            Digest::default().checksum(),
            "00000000-0000-0000-0000-000000000000"
        );
        assert_eq!(one.checksum(), "ffffffff-ffff-ffff-7fff-ffffffffffff");
    }

    #[test]
    fn a_sum_is_read_whatever_its_sign() {
        assert_eq!(
            sum_of("-18446744073709551616"),
            Some(-18_446_744_073_709_551_616)
        );
        assert_eq!(sum_of("1e3"), None);
    }
}
