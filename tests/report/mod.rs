//! `pgflit report`: one page, whatever has become of the migration.

mod hostile;
mod page;
mod states;
mod traffic;

use std::fs;

pub(crate) use page::Page;

use crate::support::{Pair, pgflit};

/// The page that `pgflit report` makes of the migration of `pair`, where it says it is.
#[track_caller]
fn report(pair: &Pair) -> Page {
    let told = pgflit("report").dir(pair.dir()).run().assert_code(0);
    let path = pair.dir().join("report.html");
    assert_eq!(told.stdout.trim_end(), path.to_str().expect("text"));
    Page::of(&fs::read_to_string(path).expect("the page"))
}
