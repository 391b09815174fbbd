//! Functions, procedures, aggregates, operators and their classes, casts, languages, access methods.

use super::{OURS, Query, Versions, comment, not_of_extension, objects, owner, privileges};

pub(super) fn queries(versions: Versions) -> Vec<Query> {
    let query = |kind, sql| Query { kind, sql };
    vec![
        query("functions", functions(versions)),
        query("operators", operators()),
        query("operator classes", operator_classes()),
        query("operator families", operator_families()),
        query("casts", casts()),
        query("languages", languages(versions)),
        query("access methods", access_methods()),
        query("transforms", transforms()),
    ]
}

/// What CREATE AGGREGATE says.
const AGGREGATE: &str = "
    (SELECT format('AGGREGATE %s ORDER BY %s KIND %s SFUNC %s STYPE %s SSPACE %s FINALFUNC %s %s %s COMBINEFUNC %s SERIALFUNC %s DESERIALFUNC %s
                    INITCOND %L MSFUNC %s MINVFUNC %s MSTYPE %s MSSPACE %s MFINALFUNC %s %s %s MINITCOND %L SORTOP %s PARALLEL %s',
                   pg_get_function_arguments(p.oid), g.aggnumdirectargs, g.aggkind, g.aggtransfn, g.aggtranstype::regtype,
                   g.aggtransspace, g.aggfinalfn, g.aggfinalextra, g.aggfinalmodify, g.aggcombinefn, g.aggserialfn,
                   g.aggdeserialfn, g.agginitval, g.aggmtransfn, g.aggminvtransfn, g.aggmtranstype::regtype,
                   g.aggmtransspace, g.aggmfinalfn, g.aggmfinalextra, g.aggmfinalmodify, g.aggminitval,
                   g.aggsortop::regoperator, p.proparallel)
       FROM pg_aggregate g WHERE g.aggfnoid = p.oid)";

fn functions(versions: Versions) -> String {
    objects(
        ("pg_proc", "p.oid", "0::oid"),
        &[
            "CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END".into(),
            format!("CASE WHEN p.prokind = 'a' THEN {AGGREGATE} END"),
            owner("p.proowner"),
            comment("pg_proc", "p.oid"),
        ],
        &[privileges(versions, "'f'", "p.proacl", "p.proowner")],
        &format!(
            "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND {}
               -- Those of a range are made with it.
               AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass
                                  AND i.objid = p.oid AND i.deptype = 'i')",
            not_of_extension("pg_proc", "p.oid")
        ),
    )
}

fn operators() -> String {
    objects(
        ("pg_operator", "o.oid", "0::oid"),
        &[
            "format('FUNCTION %s COMMUTATOR %s NEGATOR %s RESTRICT %s JOIN %s%s%s', o.oprcode, nullif(o.oprcom, 0)::regoperator,
                    nullif(o.oprnegate, 0)::regoperator, o.oprrest, o.oprjoin,
                    CASE WHEN o.oprcanhash THEN ' HASHES' ELSE '' END, CASE WHEN o.oprcanmerge THEN ' MERGES' ELSE '' END)".into(),
            owner("o.oprowner"),
            comment("pg_operator", "o.oid"),
        ],
        &[],
        &format!(
            "pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {OURS} AND {}",
            not_of_extension("pg_operator", "o.oid")
        ),
    )
}

/// SQL: the members of the family `family` that are part of the object that `reference` names.
fn members(family: &str, class: &str, oid: &str) -> String {
    format!(
        "ARRAY(SELECT format('OPERATOR %s %s FOR %s%s', e.amopstrategy, e.amopopr::regoperator, e.amopmethod,
                             (SELECT ' FOR ORDER BY ' || quote_ident(s.opfname) FROM pg_opfamily s WHERE s.oid = e.amopsortfamily))
                 FROM pg_amop e WHERE e.amopfamily = {family}
                  AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_amop'::regclass AND d.objid = e.oid
                                 AND d.refclassid = '{class}'::regclass AND d.refobjid = {oid}) ORDER BY 1)
         || ARRAY(SELECT format('FUNCTION %s (%s, %s) %s', e.amprocnum, e.amproclefttype::regtype, e.amprocrighttype::regtype, e.amproc)
                 FROM pg_amproc e WHERE e.amprocfamily = {family}
                  AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_amproc'::regclass AND d.objid = e.oid
                                 AND d.refclassid = '{class}'::regclass AND d.refobjid = {oid}) ORDER BY 1)"
    )
}

