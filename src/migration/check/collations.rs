//! How text is written and ordered: encodings, locales, collations and the versions of their libraries.

use std::collections::HashSet;

use crate::base::Side;
use crate::catalog::databases::{self, Database};
use crate::migration::error::MigrationError;

use super::finding::{Findings, Place, first_of};
use super::look::{Looked, Scene};

/// Compares them.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let here = own(&scene.source).await;
    let there = own(&scene.target).await;
    let here = found.seen("encoding", Side::Source, here)?.flatten();
    let there = found.seen("encoding", Side::Target, there)?.flatten();
    if let (Some(here), Some(there)) = (here, there) {
        encodings(&here.encoding, &there.encoding, found);
        locales(&here, &there, found);
    }
    for looked in scene.both() {
        recorded_versions(looked, found).await?;
    }
    library_versions(scene, found).await?;
    collations(scene, found).await
}

/// The database that is connected to.
async fn own(looked: &Looked) -> Result<Option<Database>, MigrationError> {
    let all = databases::databases(&looked.session).await;
    let all = all.map_err(looked.on("looking at its database"))?;
    let name = looked.address.dbname();
    Ok(all.into_iter().find(|database| database.name == name))
}

fn encodings(source: &str, target: &str, found: &mut Findings) {
    const ID: &str = "encoding";
    match (source, target) {
        _ if source == target => found.pass(ID, Place::Both, format!("both are {source}")),
        (_, "UTF8") if source != "SQL_ASCII" => found.pass(
            ID,
            Place::Both,
            format!("{source} is converted to UTF8, which holds all of it"),
        ),
        ("SQL_ASCII", _) => found.warn(
            ID,
            Place::Both,
            format!(
                "the source is SQL_ASCII, which takes any bytes: {target} may refuse some of its rows"
            ),
            "rehearse a copy; mend the rows that are named, or make the target's database SQL_ASCII",
        ),
        (_, "SQL_ASCII") => found.warn(
            ID,
            Place::Both,
            format!("the target is SQL_ASCII: it would not know that its text is {source}"),
            format!("make the target's database with ENCODING '{source}' or 'UTF8', from template0"),
        ),
        _ => found.fail(
            ID,
            Place::Both,
            format!("the target's encoding, {target}, does not hold all that {source} may have"),
            format!("make the target's database with ENCODING '{source}' or 'UTF8', from template0"),
        ),
    }
}

fn locales(source: &Database, target: &Database, found: &mut Findings) {
    const ID: &str = "locale";
    let named = |database: &Database| {
        let provider = match database.provider.as_str() {
            "i" => "ICU ",
            "b" => "builtin ",
            _ => "",
        };
        let name = match (&database.locale, database.collate == database.ctype) {
            (Some(locale), _) => locale.clone(),
            (None, true) => database.collate.clone(),
            (None, false) => format!("{}, characters by {}", database.collate, database.ctype),
        };
        format!("{provider}{name}")
    };
    let (here, there) = (named(source), named(target));
    match here == there {
        true => found.pass(ID, Place::Both, format!("both order text by {here}")),
        false => found.warn(
            ID,
            Place::Both,
            format!("the source orders text by {here}, the target by {there}"),
            "ORDER BY, range partitions and LIKE by index may differ: make the target's database with \
             the source's locale, from template0",
        ),
    }
}

/// A collation's library that is another than the one that indexes were built with: they may miss rows.
async fn recorded_versions(looked: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "collation-version";
    let of_database = match looked.major() {
        15.. => {
            "UNION ALL SELECT 'the database' FROM pg_database
              WHERE datname = current_database()
                AND datcollversion <> pg_database_collation_actual_version(oid)"
        }
        _ => "",
    };
    let sql = format!(
        "SELECT format('%I', collname) FROM pg_collation
          WHERE collencoding IN (-1, (SELECT encoding FROM pg_database
                                       WHERE datname = current_database()))
            AND collversion <> pg_collation_actual_version(oid)
            AND EXISTS (SELECT FROM pg_depend d
                         WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = pg_collation.oid
                           AND d.deptype = 'n')
          {of_database} ORDER BY 1"
    );
    let rows = looked.session.query(&sql, &[]).await;
    let rows = rows.map_err(looked.on("looking at collations"));
    let Some(rows) = found.seen(ID, looked.side, rows)? else {
        return Ok(());
    };
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match (names.is_empty(), looked.side) {
        (true, _) => found.pass(ID, looked.side, "indexes were built with these collations"),
        (false, side) => found.warn(
            ID,
            side,
            format!(
                "the library of collations has changed since indexes were built: {}",
                first_of(&names)
            ),
            match side {
                Side::Source => {
                    "unique indexes may have let doubles in, which the target will refuse: REINDEX, then \
                     ALTER DATABASE or COLLATION … REFRESH VERSION"
                }
                Side::Target => "ALTER DATABASE or COLLATION … REFRESH VERSION before the copy",
            },
        ),
    }
    Ok(())
}

