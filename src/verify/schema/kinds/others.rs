//! What stands by itself: extensions, event triggers, publications, statistics, foreign servers, default
//! privileges, settings of the database.

use super::{OURS, Query, Versions, comment, not_of_extension, objects, owner, privileges};

pub(super) fn queries(versions: Versions) -> Vec<Query> {
    let query = |kind, sql| Query { kind, sql };
    vec![
        query("extensions", extensions(versions)),
        query("event triggers", event_triggers()),
        query("publications", publications(versions)),
        query("statistics", statistics()),
        query("foreign-data wrappers", foreign_data_wrappers(versions)),
        query("foreign servers", foreign_servers(versions)),
        query("user mappings", user_mappings()),
        query("default privileges", default_privileges(versions)),
        query("settings", settings()),
    ]
}

fn extensions(versions: Versions) -> String {
    // Another PostgreSQL brings another version of its own.
    let version = match versions.own == versions.other {
        true => "'VERSION ' || quote_literal(e.extversion)",
        false => "NULL",
    };
    objects(
        ("pg_extension", "e.oid", "0::oid"),
        &[
            version.into(),
            "'SCHEMA ' || e.extnamespace::regnamespace".into(),
            comment("pg_extension", "e.oid"),
        ],
        &[],
        "pg_extension e",
    )
}

fn event_triggers() -> String {
    objects(
        ("pg_event_trigger", "e.oid", "0::oid"),
        &[
            "format('ON %s EXECUTE FUNCTION %s', e.evtevent, e.evtfoid::regprocedure)".into(),
            "'WHEN TAG IN (' || nullif(array_to_string(ARRAY(SELECT quote_literal(t) FROM unnest(e.evttags) t ORDER BY 1), ', '), '') || ')'".into(),
            "CASE e.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' END".into(),
            owner("e.evtowner"),
            comment("pg_event_trigger", "e.oid"),
        ],
        &[],
        &format!("pg_event_trigger e WHERE {}", not_of_extension("pg_event_trigger", "e.oid")),
    )
}

fn publications(versions: Versions) -> String {
    let filters = versions.since(
        15,
        "coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                            WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')', '')
         || coalesce(' WHERE ' || pg_get_expr(r.prqual, r.prrelid), '')",
        "''",
    );
    let schemas = versions.since(
        15,
        "ARRAY(SELECT 'TABLES IN SCHEMA ' || s.pnnspid::regnamespace FROM pg_publication_namespace s
                WHERE s.pnpubid = p.oid ORDER BY 1)",
        "'{}'::text[]",
    );
    objects(
        ("pg_publication", "p.oid", "0::oid"),
        &[
            "CASE WHEN p.puballtables THEN 'FOR ALL TABLES' END".into(),
            "'PUBLISH ' || concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                                     CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END)".into(),
            "CASE WHEN to_jsonb(p) ->> 'pubviaroot' = 'true' THEN 'VIA ROOT' END".into(),
            owner("p.pubowner"),
            comment("pg_publication", "p.oid"),
        ],
        &[
            format!(
                "ARRAY(SELECT 'TABLE ' || r.prrelid::regclass || {filters} FROM pg_publication_rel r WHERE r.prpubid = p.oid ORDER BY 1)"
            ),
            schemas.into(),
        ],
        // Those that a migration makes for itself.
        r"pg_publication p WHERE p.pubname !~ '^(pgflit|pgcopydb)'",
    )
}

fn statistics() -> String {
    objects(
        ("pg_statistic_ext", "s.oid", "s.stxrelid"),
        &[
            "pg_get_statisticsobjdef(s.oid)".into(),
            "'STATISTICS ' || nullif(nullif(to_jsonb(s) ->> 'stxstattarget', '-1'), '')".into(),
            owner("s.stxowner"),
            comment("pg_statistic_ext", "s.oid"),
        ],
        &[],
        &format!(
            "pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE {OURS} AND {}",
            not_of_extension("pg_statistic_ext", "s.oid")
        ),
    )
}

fn foreign_data_wrappers(versions: Versions) -> String {
    objects(
        ("pg_foreign_data_wrapper", "f.oid", "0::oid"),
        &[
            "format('HANDLER %s VALIDATOR %s', nullif(f.fdwhandler, 0)::regproc, nullif(f.fdwvalidator, 0)::regproc)".into(),
            "'OPTIONS (' || nullif(array_to_string(ARRAY(SELECT unnest(f.fdwoptions) ORDER BY 1), ', '), '') || ')'".into(),
            owner("f.fdwowner"),
            comment("pg_foreign_data_wrapper", "f.oid"),
        ],
        &[privileges(
            versions,
            "'F'",
            "f.fdwacl",
            "f.fdwowner")],
        &format!(
            "pg_foreign_data_wrapper f WHERE {}",
            not_of_extension("pg_foreign_data_wrapper", "f.oid")
        ),
    )
}

fn foreign_servers(versions: Versions) -> String {
    objects(
        ("pg_foreign_server", "s.oid", "0::oid"),
        &[
            "(SELECT format('TYPE %L VERSION %L FOREIGN DATA WRAPPER %I', s.srvtype, s.srvversion, f.fdwname)
                FROM pg_foreign_data_wrapper f WHERE f.oid = s.srvfdw)".into(),
            "'OPTIONS (' || nullif(array_to_string(ARRAY(SELECT unnest(s.srvoptions) ORDER BY 1), ', '), '') || ')'".into(),
            owner("s.srvowner"),
            comment("pg_foreign_server", "s.oid"),
        ],
        &[privileges(
            versions,
            "'S'",
            "s.srvacl",
            "s.srvowner")],
        &format!(
            "pg_foreign_server s WHERE {}",
            not_of_extension("pg_foreign_server", "s.oid")
        ),
    )
}

/// Their options are seen by those alone who may use them, and hold passwords: not told.
fn user_mappings() -> String {
    objects(
        ("pg_user_mapping", "m.umid", "0::oid"),
        &[],
        &[],
        "pg_user_mappings m",
    )
}

fn default_privileges(versions: Versions) -> String {
    let default =
        "acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)";
    let known = versions.if_both_know(17, "true", "a.privilege_type <> 'MAINTAIN'");
    let listed = |acl: &str| {
        format!(
            "SELECT format('GRANT %s TO %s%s', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
               FROM aclexplode({acl}) a WHERE {known} GROUP BY a.grantee, a.is_grantable"
        )
    };
    // In a schema they are added to the others; without one they are all there is.
    objects(
        ("pg_default_acl", "d.oid", "0::oid"),
        &[],
        &[
            format!("ARRAY({} ORDER BY 1)", listed("d.defaclacl")),
            format!(
                "CASE WHEN d.defaclnamespace = 0 THEN ARRAY(SELECT 'REVOKE' || substr(replace(gone, ' TO ', ' FROM '), 6)
                    FROM ({} EXCEPT {} ORDER BY 1) AS lost (gone)) ELSE '{{}}' END",
                listed(default),
                listed("d.defaclacl")
            ),
        ],
        "pg_default_acl d",
    )
}

/// ALTER DATABASE … SET, and ALTER ROLE … IN DATABASE … SET.
fn settings() -> String {
    objects(
        ("pg_database", "d.oid", "0::oid"),
        &[],
        &[
            "ARRAY(SELECT concat('SET ', setting, CASE WHEN s.setrole <> 0 THEN ' FOR ROLE ' || quote_ident(pg_get_userbyid(s.setrole)) END)
                     FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS setting
                    WHERE s.setdatabase = d.oid ORDER BY 1)".into(),
        ],
        "pg_database d WHERE d.datname = current_database()",
    )
}
