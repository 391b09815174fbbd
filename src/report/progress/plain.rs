//! One line now and then, for logs and cron.

use super::Picture;
use super::stage::Stage;

/// How many names a line has at most.
const NAMES_MAX: usize = 3;

/// The picture in a line.
pub(super) fn line(picture: &Picture) -> String {
    let stage = picture.stage.words();
    if picture.stage == Stage::Following {
        let stream = picture.stream.map(|stream| stream.words());
        return format!("{stage}: {}", stream.unwrap_or_default());
    }
    if !picture.stage.moves() {
        return stage.to_owned();
    }
    let (tables, indexes) = (&picture.tables, &picture.indexes);
    if picture.stage.compares() {
        let rows = rows(picture);
        let line = format!(
            "{stage}: {rows}; {} of {} tables",
            tables.done, tables.total
        );
        let reading = tables.in_progress.iter();
        let reading = reading.map(|table| format!("{} {}%", table.shown(), table.percent));
        return line + &now(&reading.collect::<Vec<_>>());
    }
    let mut line = match picture.percent {
        100 => format!("{stage}: {}", after_rows(picture).join(", ")),
        _ => format!(
            "{stage}: {}; {} of {} tables, {} of {} indexes",
            rows(picture),
            tables.done,
            tables.total,
            indexes.done,
            indexes.total
        ),
    };
    let copying = tables.in_progress.iter().map(|copying| copying.shown());
    let building = indexes
        .in_progress
        .iter()
        .map(|building| building.name.shown());
    line.push_str(&now(&copying.chain(building).collect::<Vec<_>>()));
    line
}

/// What is being worked on, the first of them.
fn now(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let first = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => format!("; now {first}"),
        more => format!("; now {first} and {more} more"),
    }
}

/// What there is to say when all rows are there.
pub(super) fn after_rows(picture: &Picture) -> Vec<String> {
    let (tables, indexes) = (&picture.tables, &picture.indexes);
    let mut facts = vec![format!("{} of {} indexes", indexes.done, indexes.total)];
    if let Some(tidied @ 1..) = picture.tidied {
        facts.push(format!("{tidied} of {} tables vacuumed", tables.total));
    }
    facts
}

/// `25%, 1.0 GB of 4.0 GB, 100 MB/s, ETA 30s`, as far as it is known.
pub(super) fn rows(picture: &Picture) -> String {
    let mut facts = vec![format!("{}%", picture.percent), picture.sizes()];
    facts.extend(picture.rate());
    facts.extend(picture.time_left());
    facts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::picture::tests::picture;
    use super::*;
    use crate::store::COMPARE_STEP;

    #[test]
    fn a_line_tells_how_far_how_fast_and_what_now() {
        assert_eq!(
            line(&picture()),
            "copying rows: 25%, 1.0 GB of 4.0 GB, 100 MB/s, ETA 30s; \
             3 of 12 tables, 5 of 20 indexes; \
             now public.orders 2/4, \"Weird\\n\".x, public.orders_pkey"
        );
    }

    #[test]
    fn when_all_rows_are_there_indexes_are_counted() {
        let mut picture = picture();
        picture.stage = Stage::Step("indexes".to_owned());
        picture.percent = 100;
        picture.tables.in_progress.clear();
        picture.tidied = Some(2);
        assert_eq!(
            line(&picture),
            "building indexes: 5 of 20 indexes, 2 of 12 tables vacuumed; now public.orders_pkey"
        );
    }

    #[test]
    fn tables_that_are_compared_say_how_far_they_are() {
        let mut picture = picture();
        picture.stage = Stage::Step(COMPARE_STEP.to_owned());
        picture.tables.in_progress.truncate(1);
        picture.tables.in_progress[0].percent = 48;
        picture.indexes.total = 0;
        assert_eq!(
            line(&picture),
            "comparing rows: 25%, 1.0 GB of 4.0 GB, 100 MB/s, ETA 30s; 3 of 12 tables; \
             now public.orders 2/4 48%"
        );
    }

    #[test]
    fn many_names_are_counted() {
        let mut picture = picture();
        let one = picture.tables.in_progress[0].clone();
        picture.tables.in_progress = vec![one; 16];
        assert!(
            line(&picture).ends_with(" and 14 more"),
            "{}",
            line(&picture)
        );
    }

    #[test]
    fn other_stages_say_only_what_they_are() {
        let mut picture = picture();
        picture.stage = Stage::Step("foreign-keys".to_owned());
        assert_eq!(line(&picture), "adding foreign keys");
        picture.stage = Stage::Following;
        assert_eq!(
            line(&picture),
            "following: received 0/300, replayed 0/200, 256 B behind"
        );
    }
}
