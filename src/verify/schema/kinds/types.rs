//! Types, domains, collations, conversions.

use super::{OURS, Query, Versions, comment, not_of_extension, objects, owner, privileges};

pub(super) fn queries(versions: Versions) -> Vec<Query> {
    let query = |kind, sql| Query { kind, sql };
    vec![
        query("types", types(versions)),
        query("collations", collations()),
        query("conversions", conversions()),
    ]
}

fn types(versions: Versions) -> String {
    let multirange = versions.if_both_know(
        14,
        "(SELECT 'MULTIRANGE_TYPE_NAME ' || (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype FROM pg_range r WHERE r.rngtypid = t.oid)",
        "NULL",
    );
    objects(
        ("pg_type", "t.oid", "0::oid"),
        &[
            "CASE t.typtype WHEN 'e' THEN 'AS ENUM (' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                                           FROM pg_enum e WHERE e.enumtypid = t.oid) || ')' END".into(),
            "CASE t.typtype WHEN 'c' THEN 'AS (' || (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                       CASE WHEN a.attcollation <> b.typcollation THEN 'COLLATE ' || (SELECT quote_ident(l.collname) FROM pg_collation l WHERE l.oid = a.attcollation) END),
                       ', ' ORDER BY a.attnum)
                  FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
                 WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) || ')' END".into(),
            "CASE t.typtype WHEN 'd' THEN concat_ws(' ', 'AS', format_type(t.typbasetype, t.typtypmod),
                   CASE WHEN t.typcollation <> b.typcollation THEN 'COLLATE ' || (SELECT quote_ident(l.collname) FROM pg_collation l WHERE l.oid = t.typcollation) END,
                   'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END) END".into(),
            "(SELECT concat_ws(' ', 'AS RANGE SUBTYPE', r.rngsubtype::regtype,
                     'SUBTYPE_OPCLASS', (SELECT quote_ident(o.opcname) FROM pg_opclass o WHERE o.oid = r.rngsubopc),
                     'COLLATION ' || (SELECT quote_ident(l.collname) FROM pg_collation l WHERE l.oid = r.rngcollation),
                     'CANONICAL', r.rngcanonical, 'SUBTYPE_DIFF', r.rngsubdiff)
                FROM pg_range r WHERE r.rngtypid = t.oid)".into(),
            multirange.into(),
            "CASE WHEN t.typtype = 'b' AND t.typisdefined THEN
                  format('INPUT %s OUTPUT %s RECEIVE %s SEND %s TYPMOD_IN %s TYPMOD_OUT %s ANALYZE %s LENGTH %s%s ALIGNMENT %s STORAGE %s
                          CATEGORY %L PREFERRED %s DEFAULT %L ELEMENT %s DELIMITER %L COLLATABLE %s',
                         t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typlen,
                         CASE WHEN t.typbyval THEN ' PASSEDBYVALUE' ELSE '' END, t.typalign, t.typstorage, t.typcategory,
                         t.typispreferred, t.typdefault, nullif(t.typelem, 0)::regtype, t.typdelim, t.typcollation <> 0) END".into(),
            "CASE WHEN NOT t.typisdefined THEN 'a shell' END".into(),
            owner("t.typowner"),
            comment("pg_type", "t.oid"),
            "(SELECT 'COMMENT IS ' || quote_literal(obj_description(t.typrelid, 'pg_class')) WHERE t.typtype = 'c')".into(),
        ],
        &[
            privileges(versions, "'T'", "t.typacl", "t.typowner"),
            "ARRAY(SELECT format('COMMENT ON COLUMN %I IS %L', a.attname, col_description(t.typrelid, a.attnum))
                     FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                      AND col_description(t.typrelid, a.attnum) IS NOT NULL ORDER BY a.attnum)".into(),
        ],
        // Rows of tables, arrays and multiranges are made with what they are of.
        &format!(
            "pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype
              WHERE {OURS} AND t.typtype <> 'm' AND {}
                AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
                AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)",
            not_of_extension("pg_type", "t.oid")
        ),
    )
}

fn collations() -> String {
    // The name of the locale has had several columns.
    let locale = "concat_ws(', ', 'PROVIDER ' || l.collprovider::text, 'LC_COLLATE ' || nullif(l.collcollate, ''), 'LC_CTYPE ' || nullif(l.collctype, ''),
                  'LOCALE ' || coalesce(to_jsonb(l) ->> 'colliculocale', to_jsonb(l) ->> 'colllocale'),
                  'RULES ' || quote_literal(to_jsonb(l) ->> 'collicurules'),
                  CASE WHEN to_jsonb(l) ->> 'collisdeterministic' = 'false' THEN 'NOT DETERMINISTIC' END)";
    objects(
        ("pg_collation", "l.oid", "0::oid"),
        &[
            locale.into(),
            owner("l.collowner"),
            comment("pg_collation", "l.oid"),
        ],
        &[],
        &format!(
            "pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE {OURS} AND {}",
            not_of_extension("pg_collation", "l.oid")
        ),
    )
}

fn conversions() -> String {
    objects(
        ("pg_conversion", "v.oid", "0::oid"),
        &[
            "format('FOR %L TO %L FROM %s%s', pg_encoding_to_char(v.conforencoding), pg_encoding_to_char(v.contoencoding), v.conproc,
                    CASE WHEN v.condefault THEN ' DEFAULT' ELSE '' END)".into(),
            owner("v.conowner"),
            comment("pg_conversion", "v.oid"),
        ],
        &[],
        &format!(
            "pg_conversion v JOIN pg_namespace n ON n.oid = v.connamespace WHERE {OURS} AND {}",
            not_of_extension("pg_conversion", "v.oid")
        ),
    )
}
