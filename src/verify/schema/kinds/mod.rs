//! For each kind of object, the query that writes the lines of its definition.
//!
//! A query gives, for each object, its catalog, its OID there, the OID of the relation that it is part of
//! (0 for none), and its lines. What extensions have made is the extension's; system schemas and the
//! schema `pgflit` are nobody's.

mod others;
mod relations;
mod routines;
mod text_search;
mod types;

/// What both servers know: the older of the two decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Of the server that is asked.
    pub own: u32,
    /// Of the other one.
    pub other: u32,
}

impl Versions {
    /// Whether both know what came with `major`.
    pub fn both_know(self, major: u32) -> bool {
        self.own.min(self.other) >= major
    }

    /// Whether one of them is older than `major` and the other is not.
    pub fn straddle(self, major: u32) -> bool {
        (self.own < major) != (self.other < major)
    }

    /// SQL: an expression for servers from `major` on, and another for those before.
    fn since(self, major: u32, then: &'static str, before: &'static str) -> &'static str {
        if self.own >= major { then } else { before }
    }

    /// SQL: the same for what counts only if both know it.
    fn if_both_know(self, major: u32, then: &'static str, otherwise: &'static str) -> &'static str {
        if self.both_know(major) {
            then
        } else {
            otherwise
        }
    }
}

/// What one query asks for.
pub(super) struct Query {
    /// The kind, for errors.
    pub(super) kind: &'static str,
    /// The text.
    pub(super) sql: String,
}

/// Namespaces whose objects are compared.
const OURS: &str = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgflit')";

/// SQL: that the object `oid` of `class` is no extension's.
fn not_of_extension(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '{class}'::regclass
                        AND x.objid = {oid} AND x.deptype = 'e')"
    )
}

/// SQL: the owner's line.
fn owner(role: &str) -> String {
    format!("'OWNER TO ' || quote_ident(pg_get_userbyid({role}))")
}

/// SQL: the comment's line; null without one.
fn comment(class: &str, oid: &str) -> String {
    format!("'COMMENT IS ' || quote_literal(obj_description({oid}, '{class}'))")
}

/// SQL: an array of the lines of an access list. What an owner may by default is not among them, and who
/// has granted it is not told.
fn privileges(versions: Versions, kind: &str, acl: &str, owner: &str) -> String {
    // MAINTAIN came with 17.
    let known = match versions.both_know(17) {
        true => "true",
        false => "a.privilege_type <> 'MAINTAIN'",
    };
    let default = format!("acldefault({kind}, {owner})");
    // What one list has and the other has not, a line for each who has it.
    let only = |(word, preposition), these: &str, those: &str| {
        format!(
            "ARRAY(SELECT format('{word} %s {preposition} %s%s', string_agg(o.privilege_type, ', ' ORDER BY o.privilege_type),
                           CASE o.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN 'its owner'
                                          ELSE quote_ident(pg_get_userbyid(o.grantee)) END,
                           CASE WHEN o.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                     FROM (SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode({these}) a WHERE {known}
                           EXCEPT
                           SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode({those}) a) AS o
                    GROUP BY o.grantee, o.is_grantable ORDER BY 1)"
        )
    };
    format!(
        "CASE WHEN {acl} IS NOT NULL THEN {} || {} ELSE '{{}}' END",
        only(("REVOKE", "FROM"), &default, acl),
        only(("GRANT", "TO"), acl, &default)
    )
}

/// SQL: that the line is told only of objects of which `condition` is true.
fn only_if(condition: &str, line: &str) -> String {
    format!("CASE WHEN {condition} THEN {line} END")
}

/// SQL: one select of the form that [`super::read`] takes.
fn objects(
    (class, oid, relation): (&str, &str, &str),
    lines: &[String],
    arrays: &[String],
    from: &str,
) -> String {
    let arrays: String = arrays.iter().map(|array| format!(" || {array}")).collect();
    format!(
        "SELECT '{class}'::regclass::oid, {oid}, {relation},
                array_remove(ARRAY[{}]::text[], NULL){arrays}
           FROM {from}",
        lines.join(", ")
    )
}

/// All of them.
pub(super) fn queries(versions: Versions) -> Vec<Query> {
    let mut queries = Vec::new();
    queries.extend(relations::queries(versions));
    queries.extend(routines::queries(versions));
    queries.extend(types::queries(versions));
    queries.extend(text_search::queries(versions));
    queries.extend(others::queries(versions));
    queries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_of_them_does_not_know_is_not_asked_for() {
        let versions = Versions { own: 18, other: 15 };
        assert!(versions.straddle(16) && !versions.straddle(15));
        assert!(versions.both_know(15) && !versions.both_know(17));
        let sql = privileges(versions, "'r'", "c.relacl", "c.relowner");
        assert!(sql.contains("<> 'MAINTAIN'"));
        let both = Versions { own: 18, other: 17 };
        let sql = privileges(both, "'r'", "c.relacl", "c.relowner");
        assert!(!sql.contains("MAINTAIN"));
    }
}