fn operator_classes() -> String {
    objects(
        ("pg_opclass", "o.oid", "0::oid"),
        &[
            "format('FOR TYPE %s%s STORAGE %s', o.opcintype::regtype, CASE WHEN o.opcdefault THEN ' DEFAULT' ELSE '' END, nullif(o.opckeytype, 0)::regtype)".into(),
            "(SELECT 'FAMILY ' || quote_ident(f.opfname) FROM pg_opfamily f WHERE f.oid = o.opcfamily)".into(),
            owner("o.opcowner"),
            comment("pg_opclass", "o.oid"),
        ],
        &[members("o.opcfamily", "pg_opclass", "o.oid")],
        &format!(
            "pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE {OURS} AND {}",
            not_of_extension("pg_opclass", "o.oid")
        ),
    )
}

fn operator_families() -> String {
    objects(
        ("pg_opfamily", "o.oid", "0::oid"),
        &[owner("o.opfowner"), comment("pg_opfamily", "o.oid")],
        &[members("o.oid", "pg_opfamily", "o.oid")],
        &format!(
            "pg_opfamily o JOIN pg_namespace n ON n.oid = o.opfnamespace WHERE {OURS} AND {}",
            not_of_extension("pg_opfamily", "o.oid")
        ),
    )
}

/// The first OID that users' objects have, which of what has no schema tells the system's.
const FIRST_OWN_OID: u32 = 16384;

fn casts() -> String {
    objects(
        ("pg_cast", "k.oid", "0::oid"),
        &[
            "format('%s AS %s', CASE k.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || k.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT'
                    ELSE 'WITHOUT FUNCTION' END, CASE k.castcontext WHEN 'i' THEN 'IMPLICIT' WHEN 'a' THEN 'ASSIGNMENT' ELSE 'EXPLICIT' END)".into(),
            comment("pg_cast", "k.oid"),
        ],
        &[],
        // That of a range to its multirange is made with it.
        &format!(
            "pg_cast k WHERE k.oid >= {FIRST_OWN_OID} AND {}
                AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_cast'::regclass
                                   AND i.objid = k.oid AND i.deptype = 'i')",
            not_of_extension("pg_cast", "k.oid")
        ),
    )
}

fn languages(versions: Versions) -> String {
    objects(
        ("pg_language", "l.oid", "0::oid"),
        &[
            "format('%sHANDLER %s INLINE %s VALIDATOR %s', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' ELSE '' END,
                    nullif(l.lanplcallfoid, 0)::regproc, nullif(l.laninline, 0)::regproc, nullif(l.lanvalidator, 0)::regproc)".into(),
            owner("l.lanowner"),
            comment("pg_language", "l.oid"),
        ],
        &[privileges(
            versions,
            "'l'",
            "l.lanacl",
            "l.lanowner")],
        &format!(
            "pg_language l WHERE l.oid >= {FIRST_OWN_OID} AND {}",
            not_of_extension("pg_language", "l.oid")
        ),
    )
}

fn access_methods() -> String {
    objects(
        ("pg_am", "m.oid", "0::oid"),
        &[
            "format('TYPE %s HANDLER %s', CASE m.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END, m.amhandler)".into(),
            comment("pg_am", "m.oid"),
        ],
        &[],
        &format!(
            "pg_am m WHERE m.oid >= {FIRST_OWN_OID} AND {}",
            not_of_extension("pg_am", "m.oid")
        ),
    )
}

fn transforms() -> String {
    objects(
        ("pg_transform", "t.oid", "0::oid"),
        &[
            "format('FROM SQL WITH %s TO SQL WITH %s', nullif(t.trffromsql, 0)::regprocedure, nullif(t.trftosql, 0)::regprocedure)".into(),
            comment("pg_transform", "t.oid"),
        ],
        &[],
        &format!("pg_transform t WHERE {}", not_of_extension("pg_transform", "t.oid")),
    )
}
