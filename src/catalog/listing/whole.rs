//! The whole catalog of a database, one query a kind of object; the source itself writes the JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalog::discovery::USERS_OWN;
use crate::catalog::filters::Selection;
use crate::pg::{Error, Session};

/// Every kind of object by its name.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Catalog {
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Kind {
    Objects(Vec<Box<RawValue>>),
    Count(i64),
}

/// Reads all of it but what `selection` leaves out.
pub async fn whole(source: &Session, selection: &Selection) -> Result<Catalog, Error> {
    let mut kinds = BTreeMap::new();
    for (kind, sql) in queries(source.server_version().major()) {
        let mut objects = Vec::new();
        for row in source.query(&sql, &[]).await? {
            if selection.leaves_out(row.get(0), row.get(1)) {
                continue;
            }
            let json = RawValue::from_string(row.get(2));
            objects.push(json.map_err(|error| {
                Error::Protocol(format!("the source wrote {kind} as bad JSON: {error}"))
            })?);
        }
        kinds.insert(kind, Kind::Objects(objects));
    }
    let sql = "SELECT count(*) FROM pg_largeobject_metadata";
    let count = source.query_one(sql, &[]).await?.get(0);
    kinds.insert("large_object_count", Kind::Count(count));
    Ok(Catalog { kinds })
}

const USERS_SCHEMA: &str =
    "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgflit')";

/// Each query gives the catalog of an object, its OID there, and it as JSON.
fn queries(major: u32) -> Vec<(&'static str, String)> {
    let mut queries = vec![
        ("databases", databases()),
        ("schemas", schemas()),
        ("tables", tables(major)),
        ("indexes", indexes()),
        ("constraints", constraints()),
        ("sequences", sequences()),
    ];
    let others = OTHERS.iter().map(|(kind, sql)| (*kind, (*sql).to_owned()));
    queries.extend(others);
    queries
}

fn databases() -> String {
    "SELECT 'pg_database'::regclass::oid, d.oid, json_build_object('oid', d.oid::bigint, 'name', d.datname,
            'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding),
            'collate', d.datcollate, 'ctype', d.datctype, 'connection_limit', d.datconnlimit,
            'is_current', d.datname = current_database(),
            'properties', (SELECT coalesce(json_agg(json_build_object(
                    'role', nullif(s.setrole, 0)::regrole::text, 'settings', s.setconfig)), '[]')
                             FROM pg_db_role_setting s WHERE s.setdatabase = d.oid))::text
       FROM pg_database d WHERE d.datallowconn AND NOT d.datistemplate ORDER BY d.datname"
        .to_owned()
}

fn schemas() -> String {
    format!(
        "SELECT 'pg_namespace'::regclass::oid, n.oid, json_build_object('oid', n.oid::bigint,
                'name', n.nspname, 'owner', pg_get_userbyid(n.nspowner))::text
           FROM pg_namespace n WHERE {USERS_SCHEMA} ORDER BY n.nspname"
    )
}

fn tables(major: u32) -> String {
    let generated = match major {
        12.. => "nullif(a.attgenerated::text, '')",
        _ => "NULL::text",
    };
    format!(
        "SELECT 'pg_class'::regclass::oid, c.oid, json_build_object('oid', c.oid::bigint,
                'schema', n.nspname, 'name', c.relname, 'owner', pg_get_userbyid(c.relowner),
                'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                                       WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
                                       ELSE 'materialized view' END,
                'unlogged', c.relpersistence = 'u', 'access_method', m.amname,
                'tablespace', t.spcname, 'options', c.reloptions,
                'replica_identity', c.relreplident::text, 'row_security', c.relrowsecurity,
                'estimated_rows', CASE WHEN c.reltuples > 0 OR c.relpages > 0
                                       THEN c.reltuples::bigint END,
                'bytes', CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) END,
                'partition_key', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
                'partition_bound', CASE WHEN c.relispartition
                                        THEN pg_get_expr(c.relpartbound, c.oid) END,
                'parents', (SELECT coalesce(json_agg(h.inhparent::regclass::text
                                                     ORDER BY h.inhseqno), '[]')
                              FROM pg_inherits h WHERE h.inhrelid = c.oid),
                'columns', (SELECT coalesce(json_agg(json_build_object(
                        'number', a.attnum, 'name', a.attname,
                        'type', CASE WHEN NOT a.attisdropped
                                     THEN format_type(a.atttypid, a.atttypmod) END,
                        'not_null', a.attnotnull, 'dropped', a.attisdropped,
                        'identity', nullif(a.attidentity::text, ''), 'generated', {generated},
                        'default', pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum), '[]')
                              FROM pg_attribute a
                              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid
                                                    AND d.adnum = a.attnum
                             WHERE a.attrelid = c.oid AND a.attnum > 0))::text
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_am m ON m.oid = c.relam
           LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
          WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v') AND c.relpersistence <> 't' AND {USERS_OWN}
          ORDER BY n.nspname, c.relname"
    )
}

