//! What a dump carries besides rows, as queries whose answers can be compared.

use super::OURS;

/// The kind of constraints that has a row of its own only from 18 on; columns tell of it in every
/// version.
pub(super) const NOT_NULL: &str = "not null";

/// Privileges in an order of their own, the default ones written out: a dump writes some of them
/// out that the source has by default. Without MAINTAIN (`m`), which versions before 17 lack.
fn privileges(kind: &str, acl: &str, owner: &str) -> String {
    format!(
        r"ARRAY(SELECT regexp_replace(item::text, '(=[[:alpha:]*]*)m\*?([[:alpha:]*]*/)', '\1\2')
                 FROM unnest(coalesce({acl}, acldefault({kind}, {owner}))) item ORDER BY 1)"
    )
}

/// What a dump carries besides rows: for each kind, a query whose rows must be the same.
pub(super) fn definitions() -> Vec<(&'static str, String)> {
    let of_relations = |columns: &str, more: &str| {
        format!(
            "SELECT n.nspname, c.relname, {columns}
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace {more} AND {OURS}"
        )
    };
    vec![
        (
            "schemas",
            format!(
                "SELECT n.nspname, n.nspowner::regrole, {} FROM pg_namespace n WHERE {OURS}",
                privileges("'n'", "n.nspacl", "n.nspowner")
            ),
        ),
        (
            "relations",
            of_relations(
                &format!(
                    "c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity, c.reloptions,
                     c.relowner::regrole, {}, pg_get_partkeydef(c.oid),
                     pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class')",
                    privileges(
                        "CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END",
                        "c.relacl",
                        "c.relowner"
                    )
                ),
                "WHERE c.relkind <> 't' AND c.relpersistence <> 't'",
            ),
        ),
        (
            "columns",
            of_relations(
                "a.attname, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                 format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 a.attgenerated, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum),
                 (SELECT l.collname FROM pg_collation l WHERE l.oid = a.attcollation)",
                "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND c.relpersistence <> 't'",
            ),
        ),
        (
            "indexes",
            of_relations(
                "pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary, i.indisreplident,
                 i.indisclustered",
                "JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relkind IN ('i', 'I')",
            ),
        ),
        (
            "constraints",
            format!(
                "SELECT n.nspname, k.conrelid::regclass, k.contypid::regtype, k.conname,
                        k.contype, k.convalidated, pg_get_constraintdef(k.oid)
                   FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND {OURS}
                  WHERE k.contype <> 'n'"
            ),
        ),
        (
            NOT_NULL,
            format!(
                "SELECT n.nspname, k.conrelid::regclass, k.contypid::regtype, k.conname,
                        k.convalidated, pg_get_constraintdef(k.oid)
                   FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace AND {OURS}
                  WHERE k.contype = 'n'"
            ),
        ),
        (
            "views",
            of_relations("pg_get_viewdef(c.oid)", "WHERE c.relkind IN ('v', 'm')"),
        ),
        (
            "triggers",
            of_relations(
                "pg_get_triggerdef(t.oid), t.tgenabled",
                "JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal",
            ),
        ),
        (
            "policies",
            of_relations(
                "p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
                 pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)",
                "JOIN pg_policy p ON p.polrelid = c.oid WHERE true",
            ),
        ),
        (
            "rules",
            of_relations(
                "pg_get_ruledef(w.oid), w.ev_enabled",
                "JOIN pg_rewrite w ON w.ev_class = c.oid WHERE w.rulename <> '_RETURN'",
            ),
        ),
        (
            "functions",
            format!(
                "SELECT n.nspname, p.oid::regprocedure, p.proowner::regrole, {},
                        CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END
                   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {OURS}",
                privileges("'f'", "p.proacl", "p.proowner")
            ),
        ),
        (
            "types",
            format!(
                "SELECT n.nspname, t.typname, t.typtype, t.typnotnull, t.typdefault,
                        ARRAY(SELECT e.enumlabel FROM pg_enum e
                               WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
                   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {OURS}
                  -- Before 14, a sequence had a type too.
                  WHERE NOT EXISTS (SELECT FROM pg_class c
                                     WHERE c.oid = t.typrelid AND c.relkind = 'S')"
            ),
        ),
        (
            "sequences",
            "SELECT schemaname, sequencename, data_type, start_value, min_value, max_value,
                    increment_by, cycle, cache_size
               FROM pg_sequences WHERE schemaname <> 'pgflit'"
                .to_owned(),
        ),
        (
            "extensions",
            "SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension".to_owned(),
        ),
        (
            "large objects",
            format!(
                "SELECT oid, lomowner::regrole, md5(lo_get(oid)), {},
                        obj_description(oid, 'pg_largeobject')
                   FROM pg_largeobject_metadata",
                privileges("'L'", "lomacl", "lomowner")
            ),
        ),
    ]
}
