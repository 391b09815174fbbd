//! Properties of the database itself, which no dump of its contents carries: settings, settings of
//! roles in it, privileges, comment, connection limit. As `pg_dump --create` has them.

use crate::base::Remedy;
use crate::base::ident::{quote_ident, quote_literal};
use crate::pg::{self, Session};

/// The target refused a property.
#[derive(Debug, thiserror::Error)]
#[error("setting properties of the database on the target: {statement}")]
pub struct PropertyError {
    /// What it refused.
    pub statement: String,
    /// Why.
    #[source]
    pub source: pg::Error,
}

impl PropertyError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        self.source.remedy()
    }
}

/// What a database is besides its contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// Settings.
    pub settings: Vec<Setting>,
    /// What was granted on it; none if nothing ever was.
    pub grants: Option<Vec<Grant>>,
    /// Its owner, whose privileges go without saying.
    pub owner: String,
    /// Its comment.
    pub comment: Option<String>,
    /// How many may be connected; -1 for as many as like.
    pub connection_limit: i32,
}

/// A setting, for everyone or for one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Whose; none for everyone's.
    pub role: Option<String>,
    /// `name=value`, as the catalog has it.
    pub entry: String,
}

/// A privilege on the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who has it; none for everyone.
    pub grantee: Option<String>,
    /// `CONNECT`, `CREATE` or `TEMPORARY`.
    pub privilege: String,
    /// Whether who has it may give it on.
    pub with_grant_option: bool,
}

/// Which properties are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Not with `--no-acl`.
    pub privileges: bool,
    /// Not with `--no-comments`.
    pub comment: bool,
}

impl Properties {
    /// The roles that must be there for those that are `wanted` to be set.
    pub fn roles(&self, wanted: Wanted) -> Vec<String> {
        let of_settings = self.settings.iter().filter_map(|one| one.role.clone());
        let grants = self.grants.iter().flatten().filter(|_| wanted.privileges);
        let grantees = grants.filter_map(|one| one.grantee.clone());
        let grantees = grantees.filter(|role| *role != self.owner);
        of_settings.chain(grantees).collect()
    }
}

/// Reads them of the database that `source` is connected to.
pub async fn read(source: &Session) -> Result<Properties, pg::Error> {
    let sql = "SELECT pg_get_userbyid(datdba)::text, datconnlimit, datacl IS NOT NULL,
                      shobj_description(oid, 'pg_database')
                 FROM pg_database WHERE datname = current_database()";
    let row = source.query_one(sql, &[]).await?;
    let sql = "SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole)::text END,
                      unnest(s.setconfig)
                 FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                WHERE d.datname = current_database() ORDER BY s.setrole";
    let settings = source.query(sql, &[]).await?;
    let sql = "SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee)::text END,
                      a.privilege_type, a.is_grantable
                 FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = current_database()";
    let grants = source.query(sql, &[]).await?;
    let setting = |row: &tokio_postgres::Row| Setting {
        role: row.get(0),
        entry: row.get(1),
    };
    let grant = |row: &tokio_postgres::Row| Grant {
        grantee: row.get(0),
        privilege: row.get(1),
        with_grant_option: row.get(2),
    };
    Ok(Properties {
        settings: settings.iter().map(setting).collect(),
        grants: row
            .get::<_, bool>(2)
            .then(|| grants.iter().map(grant).collect()),
        owner: row.get(0),
        comment: row.get(3),
        connection_limit: row.get(1),
    })
}

/// Gives them to the database that `target` is connected to. What the role may not do, and
/// parameters that the target does not know, are left out: the statements and why.
pub async fn set(
    target: &Session,
    properties: &Properties,
    wanted: Wanted,
) -> Result<Vec<(String, pg::Error)>, PropertyError> {
    let dbname = target
        .query_one("SELECT current_database()::text", &[])
        .await;
    let dbname: String = match dbname {
        Ok(row) => row.get(0),
        Err(source) => {
            return Err(PropertyError {
                statement: "asking for its name".to_owned(),
                source,
            });
        }
    };
    let mut left_out = Vec::new();
    for statement in statements(properties, wanted, &dbname) {
        match target.batch(&statement).await {
            Ok(()) => {}
            Err(error) if may_be_left_out(&error) => left_out.push((statement, error)),
            Err(source) => return Err(PropertyError { statement, source }),
        }
    }
    Ok(left_out)
}

fn may_be_left_out(error: &pg::Error) -> bool {
    match error {
        pg::Error::Server(error) if error.sqlstate == "42501" => true,
        pg::Error::Server(error) => {
            error.sqlstate == "42704" && error.message.contains("configuration parameter")
        }
        _ => false,
    }
}

