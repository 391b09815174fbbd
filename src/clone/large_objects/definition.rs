//! What belongs to a large object besides its bytes: owner, privileges, comment.

use std::fmt::Write;

use crate::base::ident::{quote_ident, quote_literal};

/// Which of it is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Not with `--no-owner`.
    pub owners: bool,
    /// Not with `--no-acl`.
    pub privileges: bool,
    /// Not with `--no-comments`.
    pub comments: bool,
}

/// One object of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its OID, which rows refer to it by.
    pub oid: u32,
    /// Its owner's name.
    pub owner: String,
    /// What was granted; none if nothing ever was, so that the owner alone has all.
    pub grants: Option<Vec<Grant>>,
    /// Its comment.
    pub comment: Option<String>,
}

/// One privilege that one role gave to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who gave it.
    pub grantor: String,
    /// Who has it; none for everyone.
    pub grantee: Option<String>,
    /// `SELECT` or `UPDATE`.
    pub privilege: String,
    /// Whether who has it may give it on.
    pub with_grant_option: bool,
}

/// The statements that make an object, just created by `creator`, what it is on the source. In a
/// transaction: roles are changed for its length only.
pub fn sql(object: &Object, restored: Restored, creator: &str) -> String {
    let mut sql = String::new();
    let oid = object.oid;
    let owner = match restored.owners {
        true => object.owner.as_str(),
        false => creator,
    };
    if owner != creator {
        let _ = writeln!(
            sql,
            "ALTER LARGE OBJECT {oid} OWNER TO {};",
            quote_ident(owner)
        );
    }
    if let (true, Some(grants)) = (restored.privileges, &object.grants) {
        let _ = writeln!(
            sql,
            "REVOKE ALL ON LARGE OBJECT {oid} FROM PUBLIC, {};",
            quote_ident(owner)
        );
        for grant in grants {
            write_grant(&mut sql, object, grant, owner);
        }
    }
    if let (true, Some(comment)) = (restored.comments, &object.comment) {
        let _ = writeln!(
            sql,
            "COMMENT ON LARGE OBJECT {oid} IS {};",
            quote_literal(comment)
        );
    }
    sql
}

/// What the owner gave is given by whoever may act for the owner; the rest by its own grantor.
fn write_grant(sql: &mut String, object: &Object, grant: &Grant, owner: &str) {
    let is_owners = |role: &str| role == object.owner;
    let grantee = match &grant.grantee {
        None => "PUBLIC".to_owned(),
        Some(role) if is_owners(role) => quote_ident(owner),
        Some(role) => quote_ident(role),
    };
    let option = match grant.with_grant_option {
        true => " WITH GRANT OPTION",
        false => "",
    };
    let statement = format!(
        "GRANT {} ON LARGE OBJECT {} TO {grantee}{option};",
        grant.privilege, object.oid
    );
    let _ = match is_owners(&grant.grantor) {
        true => writeln!(sql, "{statement}"),
        false => writeln!(
            sql,
            "SET LOCAL ROLE {};\n{statement}\nRESET ROLE;",
            quote_ident(&grant.grantor)
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Restored = Restored {
        owners: true,
        privileges: true,
        comments: true,
    };

    fn grant(grantor: &str, grantee: Option<&str>, with_grant_option: bool) -> Grant {
        Grant {
            grantor: grantor.into(),
            grantee: grantee.map(str::to_owned),
            privilege: "SELECT".into(),
            with_grant_option,
        }
    }

    fn object() -> Object {
        Object {
            oid: 7,
            owner: "Ann \"x\"".into(),
            grants: Some(vec![
                grant("Ann \"x\"", Some("bob"), true),
                grant("bob", None, false),
            ]),
            comment: Some("it's".into()),
        }
    }

    #[test]
    fn an_object_gets_owner_privileges_and_comment() {
        assert_eq!(
            sql(&object(), ALL, "postgres"),
            "ALTER LARGE OBJECT 7 OWNER TO \"Ann \"\"x\"\"\";\n\
             REVOKE ALL ON LARGE OBJECT 7 FROM PUBLIC, \"Ann \"\"x\"\"\";\n\
             GRANT SELECT ON LARGE OBJECT 7 TO \"bob\" WITH GRANT OPTION;\n\
             SET LOCAL ROLE \"bob\";\n\
             GRANT SELECT ON LARGE OBJECT 7 TO PUBLIC;\n\
             RESET ROLE;\n\
             COMMENT ON LARGE OBJECT 7 IS 'it''s';\n"
        );
    }

    #[test]
    fn what_is_not_wanted_is_left_out() {
        let none = Restored {
            owners: false,
            privileges: false,
            comments: false,
        };
        assert_eq!(sql(&object(), none, "postgres"), "");
        // Privileges without owners are the creator's to give.
        let privileges = Restored {
            privileges: true,
            ..none
        };
        assert!(sql(&object(), privileges, "postgres").contains("FROM PUBLIC, \"postgres\""));
        assert!(!sql(&object(), privileges, "postgres").contains("Ann"));
    }

    #[test]
    fn an_object_that_is_as_it_was_created_needs_nothing() {
        let plain = Object {
            owner: "postgres".into(),
            grants: None,
            comment: None,
            ..object()
        };
        assert_eq!(sql(&plain, ALL, "postgres"), "");
    }
}
