//! `--notify` of a cutover.

use super::stage::Stage;
use crate::support::Webhook;

#[test]
fn a_cutover_and_an_attempt_that_is_undone_are_told() {
    let stage = Stage::with("CREATE TABLE t (id int PRIMARY KEY)");
    let webhook = Webhook::new();
    let notify = format!("--notify {}", webhook.url());
    stage.moves(&format!("cutover {notify}"));
    let stages = webhook.messages("stage");
    assert_eq!(stages.len(), 2, "{stages:?}");
    assert_eq!(stages[0], "clients are held");
    assert!(stages[1].starts_with("traffic goes to the target; clients were held for "));
    assert_eq!(webhook.messages("end"), ["done"]);
    stage.does_not_move(&format!("cutover --yes {notify}"));
    let ends = webhook.messages("end");
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert_eq!(webhook.got().last().expect("news")["code"], 3);
}
