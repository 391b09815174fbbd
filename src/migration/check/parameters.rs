//! Parameters that differ between the servers, where that changes what applications see or may do.

use std::collections::HashMap;
use std::fmt;

use crate::base::Side;
use crate::base::ident::{quote_ident, quote_literal};
use crate::migration::error::MigrationError;

use super::finding::{Effect, Findings, Fix, Place, first_of};
use super::look::{Looked, Scene, on};
use crate::pg::Session;

/// What decides how SQL is read, how values are written, how transactions behave.
const MEANING: [&str; 17] = [
    "array_nulls",
    "backslash_quote",
    "bytea_output",
    "DateStyle",
    "default_tablespace",
    "default_text_search_config",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "extra_float_digits",
    "IntervalStyle",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "standard_conforming_strings",
    "TimeZone",
    "transform_null_equals",
    "xmloption",
];

/// What applications rely on to be large enough.
const CAPACITY: [&str; 3] = [
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
];

/// Libraries that must be loaded at the start of the server.
const PRELOAD: &str = "shared_preload_libraries";

/// What a new session has, and where that is from.
pub(super) type Values = HashMap<String, (String, String)>;

pub(super) async fn values(session: &Session, side: Side) -> Result<Values, MigrationError> {
    let names: Vec<&str> = MEANING
        .into_iter()
        .chain(CAPACITY)
        .chain([PRELOAD])
        .collect();
    let sql = "SELECT s.name, coalesce(s.reset_val, ''),
                      CASE WHEN EXISTS (SELECT FROM pg_db_role_setting d, unnest(d.setconfig) AS c
                                         WHERE d.setdatabase = (SELECT oid FROM pg_database
                                                                 WHERE datname = current_database())
                                           AND lower(split_part(c, '=', 1)) = lower(s.name))
                           THEN 'database' ELSE '' END
                 FROM pg_settings s WHERE s.name = ANY ($1)";
    let rows = session.query(sql, &[&names]).await;
    let rows = rows.map_err(on(side, "looking at its settings"))?;
    let value = |row: &tokio_postgres::Row| (row.get(0), (row.get(1), row.get(2)));
    Ok(rows.iter().map(value).collect())
}

/// Compares them.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    let source = values(&scene.source.session, Side::Source).await;
    let source = found.seen("parameters", Side::Source, source)?;
    let target = values(&scene.target.session, Side::Target).await;
    let target = found.seen("parameters", Side::Target, target)?;
    let (Some(source), Some(target)) = (source, target) else {
        return Ok(());
    };
    meaning(scene, (&source, &target), found);
    capacity(&scene.target, (&source, &target), found);
    let libraries = |values: &Values| {
        let value = values.get(PRELOAD).map(|(value, _)| value.clone());
        value.unwrap_or_default()
    };
    preload(&libraries(&source), &libraries(&target), found);
    Ok(())
}

/// A parameter with other values on the two sides.
pub(super) struct Differs {
    name: &'static str,
    here: String,
    there: String,
}

/// The parameters that change what SQL means, and differ; not those that `goes_along`, by where the first
/// of the two has its value from.
pub(super) fn differing(
    here: &Values,
    there: &Values,
    goes_along: impl Fn(&str) -> bool,
) -> Vec<Differs> {
    let differs = |name: &'static str| {
        let ((here, from), (there, _)) = (here.get(name)?, there.get(name)?);
        (here != there && !goes_along(from)).then(|| Differs {
            name,
            here: here.clone(),
            there: there.clone(),
        })
    };
    MEANING.into_iter().filter_map(differs).collect()
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {:?})", self.name, self.here, self.there)
    }
}

fn meaning(scene: &Scene<'_>, (source, target): (&Values, &Values), found: &mut Findings) {
    const ID: &str = "parameters";
    // What is set for the database goes along with it.
    let goes_along = |from: &str| from == "database" && !scene.config.copy.skip_db_properties;
    let differing = differing(source, target, goes_along);
    if differing.is_empty() {
        return found.pass(
            ID,
            Place::Both,
            "nothing that changes what SQL means differs",
        );
    }
    found.warn(
        ID,
        Place::Both,
        format!("these differ (source, target): {}", first_of(&differing)),
        "give the target what the source has, unless the other value is meant",
    );
    let database = quote_ident(scene.target.address.dbname());
    let statement = |one: &Differs| {
        format!(
            "ALTER DATABASE {database} SET {} = {}",
            quote_ident(one.name),
            quote_literal(&one.here)
        )
    };
    // Which tablespaces there are is the server's own affair.
    let settable = differing
        .iter()
        .filter(|one| one.name != "default_tablespace");
    let statements: Vec<_> = settable.map(statement).collect();
    found.mended_by((!statements.is_empty()).then_some(Fix {
        side: Side::Target,
        statements,
        effect: Effect::Now,
    }));
}

fn capacity(target: &Looked, (source, there): (&Values, &Values), found: &mut Findings) {
    const ID: &str = "capacity";
    let number = |values: &Values, name| values.get(name)?.0.parse::<i64>().ok();
    let less = CAPACITY.into_iter().filter_map(|name| {
        let (here, there) = (number(source, name)?, number(there, name)?);
        (there < here).then_some((name, here, there))
    });
    let less: Vec<_> = less.collect();
    if less.is_empty() {
        return found.pass(ID, Side::Target, "takes as much as the source");
    }
    let named = less
        .iter()
        .map(|(name, here, there)| format!("{name} ({there}, not {here})"));
    found.warn(
        ID,
        Side::Target,
        format!(
            "takes less than the source: {}",
            first_of(&named.collect::<Vec<_>>())
        ),
        "raise it there and restart it, unless applications need less",
    );
    let statement =
        |(name, here, _): &(&str, i64, i64)| format!("ALTER SYSTEM SET {name} = {here}");
    found.mended_by(target.is_superuser.then(|| Fix {
        side: Side::Target,
        statements: less.iter().map(statement).collect(),
        effect: Effect::Restart,
    }));
}

fn preload(source: &str, target: &str, found: &mut Findings) {
    const ID: &str = "preload";
    let names = |text: &str| -> Vec<String> {
        let names = text.split(',').map(|name| name.trim().trim_matches('"'));
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let there = names(target);
    let mut missing = names(source);
    missing.retain(|name| !there.contains(name));
    match missing.is_empty() {
        true => found.pass(
            ID,
            Side::Target,
            "loads the libraries that the source loads",
        ),
        false => found.warn(
            ID,
            Side::Target,
            format!(
                "does not load at its start what the source does: {}",
                first_of(&missing)
            ),
            "add them to shared_preload_libraries there and restart it, if what they do is needed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::check::Verdict;

    #[test]
    fn libraries_that_the_target_loads_besides_do_not_matter() {
        for (source, target, verdict) in [
            ("", "", Verdict::Pass),
            ("a", "b, \"a\"", Verdict::Pass),
            ("a,b", "b", Verdict::Warn),
        ] {
            let mut found = Findings::default();
            preload(source, target, &mut found);
            assert_eq!(
                found.into_vec()[0].verdict,
                verdict,
                "{source:?} {target:?}"
            );
        }
    }
}