/// The statements that give the database `dbname` these properties; each may be run again.
fn statements(properties: &Properties, wanted: Wanted, dbname: &str) -> Vec<String> {
    let database = quote_ident(dbname);
    let mut statements: Vec<String> = properties
        .settings
        .iter()
        .filter_map(|setting| setting_sql(setting, &database))
        .collect();
    if properties.connection_limit != -1 {
        statements.push(format!(
            "ALTER DATABASE {database} CONNECTION LIMIT {}",
            properties.connection_limit
        ));
    }
    if let (true, Some(comment)) = (wanted.comment, &properties.comment) {
        statements.push(format!(
            "COMMENT ON DATABASE {database} IS {}",
            quote_literal(comment)
        ));
    }
    if let (true, Some(grants)) = (wanted.privileges, &properties.grants) {
        // By default everyone may connect and make temporary tables.
        statements.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
        let of_others = grants
            .iter()
            .filter(|grant| grant.grantee.as_deref() != Some(&properties.owner));
        statements.extend(of_others.map(|grant| grant_sql(grant, &database)));
    }
    statements
}

fn grant_sql(grant: &Grant, database: &str) -> String {
    let grantee = match &grant.grantee {
        None => "PUBLIC".to_owned(),
        Some(role) => quote_ident(role),
    };
    let option = match grant.with_grant_option {
        true => " WITH GRANT OPTION",
        false => "",
    };
    let privilege = &grant.privilege;
    format!("GRANT {privilege} ON DATABASE {database} TO {grantee}{option}")
}

fn setting_sql(setting: &Setting, database: &str) -> Option<String> {
    let (name, value) = setting.entry.split_once('=')?;
    let of = match &setting.role {
        None => format!("DATABASE {database}"),
        Some(role) => format!("ROLE {} IN DATABASE {database}", quote_ident(role)),
    };
    let value = match LISTS_OF_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
        true => {
            let names: Vec<_> = names(value)
                .iter()
                .map(|name| quote_literal(name))
                .collect();
            names.join(", ")
        }
        false => quote_literal(value),
    };
    Some(format!("ALTER {of} SET {} TO {value}", quote_ident(name)))
}

/// Parameters whose value is a list of quoted names (`GUC_LIST_QUOTE` in
/// `src/backend/utils/misc/guc_tables.c`): in one literal it would be one name.
const LISTS_OF_NAMES: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// The names in a list, as `SplitGUCList` of PostgreSQL takes it apart. An empty list is one empty
/// name: SET has no other way to say it.
fn names(list: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        let last = names.len() - 1;
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                names[last].push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => names.push(String::new()),
            space if !is_quoted && space.is_ascii_whitespace() => {}
            other => names[last].push(other),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Wanted = Wanted {
        privileges: true,
        comment: true,
    };

    fn properties() -> Properties {
        let setting = |role: Option<&str>, entry: &str| Setting {
            role: role.map(str::to_owned),
            entry: entry.to_owned(),
        };
        let grant = |grantee: Option<&str>, privilege: &str| Grant {
            grantee: grantee.map(str::to_owned),
            privilege: privilege.to_owned(),
            with_grant_option: false,
        };
        Properties {
            settings: vec![
                setting(None, "search_path=\"$user\", \"a,\"\"b\", public"),
                setting(None, "search_path="),
                setting(Some("O'x"), "app.note=it's=\\"),
            ],
            grants: Some(vec![
                grant(Some("ann"), "CREATE"),
                grant(Some("bob"), "CONNECT"),
                grant(None, "TEMPORARY"),
            ]),
            owner: "ann".into(),
            comment: Some("c".into()),
            connection_limit: 7,
        }
    }

    #[test]
    fn each_property_is_a_statement_with_what_it_holds_quoted() {
        assert_eq!(
            statements(&properties(), ALL, "d\"b"),
            [
                r#"ALTER DATABASE "d""b" SET "search_path" TO '$user', 'a,"b', 'public'"#,
                r#"ALTER DATABASE "d""b" SET "search_path" TO ''"#,
                r#"ALTER ROLE "O'x" IN DATABASE "d""b" SET "app.note" TO  E'it''s=\\'"#,
                r#"ALTER DATABASE "d""b" CONNECTION LIMIT 7"#,
                r#"COMMENT ON DATABASE "d""b" IS 'c'"#,
                r#"REVOKE ALL ON DATABASE "d""b" FROM PUBLIC"#,
                r#"GRANT CONNECT ON DATABASE "d""b" TO "bob""#,
                r#"GRANT TEMPORARY ON DATABASE "d""b" TO PUBLIC"#,
            ]
        );
    }

    #[test]
    fn a_database_with_defaults_alone_needs_nothing() {
        let plain = Properties {
            connection_limit: -1,
            ..Properties::default()
        };
        assert!(statements(&plain, ALL, "db").is_empty());
        let none = Wanted {
            privileges: false,
            comment: false,
        };
        assert_eq!(statements(&properties(), none, "db").len(), 4);
    }
}
