//! `pgflit status` of a migration whose traffic is moved.

use serde_json::Value;

use super::stage::Stage;
use crate::support::{SOON, eventually, pgflit};

fn status(stage: &Stage) -> Value {
    let told = pgflit("status --json").dir(stage.pair.dir()).run();
    serde_json::from_str(&told.assert_code(0).stdout).expect("JSON")
}

#[test]
fn where_traffic_goes_and_whether_changes_go_back_is_told() {
    let mut stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let told = status(&stage);
    assert_eq!(told["serves"], "source", "{told}");
    assert_eq!(told["proxy"]["serves"], "source", "{told}");
    assert_eq!(told["proxy"]["paused_seconds"], Value::Null, "{told}");
    assert_eq!(told["cutover"], Value::Null);

    stage.moves("cutover");
    stage.database().sql("INSERT INTO t VALUES (1)");
    let mut told = Value::Null;
    eventually(SOON, "what was written has gone back", || {
        told = status(&stage);
        told["streams"][1]["lag_seconds"] == 0.0 && told["state"] == "finished"
    });
    assert_eq!(told["serves"], "target", "{told}");
    assert_eq!(told["cutover"]["state"], "done", "{told}");
    assert_eq!(told["cutover"]["to"], "target", "{told}");
    assert_eq!(told["streams"][1]["from"], "target", "{told}");
    assert_eq!(told["streams"][1]["state"], "running", "{told}");
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown
        .assert_code(0)
        .assert_stdout("changes go back to the source");

    assert_eq!(stage.stop_streams(), ["reverse"]);
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown.assert_code(0).assert_stdout("changes do not go back");
    stage.resume_streams(&["reverse"]);
    stage.moves("rollback");
    let told = status(&stage);
    assert_eq!(told["serves"], "source", "{told}");
    let shown = pgflit("status").dir(stage.pair.dir()).run();
    shown
        .assert_code(0)
        .assert_stdout("traffic is on the source again");
}
