//! Text search: parsers, templates, dictionaries, configurations.

use super::{OURS, Query, Versions, comment, not_of_extension, objects, owner};

pub(super) fn queries(_: Versions) -> Vec<Query> {
    let query = |kind, sql| Query { kind, sql };
    vec![
        query(
            "text search parsers",
            of(
                ("pg_ts_parser", "prs"),
                &["format('START %s GETTOKEN %s END %s LEXTYPES %s HEADLINE %s', s.prsstart, s.prstoken, s.prsend, s.prslextype, s.prsheadline)".into()],
                &[],
            ),
        ),
        query(
            "text search templates",
            of(
                ("pg_ts_template", "tmpl"),
                &["format('INIT %s LEXIZE %s', s.tmplinit, s.tmpllexize)".into()],
                &[],
            ),
        ),
        query(
            "text search dictionaries",
            of(
                ("pg_ts_dict", "dict"),
                &[
                    "(SELECT format('TEMPLATE %I %s', t.tmplname, s.dictinitoption) FROM pg_ts_template t WHERE t.oid = s.dicttemplate)".into(),
                    owner("s.dictowner"),
                ],
                &[],
            ),
        ),
        query(
            "text search configurations",
            of(
                ("pg_ts_config", "cfg"),
                &[
                    "(SELECT format('PARSER %I', p.prsname) FROM pg_ts_parser p WHERE p.oid = s.cfgparser)".into(),
                    owner("s.cfgowner"),
                ],
                &["ARRAY(SELECT format('MAPPING FOR %s WITH %s',
                                       (SELECT t.alias FROM ts_token_type(s.cfgparser) t WHERE t.tokid = m.maptokentype),
                                       string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno))
                           FROM pg_ts_config_map m WHERE m.mapcfg = s.oid GROUP BY m.maptokentype ORDER BY 1)".into()],
            ),
        ),
    ]
}

/// Objects of a catalog whose columns begin with `prefix`.
fn of((class, prefix): (&str, &str), lines: &[String], arrays: &[String]) -> String {
    let comment = comment(class, "s.oid");
    objects(
        (class, "s.oid", "0::oid"),
        &[lines, &[comment]].concat(),
        arrays,
        &format!(
            "{class} s JOIN pg_namespace n ON n.oid = s.{prefix}namespace WHERE {OURS} AND {}",
            not_of_extension(class, "s.oid")
        ),
    )
}
