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
fn privileges(versions: Versions, kind: &str, acl: &str, owner: &str, on: &str) -> String {
    // MAINTAIN came with 17.
    let known = match versions.both_know(17) {
        true => "true",
        false => "a.privilege_type <> 'MAINTAIN'",
    };
    let listed = |acl: &str| {
        format!(
            "SELECT format('GRANT %s{on} TO %s%s', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                           CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN {owner} THEN 'its owner'
                                          ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                           CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
               FROM aclexplode({acl}) a WHERE {known} GROUP BY a.grantee, a.is_grantable"
        )
    };
    let (default, found) = (format!("acldefault({kind}, {owner})"), acl);
    format!(
        "CASE WHEN {found} IS NOT NULL THEN
           ARRAY({} EXCEPT {} ORDER BY 1)
           || ARRAY(SELECT 'REVOKE' || substr(replace(gone, ' TO ', ' FROM '), 6)
                      FROM ({} EXCEPT {} ORDER BY 1) AS lost (gone)) ELSE '{{}}' END",
        listed(found),
        listed(&default),
        listed(&default),
        listed(found)
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
        let sql = privileges(versions, "'r'", "c.relacl", "c.relowner", "");
        assert!(sql.contains("<> 'MAINTAIN'"));
        let both = Versions { own: 18, other: 17 };
        let sql = privileges(both, "'r'", "c.relacl", "c.relowner", "");
        assert!(!sql.contains("MAINTAIN"));
    }
}
