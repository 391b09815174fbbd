//! Work directories that cannot be used.

use std::path::Path;

use super::{assert_nothing_is_left, assert_refused, clone};
use crate::support::{Pair, pgflit};

#[test]
fn a_work_directory_that_cannot_be_used_is_refused_before_anything_is_made() {
    let pair = Pair::new();
    let into = |dir: &Path| {
        let clone = pgflit("clone").follow().dir(dir);
        clone.source(&pair.source).target(&pair.target)
    };
    let file = pair.path("file");
    std::fs::write(&file, "mine").expect("a file");
    for dir in [file.clone(), file.join("below")] {
        let texts = ["the work directory", "is not a directory", "--dir"];
        assert_refused(into(&dir), 1, &texts);
    }
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "mine");
    // Nobody may make a folder there, root neither.
    assert_refused(
        into(Path::new("/proc/pgflit/work")),
        1,
        &["/proc/pgflit", "--dir"],
    );
    assert_nothing_is_left(&pair);

    // An empty folder that was there stays, and stays empty.
    std::fs::create_dir(pair.dir()).expect("a folder");
    pair.source.sql("CREATE PUBLICATION pgflit");
    assert_refused(clone(&pair).follow(), 6, &["publication"]);
    pair.source.sql("DROP PUBLICATION pgflit");
    std::fs::remove_dir(pair.dir()).expect("still there and empty");
    assert_nothing_is_left(&pair);
}
