//! What is on the target already, and whether there is room for more.

use crate::base::Side;
use crate::base::quantity::ByteSize;
use crate::catalog::discovery;
use crate::migration::error::MigrationError;
use crate::migration::preflight;

use super::disk::room_of;
use super::finding::{Findings, first_of};
use super::look::{Looked, Scene};

/// Looks at both sides for what an earlier migration has left, and at the target for the rest.
pub(super) async fn look(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    empty(scene, found).await?;
    if scene.config.copy.large_object_jobs.is_some() && !scene.config.copy.drop_if_exists {
        let (source, target) = (&scene.source.session, &scene.target.session);
        let asked = preflight::check_large_objects_free(source, target).await;
        let text = "no large object is in the way";
        found.unless_refused("target-large-objects", Side::Target, text, asked)?;
    }
    for looked in scene.both() {
        leftovers(looked, found).await?;
    }
    space(scene, found).await
}

async fn empty(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "target-empty";
    let target = &scene.target;
    if !scene.config.copy.drop_if_exists {
        let asked = preflight::check_empty(&target.session).await;
        return found.unless_refused(ID, Side::Target, "nothing is there yet", asked);
    }
    let relations = discovery::user_relations(&target.session).await;
    let relations = relations.map_err(target.on("looking at its tables"));
    let Some(relations) = found.seen(ID, Side::Target, relations)? else {
        return Ok(());
    };
    match relations.is_empty() {
        true => found.pass(ID, Side::Target, "nothing is there yet"),
        false => found.warn(
            ID,
            Side::Target,
            format!(
                "{} there, and those are dropped that the source has too: {}",
                match relations.len() {
                    1 => "1 relation is".to_owned(),
                    count => format!("{count} relations are"),
                },
                first_of(&relations)
            ),
            "see that nobody needs them",
        ),
    }
    Ok(())
}

/// The schema `pgflit` is made by migrations, and ends with them.
async fn leftovers(looked: &Looked, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "leftovers";
    let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'pgflit')";
    let row = looked.session.query_one(sql, &[]).await;
    let row = row.map_err(looked.on("looking for the schema pgflit"));
    let Some(row) = found.seen(ID, looked.side, row)? else {
        return Ok(());
    };
    match row.get(0) {
        false => found.pass(ID, looked.side, "nothing of an earlier migration"),
        true => found.warn(
            ID,
            looked.side,
            "the schema pgflit is there: another migration is at work, or has left it",
            "go on with that one, or remove what it has left with pgflit stream cleanup",
        ),
    }
    Ok(())
}

/// A server does not tell how much room its disk has: it is looked at where it is this machine's.
async fn space(scene: &Scene<'_>, found: &mut Findings) -> Result<(), MigrationError> {
    const ID: &str = "target-space";
    let source = &scene.source;
    let sql = "SELECT pg_database_size(current_database())";
    let row = source.session.query_one(sql, &[]).await;
    let row = row.map_err(source.on("asking for the size of the database"));
    let Some(row) = found.seen(ID, Side::Source, row)? else {
        return Ok(());
    };
    let needed = ByteSize(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default());
    let target = &scene.target;
    let sql = "SELECT current_setting('data_directory'),
                      coalesce(inet_client_addr() = inet_server_addr(), true)";
    let folder = match target.session.query_one(sql, &[]).await {
        Ok(row) if row.get(1) => row.get::<_, String>(0),
        Err(error) if error.sqlstate().is_none() => {
            return Err(target.on("asking where its data is")(error));
        }
        _ => String::new(),
    };
    // A container has a path of its own: only where the server's own file is there, it is that disk.
    let folder = std::path::Path::new(&folder);
    let room = match folder.join("PG_VERSION").is_file() {
        true => room_of(folder),
        false => None,
    };
    match room.map(|room| ByteSize(room.free)) {
        None => found.pass(
            ID,
            Side::Target,
            format!("its disk cannot be seen from here: the source's database takes {needed}"),
        ),
        Some(free) if is_enough(free, needed) => found.pass(
            ID,
            Side::Target,
            format!("{free} are free, and the source's database takes {needed}"),
        ),
        Some(free) => found.fail(
            ID,
            Side::Target,
            format!("{free} are free, and the source's database takes {needed}, and WAL besides"),
            "make room, or leave tables out with --filters",
        ),
    }
    Ok(())
}

/// WAL and the sorting of indexes take room besides: a fifth is little enough.
fn is_enough(free: ByteSize, needed: ByteSize) -> bool {
    free.0 >= needed.0 + needed.0 / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_needs_more_than_its_source() {
        assert!(is_enough(ByteSize(1200), ByteSize(1000)));
        assert!(!is_enough(ByteSize(1199), ByteSize(1000)));
    }
}
