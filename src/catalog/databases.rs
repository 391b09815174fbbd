//! The databases of an instance, and how one is made like another.

use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{Error, Session};

/// A database, as far as CREATE DATABASE decides what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its encoding.
    pub encoding: String,
    /// Where its objects are unless they say otherwise.
    pub tablespace: String,
    /// `c` for the C library, `i` for ICU, `b` for the builtin one.
    pub provider: String,
    /// The C library's names.
    pub collate: String,
    /// The same for characters.
    pub ctype: String,
    /// The other providers' name.
    pub locale: Option<String>,
    /// ICU's additional rules.
    pub rules: Option<String>,
}

/// Databases of managed services' own, which no customer can connect to or needs.
const OF_SERVICES: [&str; 5] = [
    "rdsadmin",
    "cloudsqladmin",
    "azure_maintenance",
    "azure_sys",
    "alloydbadmin",
];

/// The databases that take connections and are no templates, by name.
pub async fn databases(session: &Session) -> Result<Vec<Database>, Error> {
    let (provider, locale) = match session.server_version().major() {
        17.. => ("d.datlocprovider::text", "d.datlocale"),
        15..=16 => ("d.datlocprovider::text", "d.daticulocale"),
        _ => ("'c'", "NULL::text"),
    };
    let rules = match session.server_version().major() {
        16.. => "d.daticurules",
        _ => "NULL::text",
    };
    let sql = format!(
        "SELECT d.datname::text, pg_get_userbyid(d.datdba)::text,
                pg_encoding_to_char(d.encoding)::text, t.spcname::text, {provider},
                d.datcollate::text, d.datctype::text, {locale}, {rules}
           FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
          WHERE d.datallowconn AND NOT d.datistemplate
            -- One that is being dropped has the limit -2.
            AND d.datconnlimit <> -2 AND d.datname <> ALL ($1)
          ORDER BY d.datname"
    );
    let rows = session.query(&sql, &[&&OF_SERVICES[..]]).await?;
    let database = |row: &tokio_postgres::Row| Database {
        name: row.get(0),
        owner: row.get(1),
        encoding: row.get(2),
        tablespace: row.get(3),
        provider: row.get(4),
        collate: row.get(5),
        ctype: row.get(6),
        locale: row.get(7),
        rules: row.get(8),
    };
    Ok(rows.iter().map(database).collect())
}

/// The names of all databases, templates included.
pub async fn names(session: &Session) -> Result<Vec<String>, Error> {
    let sql = "SELECT datname::text FROM pg_database";
    let rows = session.query(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The statement that makes `database` on a server of version `target_major`.
pub fn create_sql(
    database: &Database,
    target_major: u32,
    with_owner: bool,
    with_tablespace: bool,
) -> String {
    let mut sql = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        quote_ident(&database.name),
        quote_literal(&database.encoding),
        quote_literal(&database.collate),
        quote_literal(&database.ctype)
    );
    let provider = match database.provider.as_str() {
        "i" => Some(("icu", "ICU_LOCALE")),
        "b" => Some(("builtin", "BUILTIN_LOCALE")),
        _ => None,
    };
    match provider {
        Some((name, option)) => {
            sql.push_str(&format!(" LOCALE_PROVIDER {name}"));
            if let Some(locale) = &database.locale {
                sql.push_str(&format!(" {option} {}", quote_literal(locale)));
            }
            if let Some(rules) = &database.rules {
                sql.push_str(&format!(" ICU_RULES {}", quote_literal(rules)));
            }
        }
        // template0 may have another provider, which is then the default.
        None if target_major >= 15 => sql.push_str(" LOCALE_PROVIDER libc"),
        None => {}
    }
    if with_owner {
        sql.push_str(&format!(" OWNER {}", quote_ident(&database.owner)));
    }
    if with_tablespace && database.tablespace != "pg_default" {
        sql.push_str(&format!(
            " TABLESPACE {}",
            quote_ident(&database.tablespace)
        ));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(provider: &str) -> Database {
        Database {
            name: "O\"x".into(),
            owner: "Ann".into(),
            encoding: "UTF8".into(),
            tablespace: "pg_default".into(),
            provider: provider.into(),
            collate: "de_DE.utf8".into(),
            ctype: "C".into(),
            locale: (provider != "c").then(|| "de".into()),
            rules: None,
        }
    }

    #[test]
    fn a_database_is_made_with_what_cannot_be_changed_later() {
        let common = "CREATE DATABASE \"O\"\"x\" TEMPLATE template0 ENCODING 'UTF8' \
                      LC_COLLATE 'de_DE.utf8' LC_CTYPE 'C'";
        assert_eq!(create_sql(&database("c"), 14, false, true), common);
        assert_eq!(
            create_sql(&database("c"), 15, true, true),
            format!("{common} LOCALE_PROVIDER libc OWNER \"Ann\"")
        );
        assert_eq!(
            create_sql(&database("i"), 17, false, true),
            format!("{common} LOCALE_PROVIDER icu ICU_LOCALE 'de'")
        );
        let elsewhere = Database {
            tablespace: "fast".into(),
            ..database("c")
        };
        assert!(create_sql(&elsewhere, 14, false, true).ends_with(" TABLESPACE \"fast\""));
        assert_eq!(create_sql(&elsewhere, 14, false, false), common);
    }
}