fn indexes() -> String {
    format!(
        "SELECT 'pg_class'::regclass::oid, c.oid, json_build_object('oid', c.oid::bigint,
                'schema', n.nspname, 'name', c.relname, 'table', i.indrelid::regclass::text,
                'bytes', pg_relation_size(c.oid), 'valid', i.indisvalid,
                'unique', i.indisunique, 'primary', i.indisprimary,
                'definition', pg_get_indexdef(c.oid),
                'parent', (SELECT h.inhparent::regclass::text FROM pg_inherits h
                            WHERE h.inhrelid = c.oid))::text
           FROM pg_index i
           JOIN pg_class c ON c.oid = i.indexrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relpersistence <> 't' AND {USERS_OWN}
          ORDER BY n.nspname, c.relname"
    )
}

fn constraints() -> String {
    format!(
        "SELECT 'pg_constraint'::regclass::oid, k.oid, json_build_object('oid', k.oid::bigint,
                'name', k.conname, 'table', c.oid::regclass::text, 'type', k.contype::text,
                'index', nullif(k.conindid, 0)::regclass::text, 'validated', k.convalidated,
                'deferrable', k.condeferrable, 'deferred', k.condeferred,
                'definition', pg_get_constraintdef(k.oid))::text
           FROM pg_constraint k
           JOIN pg_class c ON c.oid = k.conrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE {USERS_OWN} ORDER BY n.nspname, c.relname, k.conname"
    )
}

fn sequences() -> String {
    format!(
        "SELECT 'pg_class'::regclass::oid, c.oid, json_build_object('oid', c.oid::bigint,
                'schema', n.nspname, 'name', c.relname, 'type', s.seqtypid::regtype::text,
                'start', s.seqstart, 'increment', s.seqincrement, 'min', s.seqmin,
                'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
                'owned_by', (SELECT json_build_object('table', d.refobjid::regclass::text,
                                    'column', a.attname, 'identity', d.deptype = 'i')
                               FROM pg_depend d
                               JOIN pg_attribute a ON a.attrelid = d.refobjid
                                                  AND a.attnum = d.refobjsubid
                              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                AND d.refclassid = 'pg_class'::regclass
                                AND d.deptype IN ('a', 'i')))::text
           FROM pg_sequence s
           JOIN pg_class c ON c.oid = s.seqrelid
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relpersistence <> 't' AND {USERS_OWN} ORDER BY n.nspname, c.relname"
    )
}

const OTHERS: [(&str, &str); 5] = [
    (
        "extensions",
        "SELECT 'pg_extension'::regclass::oid, e.oid, json_build_object('oid', e.oid::bigint,
                'name', e.extname, 'version', e.extversion, 'schema', n.nspname,
                'config', (SELECT coalesce(json_agg(json_build_object(
                        'table', k.relation::regclass::text, 'condition', k.condition)
                                                    ORDER BY k.place), '[]')
                             FROM unnest(e.extconfig, e.extcondition)
                                    WITH ORDINALITY AS k (relation, condition, place)))::text
           FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname",
    ),
    (
        "collations",
        "SELECT 'pg_collation'::regclass::oid, k.oid, json_build_object('oid', k.oid::bigint,
                'schema', n.nspname, 'name', k.collname, 'provider', k.collprovider::text,
                'version', k.collversion)::text
           FROM pg_collation k JOIN pg_namespace n ON n.oid = k.collnamespace
          WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          ORDER BY n.nspname, k.collname",
    ),
    (
        "roles",
        "SELECT 'pg_authid'::regclass::oid, r.oid, json_build_object('oid', r.oid::bigint,
                'name', r.rolname, 'superuser', r.rolsuper, 'inherit', r.rolinherit,
                'create_role', r.rolcreaterole, 'create_database', r.rolcreatedb,
                'login', r.rolcanlogin, 'replication', r.rolreplication,
                'bypass_row_security', r.rolbypassrls, 'connection_limit', r.rolconnlimit,
                'member_of', (SELECT coalesce(json_agg(DISTINCT m.roleid::regrole::text), '[]')
                                FROM pg_auth_members m WHERE m.member = r.oid))::text
           FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname",
    ),
    (
        "event_triggers",
        "SELECT 'pg_event_trigger'::regclass::oid, e.oid, json_build_object('oid', e.oid::bigint,
                'name', e.evtname, 'event', e.evtevent, 'enabled', e.evtenabled::text,
                'function', e.evtfoid::regprocedure::text, 'tags', e.evttags)::text
           FROM pg_event_trigger e ORDER BY e.evtname",
    ),
    (
        "publications",
        "SELECT 'pg_publication'::regclass::oid, p.oid, json_build_object('oid', p.oid::bigint,
                'name', p.pubname, 'all_tables', p.puballtables, 'insert', p.pubinsert,
                'update', p.pubupdate, 'delete', p.pubdelete, 'truncate', p.pubtruncate,
                'tables', (SELECT coalesce(json_agg(r.prrelid::regclass::text), '[]')
                             FROM pg_publication_rel r WHERE r.prpubid = p.oid))::text
           FROM pg_publication p ORDER BY p.pubname",
    ),
];
