//! Traffic moves only once mirrors have shown what is required.

use std::fs;

use super::stage::Stage;
use crate::support::{SOON, eventually};

#[test]
fn traffic_stays_until_mirrors_have_shown_what_is_required() {
    let stage = Stage::configured("CREATE TABLE t (id int PRIMARY KEY)", |pair| {
        let (source, target) = (pair.source.uri(), pair.target.uri());
        let path = pair.path("proxy.toml");
        let text =
            format!("source = \"{source}\"\ntarget = \"{target}\"\n[[mirror]]\nname = \"new\"\n");
        fs::write(&path, text).expect("written");
        Some(path)
    });
    // On the source alone: no stream carries it, and nothing looks for it.
    let there = stage.past_proxy();
    there.sql("CREATE FUNCTION here() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'");
    let refused = |required: &str, told: &str| {
        let words = "cutover --yes --attempts 1";
        let command = stage.command(words).arg("--require-shadow").arg(required);
        let undone = command.run().assert_code(3);
        undone.assert_stderr(&format!("--require-shadow is not met: {told}\n"));
        // There was no fence, on neither side.
        assert_eq!(stage.takes_writes(), "both");
    };
    refused(
        "errors=0,p99_ratio<1000000",
        "of mirror new, p99_ratio is not known yet; of mirror new, the number of answers compared is 0, \
         not at least 1",
    );
    let queries = "SELECT count(*) FROM t;\n".repeat(110);
    stage.database().sql(&format!("{queries} SELECT here();"));
    eventually(SOON, "the mirror has answered", || {
        let told = stage.mirror();
        told["compared"].as_u64() >= Some(111) && told["differences"] == 1
    });
    refused("errors=0", "of mirror new, errors is 1, not 0");
    refused(
        "errors<2,differences<=0,min_samples=100",
        "of mirror new, differences is 1, not at most 0",
    );
    refused(
        "min_samples=1000000",
        &format!(
            "of mirror new, the number of answers compared is {}, not at least 1000000",
            stage.mirror()["compared"]
        ),
    );
    let met = "errors=1,differences=1,p99_ratio<1000000,min_samples=100";
    stage.moves(&format!("cutover --require-shadow {met}"));
    assert_eq!(stage.takes_writes(), "target");
}

#[test]
fn without_a_mirror_nothing_is_met() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let refused = stage.does_not_move("cutover --yes --require-shadow errors=0");
    refused.assert_stderr("--require-shadow is not met: no proxy has a mirror");
    let usage = stage.command("cutover --yes --require-shadow errors>0");
    let usage = usage.run().assert_code(1);
    usage.assert_stderr("\"errors>0\" is no condition");
}
