//! What to call what is left out: rows for the store, and lines for the operator.

use std::collections::{HashMap, HashSet};

use crate::pg::{Error, Session};
use crate::store::LeftOut;

use super::dependents::{Cause, Fallen, Graph, Object, PG_CLASS, PG_CONSTRAINT, PG_NAMESPACE};
use super::facts::Facts;

/// The catalog of a [`LeftOut`] that is no object but a table's hold on a sequence that stays.
const PG_DEPEND: u32 = crate::catalog::restore_list::PG_DEPEND;

pub(super) struct Named {
    pub(super) left_out: Vec<LeftOut>,
    pub(super) notices: Vec<String>,
}

/// An object in PostgreSQL's own words, see `pg_identify_object`.
struct Identity {
    kind: String,
    schema: Option<String>,
    name: Option<String>,
    identity: String,
}

/// Names everything that has fallen and that a dump may have an entry for.
pub(super) async fn name(
    source: &Session,
    facts: &Facts,
    graph: &Graph,
    fallen: &Fallen,
    hollow: &HashSet<u32>,
) -> Result<Named, Error> {
    let has_entry = |object: &Object| match object.catalog {
        PG_CLASS => facts.relations.contains_key(&object.oid),
        PG_NAMESPACE => !hollow.contains(&object.oid),
        // What is made within something else: row types, internal triggers, rules of views.
        _ => !graph
            .of(*object)
            .any(|edge| edge.kind == 'i' && fallen.causes.contains_key(&edge.on)),
    };
    let objects = fallen.causes.keys().filter(|object| has_entry(object));
    let objects: Vec<_> = objects.copied().collect();
    let mut all = objects.clone();
    all.extend(fallen.causes.values().filter_map(|cause| match cause {
        Cause::Needs(on) => Some(*on),
        _ => None,
    }));
    let identities = identify(source, facts, &all).await?;
    let writing = Writing {
        fallen,
        identities: &identities,
    };
    let mut left_out: Vec<_> = objects
        .iter()
        .map(|object| writing.left_out(*object))
        .collect();
    let disowned = fallen.disowned.iter();
    left_out.extend(disowned.map(|sequence| ownership(facts, *sequence)));
    left_out.sort_by(|left, right| {
        let key = |row: &LeftOut| {
            (
                row.schema.clone(),
                row.name.clone(),
                row.catalog_oid,
                row.object_oid,
            )
        };
        key(left).cmp(&key(right))
    });
    let mut notices: Vec<_> = objects
        .iter()
        .filter_map(|object| writing.notice(*object))
        .collect();
    notices.sort();
    Ok(Named { left_out, notices })
}

/// For people: one object.
pub(super) async fn shown(
    source: &Session,
    facts: &Facts,
    object: Object,
) -> Result<String, Error> {
    let identities = identify(source, facts, &[object]).await?;
    Ok(words(&identities, object))
}

fn words(identities: &HashMap<Object, Identity>, object: Object) -> String {
    match identities.get(&object) {
        Some(identity) => format!("{} {}", identity.kind, identity.identity),
        None => format!("object {} of catalog {}", object.oid, object.catalog),
    }
}

/// The sequence stays; that the left out table owns it does not.
fn ownership(facts: &Facts, sequence: Object) -> LeftOut {
    let name = facts
        .relations
        .get(&sequence.oid)
        .map(|relation| &relation.name);
    LeftOut {
        catalog_oid: PG_DEPEND,
        object_oid: sequence.oid,
        kind: "sequence owner".to_owned(),
        schema: name.map(|name| name.schema.clone()),
        name: name.map(|name| name.name.clone()).unwrap_or_default(),
        reason: "its table is left out".to_owned(),
    }
}

async fn identify(
    source: &Session,
    facts: &Facts,
    objects: &[Object],
) -> Result<HashMap<Object, Identity>, Error> {
    let mut identities = HashMap::new();
    let mut asked = (Vec::new(), Vec::new());
    for object in objects {
        let relation = facts.relations.get(&object.oid);
        match relation.filter(|_| object.catalog == PG_CLASS) {
            Some(relation) => {
                let identity = Identity {
                    kind: relation.word().to_owned(),
                    schema: Some(relation.name.schema.clone()),
                    name: Some(relation.name.name.clone()),
                    identity: relation.name.to_string(),
                };
                identities.insert(*object, identity);
            }
            None if object.catalog == PG_NAMESPACE && facts.schemas.contains_key(&object.oid) => {
                let name = facts.schemas.get(&object.oid).cloned().unwrap_or_default();
                let identity = Identity {
                    kind: "schema".to_owned(),
                    schema: None,
                    identity: name.clone(),
                    name: Some(name),
                };
                identities.insert(*object, identity);
            }
            None => {
                asked.0.push(object.catalog);
                asked.1.push(object.oid);
            }
        }
    }
    if asked.0.is_empty() {
        return Ok(identities);
    }
    let sql = "SELECT o.catalog, o.oid, i.type, i.schema, i.name, i.identity
                 FROM unnest($1::oid[], $2::oid[]) AS o (catalog, oid)
                CROSS JOIN LATERAL pg_identify_object(o.catalog, o.oid, 0) AS i
                WHERE i.identity IS NOT NULL";
    for row in source.query(sql, &[&asked.0, &asked.1]).await? {
        let identity = Identity {
            kind: row.get(2),
            schema: row.get(3),
            name: row.get(4),
            identity: row.get(5),
        };
        identities.insert(Object::new(row.get(0), row.get(1)), identity);
    }
    Ok(identities)
}

struct Writing<'a> {
    fallen: &'a Fallen,
    identities: &'a HashMap<Object, Identity>,
}

impl Writing<'_> {
    fn left_out(&self, object: Object) -> LeftOut {
        let identity = self.identities.get(&object);
        let name = identity.map(|identity| identity.name.as_ref().unwrap_or(&identity.identity));
        LeftOut {
            catalog_oid: object.catalog,
            object_oid: object.oid,
            kind: identity
                .map_or("object", |identity| &identity.kind)
                .to_owned(),
            schema: identity.and_then(|identity| identity.schema.clone()),
            name: name.cloned().unwrap_or_else(|| object.oid.to_string()),
            reason: self.reason(object),
        }
    }

    /// The filter that something is left out by, or what it depends on.
    fn reason(&self, object: Object) -> String {
        let mut object = object;
        // Parts of parts are few; a limit in case that they are in a circle.
        for _ in 0..16 {
            match self.fallen.causes.get(&object) {
                Some(Cause::PartOf(whole)) => object = *whole,
                Some(Cause::Filter(reason)) => return reason.clone(),
                Some(Cause::Needs(on)) => return format!("depends on {}", self.on(*on)),
                None => break,
            }
        }
        "part of what is left out".to_owned()
    }

    /// The thing in `on`'s stead that people know: for a view's rule, what the rule reads.
    fn on(&self, on: Object) -> String {
        const PG_REWRITE: u32 = 2618;
        match self.fallen.causes.get(&on) {
            Some(Cause::Needs(beyond)) if on.catalog == PG_REWRITE => {
                words(self.identities, *beyond)
            }
            _ => words(self.identities, on),
        }
    }

    /// A line about what falls although no filter names it.
    fn notice(&self, object: Object) -> Option<String> {
        let reason = match self.fallen.causes.get(&object)? {
            Cause::Needs(on) => format!("it depends on {}", self.on(*on)),
            Cause::Filter(reason) if object.catalog == PG_CONSTRAINT => reason.clone(),
            _ => return None,
        };
        Some(format!(
            "{} is left out: {reason}",
            words(self.identities, object)
        ))
    }
}
