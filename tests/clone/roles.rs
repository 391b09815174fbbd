//! Roles: made before what they own, kept where they are there.

use crate::support::{Pair, assert_equal, pgflit};

const ROLES: &str = r#"
    CREATE ROLE "Ann's ;""role" LOGIN PASSWORD 'sekret' CONNECTION LIMIT 3 VALID UNTIL '2040-01-01';
    COMMENT ON ROLE "Ann's ;""role" IS E'a\\b''; \nc';
    CREATE ROLE readers NOINHERIT CREATEDB;
    CREATE ROLE boss SUPERUSER REPLICATION BYPASSRLS;
    GRANT readers TO "Ann's ;""role" WITH ADMIN OPTION;
    GRANT pg_monitor TO readers;
    ALTER ROLE readers SET search_path TO 'a b', public;
    CREATE ROLE there LOGIN PASSWORD 'of the source' CREATEDB;
    GRANT there TO readers;
    CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO "Ann's ;""role";
    GRANT SELECT ON t TO readers"#;

/// All that a role is, but for `there`.
const ALL: &str = "SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb,
            r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil,
            a.rolpassword, r.rolconfig, shobj_description(r.oid, 'pg_authid'),
            ARRAY(SELECT m.roleid::regrole || ' ' || m.admin_option FROM pg_auth_members m
                   WHERE m.member = r.oid ORDER BY 1)
       FROM pg_roles r JOIN pg_authid a ON a.oid = r.oid
      WHERE r.rolname <> 'there' AND r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE \"C\"";

#[test]
fn roles_are_made_first_and_those_that_are_there_are_kept() {
    let pair = Pair::new();
    pair.source.sql(ROLES);
    pair.target
        .sql("CREATE ROLE there NOLOGIN PASSWORD 'of the target'");
    let before = "SELECT r::text FROM pg_authid r WHERE rolname = 'there'";
    let kept = pair.target.sql(before);
    let run = pgflit("clone --roles").between(&pair).run().assert_code(0);
    run.assert_stderr("kept as they are on the target: roles postgres, there");
    assert_eq!(pair.source.sql(ALL), pair.target.sql(ALL));
    assert_eq!(pair.target.sql(before), kept);
    assert_equal(&pair.source, &pair.target);
    let file = std::fs::read_to_string(pair.dir().join("schema/roles.sql")).expect("the file");
    assert!(file.contains("CREATE ROLE readers"), "{file}");
    assert!(
        !file.contains("SCRAM") && !file.contains("'md5"),
        "a password is on disk:\n{file}"
    );
}

#[test]
fn roles_are_made_without_passwords_when_asked() {
    let pair = Pair::new();
    pair.source.sql(ROLES);
    let run = pgflit("clone --roles --no-role-passwords").between(&pair);
    run.run().assert_code(0);
    let passwords = "SELECT count(rolpassword) FROM pg_authid WHERE rolname <> 'postgres'";
    assert_eq!(pair.target.number(passwords), 0);
}

#[test]
fn who_is_no_superuser_makes_what_it_may_and_tells_the_rest() {
    let pair = Pair::new();
    pair.source.sql(ROLES);
    for side in [&pair.source, &pair.target] {
        side.sql(
            "CREATE ROLE carol LOGIN CREATEROLE; ALTER DATABASE app OWNER TO carol;
             ALTER SCHEMA public OWNER TO carol",
        );
    }
    pair.source
        .sql("DROP TABLE t; GRANT SELECT ON ALL TABLES IN SCHEMA public TO carol");
    let as_carol = |uri: &str| uri.replacen("postgres@", "carol@", 1);
    let clone = |options: &str| {
        pgflit(options)
            .dir(pair.dir())
            .arg("--source")
            .arg(as_carol(pair.source.uri()))
            .arg("--target")
            .arg(as_carol(pair.target.uri()))
            .run()
    };
    let refused = clone("clone --roles").assert_code(6);
    refused
        .assert_stderr("may not read the passwords")
        .assert_stderr("--no-role-passwords");
    let done = clone("clone --roles --no-role-passwords").assert_code(0);
    done.assert_stderr("ALTER ROLE \"boss\" WITH SUPERUSER");
    let made = "SELECT count(*) FROM pg_roles
                 WHERE rolname IN ('Ann''s ;\"role', 'readers', 'boss', 'there')
                   AND NOT rolsuper";
    assert_eq!(pair.target.number(made), 4);
    let member = "SELECT pg_has_role('Ann''s ;\"role', 'readers', 'member')";
    assert_eq!(pair.target.sql(member), "t");
}

#[test]
fn a_statement_that_is_refused_is_told_and_nothing_is_made() {
    let pair = Pair::new();
    // A setting that no target knows, as one of another extension's or version.
    pair.source.sql(
        "CREATE ROLE a; CREATE ROLE b;
         INSERT INTO pg_db_role_setting SELECT 0, oid, '{no_such_setting=1}'
           FROM pg_roles WHERE rolname = 'b'",
    );
    let run = pgflit("clone --roles").between(&pair).run().assert_code(7);
    run.assert_stderr("no_such_setting")
        .assert_stderr("create that role on the target by hand");
    let made = "SELECT count(*) FROM pg_roles WHERE rolname IN ('a', 'b')";
    assert_eq!(pair.target.number(made), 0);
    pair.target.sql("CREATE ROLE b");
    pgflit("clone --roles --resume --not-consistent")
        .between(&pair)
        .run()
        .assert_code(0);
    assert_eq!(pair.target.number(made), 2);
}
