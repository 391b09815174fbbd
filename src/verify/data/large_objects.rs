//! Large objects: all of a database as one table of their numbers and contents.
//!
//! One that is larger than 1 GB cannot be read in one piece; then they are not compared, which is told.

use std::sync::Arc;

use crate::base::cause::chain;
use crate::base::{QualifiedName, Side};
use crate::pg::Error;

use super::digest::{Digest, large_objects_sql, sum_of};
use super::moment::Moment;
use super::outcome::{Compared, Verdict};
use super::run::Depth;

/// How they compare; none if there are none on either side.
pub(super) async fn compare(moments: &[Arc<Moment>; 2], depth: Depth) -> Option<Compared> {
    let (source, target) = tokio::join!(digest(&moments[0], depth), digest(&moments[1], depth));
    let compared = Compared {
        name: QualifiedName::new("pg_catalog", "pg_largeobject"),
        source: None,
        target: None,
        verdict: Verdict::Uncompared,
        problem: None,
        unread: None,
        found: None,
        before: false,
    };
    let (source, target) = match (source, target) {
        (Ok(source), Ok(target)) => (source, target),
        (Err(error), _) => return Some(unread(compared, Side::Source, &error)),
        (_, Err(error)) => return Some(unread(compared, Side::Target, &error)),
    };
    if source.rows == 0 && target.rows == 0 {
        return None;
    }
    Some(Compared {
        source: Some(source),
        target: Some(target),
        verdict: match source == target {
            true => Verdict::Equal,
            false => Verdict::Different,
        },
        problem: (source != target).then(|| "large objects differ".to_owned()),
        ..compared
    })
}

fn unread(compared: Compared, side: Side, error: &Error) -> Compared {
    let problem = format!(
        "large objects of the {side} could not be read: {}",
        chain(error)
    );
    Compared {
        problem: Some(problem),
        unread: Some(side),
        ..compared
    }
}

async fn digest(moment: &Moment, depth: Depth) -> Result<Digest, Error> {
    let session = moment.session().await?;
    moment.begin(&session).await?;
    let row = session
        .query_one(&large_objects_sql(depth == Depth::Rows), &[])
        .await?;
    let sums = [row.get(1), row.get(2)].map(|text: &str| sum_of(text).unwrap_or_default());
    Ok(Digest {
        rows: row.get::<_, i64>(0).unsigned_abs(),
        sums,
    })
}
