//! The picture as tables, for `pgflit list progress`.

use super::picture::{Building, Copying, Picture, coarse};
use super::plain::rows;
use super::stage::Stage;
use super::stored::State;
use crate::base::quantity::ByteSize;
use crate::report::listing::{Column, table};

/// How many there are; what is being done; and what is in progress, if anything is.
pub fn text(picture: &Picture, state: State) -> String {
    let mut text = counts(picture);
    text.push('\n');
    text.push_str(&format!("{}\n", sentence(picture, state)));
    if let Some(stream) = &picture.stream {
        text.push_str(&format!("{}\n", stream.words()));
    }
    if !picture.tables.in_progress.is_empty() {
        text.push('\n');
        text.push_str(&copying(&picture.tables.in_progress));
    }
    if !picture.indexes.in_progress.is_empty() {
        text.push('\n');
        text.push_str(&building(&picture.indexes.in_progress));
    }
    text
}

fn counts(picture: &Picture) -> String {
    type Row = (&'static str, [usize; 3]);
    let (tables, indexes) = (&picture.tables, &picture.indexes);
    let rows: [Row; 2] = [
        (
            "Tables",
            [tables.total, tables.in_progress.len(), tables.done],
        ),
        (
            "Indexes",
            [indexes.total, indexes.in_progress.len(), indexes.done],
        ),
    ];
    let columns = [
        Column::text("", |row: &Row| row.0.to_owned()),
        Column::number("Total Count", |row| row.1[0].to_string()),
        Column::number("In Progress", |row| row.1[1].to_string()),
        Column::number("Done", |row| row.1[2].to_string()),
    ];
    table(&columns, &rows)
}

fn sentence(picture: &Picture, state: State) -> String {
    let facts = rows(picture);
    match (state, &picture.stage) {
        (State::Finished, _) => format!("finished: {facts}, {} rows", picture.rows),
        (State::Interrupted, stage) => {
            format!("interrupted while {}: {facts}", stage.words())
        }
        (State::Running, Stage::Following) => "running: following".to_owned(),
        (State::Running, stage) if picture.percent == 100 => {
            format!("running: {}", stage.words())
        }
        (State::Running, stage) => format!("running: {}: {facts}", stage.words()),
    }
}

fn copying(copying: &[Copying]) -> String {
    let columns = [
        Column::text("Table", |copying: &Copying| copying.name.shown()),
        Column::number("Part", |copying| {
            format!("{} of {}", copying.part, copying.parts)
        }),
        Column::number("Bytes", |copying| ByteSize(copying.total_bytes).to_string()),
        Column::number("Done", |copying| format!("{}%", copying.percent)),
        Column::number("Elapsed", |copying| coarse(copying.elapsed)),
    ];
    table(&columns, copying)
}

fn building(building: &[Building]) -> String {
    let columns = [
        Column::text("Index", |building: &Building| building.name.shown()),
        Column::number("Bytes", |building| ByteSize(building.bytes).to_string()),
        Column::number("Elapsed", |building| coarse(building.elapsed)),
    ];
    table(&columns, building)
}

#[cfg(test)]
mod tests {
    use super::super::picture::tests::picture;
    use super::*;

    #[test]
    fn a_running_copy_tells_what_is_in_progress() {
        let text = text(&picture(), State::Running);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[2], " Tables  |          12 |           2 |    3");
        assert_eq!(
            lines[5],
            "running: copying rows: 25%, 1.0 GB of 4.0 GB, 100 MB/s, ETA 30s"
        );
        assert!(lines[6].starts_with("received 0/300"));
        assert_eq!(
            lines[10],
            " public.orders | 2 of 4 | 100 MB |  62% |      3s"
        );
        assert!(lines[11].starts_with(" \"Weird\\n\".x"));
        assert!(lines[15].starts_with(" public.orders_pkey"));
    }
}
