//! Which objects of the source each entry means. One query a kind of object, whatever the number
//! of entries; patterns are evaluated by the source.

use crate::catalog::discovery::USERS_OWN;
use crate::pg::{self, Session};

use super::entry::{Entry, Section, Term};
use super::error::FilterError;
use super::parse::Filters;

/// SQLSTATE invalid_regular_expression.
const INVALID_REGEX: &str = "2201B";

/// Which entry, by its place among [`Filters::entries`], means which object, by OID.
pub(super) type Matches = Vec<(usize, u32)>;

/// Asks `source` what the entries mean.
///
/// # Errors
/// A pattern is no regular expression; the source fails.
pub(super) async fn find(source: &Session, filters: &Filters) -> Result<Matches, FilterError> {
    let mut matches = Vec::new();
    for query in [
        relations(),
        flat(
            &[Section::IncludeOnlySchema, Section::ExcludeSchema],
            "pg_namespace o",
            "o.nspname",
            "o.nspname !~ '^pg_' AND o.nspname NOT IN ('information_schema', 'pgflit')",
        ),
        flat(
            &[Section::IncludeOnlyExtension, Section::ExcludeExtension],
            "pg_extension o",
            "o.extname",
            "true",
        ),
        flat(
            &[Section::ExcludeEventTrigger],
            "pg_event_trigger o",
            "o.evtname",
            "true",
        ),
    ] {
        match query.run(source, filters).await {
            Ok(found) => matches.extend(found),
            Err(error) if error.sqlstate() == Some(INVALID_REGEX) => {
                return Err(invalid_pattern(source, filters, error).await);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(matches)
}

/// A query with these parameters: the entry's place; its schema and whether that is a pattern; its
/// name and whether that is one; the kinds of relation that its section means.
struct Query {
    sql: String,
    sections: Vec<Section>,
}

const WANTED: &str = "WITH wanted AS (
    SELECT * FROM unnest($1::int4[], $2::text[], $3::bool[], $4::text[], $5::bool[], $6::text[])
               AS w (entry, schema, schema_is_pattern, name, name_is_pattern, kinds))";

/// Tables, views and indexes. Exact names are joined, which is quick for any number of them.
fn relations() -> Query {
    let sql = format!(
        "{WANTED}
         SELECT w.entry, c.oid
           FROM wanted w
           JOIN pg_namespace n ON n.nspname::text = w.schema
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relname::text = w.name
          WHERE NOT w.schema_is_pattern AND NOT w.name_is_pattern
            AND strpos(w.kinds, c.relkind::text) > 0 AND {USERS_OWN}
         UNION ALL
         SELECT w.entry, c.oid
           FROM wanted w
           JOIN pg_namespace n ON CASE WHEN w.schema_is_pattern THEN n.nspname::text ~ w.schema
                                       ELSE n.nspname::text = w.schema END
           JOIN pg_class c ON c.relnamespace = n.oid
                          AND CASE WHEN w.name_is_pattern THEN c.relname::text ~ w.name
                                   ELSE c.relname::text = w.name END
          WHERE (w.schema_is_pattern OR w.name_is_pattern)
            AND strpos(w.kinds, c.relkind::text) > 0 AND {USERS_OWN}"
    );
    let sections = [
        Section::IncludeOnlyTable,
        Section::ExcludeTable,
        Section::ExcludeTableData,
        Section::ExcludeIndex,
    ];
    Query {
        sql,
        sections: sections.to_vec(),
    }
}

/// What is in no schema.
fn flat(sections: &[Section], from: &str, name: &str, condition: &str) -> Query {
    let sql = format!(
        "{WANTED}
         SELECT w.entry, o.oid FROM wanted w
           JOIN {from} ON CASE WHEN w.name_is_pattern THEN {name}::text ~ w.name
                               ELSE {name}::text = w.name END
          WHERE {condition}"
    );
    Query {
        sql,
        sections: sections.to_vec(),
    }
}

impl Query {
    async fn run(&self, source: &Session, filters: &Filters) -> Result<Matches, pg::Error> {
        let mut columns = Columns::default();
        for (place, entry) in filters.entries.iter().enumerate() {
            if self.sections.contains(&entry.section) {
                columns.push(place, entry);
            }
        }
        if columns.places.is_empty() {
            return Ok(Vec::new());
        }
        let Columns {
            places,
            schemas,
            schema_patterns,
            names,
            name_patterns,
            kinds,
        } = columns;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
            &places,
            &schemas,
            &schema_patterns,
            &names,
            &name_patterns,
            &kinds,
        ];
        let rows = source.query(&self.sql, &parameters).await?;
        let place = |row: &tokio_postgres::Row| usize::try_from(row.get::<_, i32>(0));
        Ok(rows
            .iter()
            .filter_map(|row| Some((place(row).ok()?, row.get(1))))
            .collect())
    }
}

#[derive(Default)]
struct Columns<'a> {
    places: Vec<i32>,
    schemas: Vec<&'a str>,
    schema_patterns: Vec<bool>,
    names: Vec<&'a str>,
    name_patterns: Vec<bool>,
    kinds: Vec<&'static str>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, place: usize, entry: &'a Entry) {
        let (schema, schema_is_pattern) = match &entry.schema {
            Some(term) => parts(term),
            None => ("", false),
        };
        let (name, name_is_pattern) = parts(&entry.name);
        self.places.push(i32::try_from(place).unwrap_or(i32::MAX));
        self.schemas.push(schema);
        self.schema_patterns.push(schema_is_pattern);
        self.names.push(name);
        self.name_patterns.push(name_is_pattern);
        self.kinds.push(kinds(entry.section));
    }
}

fn parts(term: &Term) -> (&str, bool) {
    match term {
        Term::Exact(name) => (name, false),
        Term::Pattern { regex, .. } => (regex, true),
    }
}

/// The kinds of relation that a section means, as `pg_class.relkind` has them.
const fn kinds(section: Section) -> &'static str {
    match section {
        Section::IncludeOnlyTable | Section::ExcludeTableData => "rpfm",
        Section::ExcludeTable => "rpfmv",
        Section::ExcludeIndex => "iI",
        _ => "",
    }
}

/// Tells which of the patterns the source cannot read.
async fn invalid_pattern(source: &Session, filters: &Filters, all: pg::Error) -> FilterError {
    for entry in &filters.entries {
        for term in entry.schema.iter().chain([&entry.name]) {
            let Term::Pattern { regex, written } = term else {
                continue;
            };
            if let Err(error) = source.query_one("SELECT '' ~ $1::text", &[regex]).await {
                return filters.wrong(entry, format!("{written}: {error}"));
            }
        }
    }
    all.into()
}
