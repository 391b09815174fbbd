//! `pgflit demo`: what a newcomer runs first.

use crate::support::pgflit;

#[test]
fn the_demo_ends_with_equal_databases_and_code_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = pgflit("demo --scale 1 --seconds 3").dir(folder.path().join("work"));
    let told = demo.run().assert_code(0);
    assert!(told.stdout.contains("pgbench_history"), "{}", told.stdout);
}