/// The versions of the two libraries that order the database's text.
async fn library_versions(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "collation-library";
    if scene.source.major() < 15 || scene.target.major() < 15 {
        return Ok(());
    }
    let sql = "SELECT coalesce(pg_database_collation_actual_version(oid), '')
                 FROM pg_database WHERE datname = current_database()";
    let mut versions = Vec::new();
    for looked in scene.both() {
        let row = looked.session.query_one(sql, &[]).await;
        let row = row.map_err(looked.on("looking at collations"));
        let Some(row) = found.seen(ID, looked.side, row)? else {
            return Ok(());
        };
        versions.push(row.get::<_, String>(0));
    }
    match &versions[..] {
        [here, there] if here != there => found.warn(
            ID,
            Place::Both,
            format!("text is ordered by other versions of the library: {here:?}, {there:?}"),
            "indexes are built anew and are right; results of ORDER BY, and range partitions by text, \
             may differ",
        ),
        _ => found.pass(ID, Place::Both, "the same order of text on both"),
    }
    Ok(())
}

/// Collations that come with the server, are used, and are not on the target: those of the user's go
/// along with their definitions.
async fn collations(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "collations";
    let source = &scene.source;
    let sql = "SELECT DISTINCT l.collname::text
                 FROM pg_collation l
                 JOIN pg_namespace n ON n.oid = l.collnamespace AND n.nspname = 'pg_catalog'
                 JOIN pg_attribute a ON a.attcollation = l.oid AND a.attnum > 0 AND NOT a.attisdropped
                 JOIN pg_class c ON c.oid = a.attrelid
                 JOIN pg_namespace s ON s.oid = c.relnamespace
                WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'
                ORDER BY 1";
    let rows = source.session.query(sql, &[]).await;
    let rows = rows.map_err(source.on("looking at collations"));
    let Some(rows) = found.seen(ID, Side::Source, rows)? else {
        return Ok(());
    };
    let used: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let target = &scene.target;
    let sql = "SELECT collname::text FROM pg_collation WHERE collname = ANY ($1)";
    let rows = target.session.query(sql, &[&used]).await;
    let rows = rows.map_err(target.on("looking at collations"));
    let Some(rows) = found.seen(ID, Side::Target, rows)? else {
        return Ok(());
    };
    let there: HashSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing: Vec<_> = used.iter().filter(|name| !there.contains(*name)).collect();
    match missing.is_empty() {
        true => found.pass(ID, Side::Target, "has the collations that are used"),
        false => found.fail(
            ID,
            Side::Target,
            format!("these collations are not on the target: {}", first_of(&missing)),
            "install their locales on its machine and run pg_import_system_collations('pg_catalog')",
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::check::Verdict;

    #[test]
    fn text_may_go_where_all_of_it_can_be_written() {
        for (source, target, verdict) in [
            ("UTF8", "UTF8", Verdict::Pass),
            ("LATIN1", "UTF8", Verdict::Pass),
            ("UTF8", "LATIN1", Verdict::Fail),
            ("SQL_ASCII", "UTF8", Verdict::Warn),
            ("UTF8", "SQL_ASCII", Verdict::Warn),
        ] {
            let mut found = Findings::default();
            encodings(source, target, &mut found);
            assert_eq!(found.into_vec()[0].verdict, verdict, "{source} {target}");
        }
    }
}
