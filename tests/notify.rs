//! `--notify`, `--notify-command` and `--notify-lag`.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Held, Pair, Run, SOON, Webhook, eventually, pgflit};

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, v text);
    INSERT INTO t SELECT n, 'x' FROM generate_series(1, 100) n";

fn end_now(pair: &Pair) {
    let end = pgflit("sentinel set endpos --current").source(&pair.source);
    end.dir(pair.dir()).run().assert_code(0);
}

fn until_live(run: &Run) {
    run.wait_for_stderr("live replay from");
}

#[test]
fn stages_and_the_end_are_told_and_who_finds_nothing_to_do_tells_nothing() {
    let (pair, webhook) = (Pair::new(), Webhook::new());
    pair.source.sql(TABLE);
    let clone = || {
        let clone = pgflit("clone --follow").between(&pair);
        clone.env("PGFLIT_NOTIFY", webhook.url())
    };
    let run = clone().start();
    until_live(&run);
    // Whoever is started by cron meanwhile is no news.
    clone().resume().run().assert_code(8);
    end_now(&pair);
    let finished = run.wait_for_exit().assert_code(0);
    assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
    let stages = webhook.messages("stage").join("\n");
    for stage in [
        "1 tables, ",
        "all rows are on the target",
        "base copy is complete",
        "live replay",
        "reached endpos",
    ] {
        assert!(stages.contains(stage), "{stage}: {stages}");
    }
    let got = webhook.got();
    let end = got.last().expect("news");
    assert_eq!(
        (&end["event"], &end["message"]),
        (&"end".into(), &"done".into())
    );
    assert_eq!(
        (&end["code"], &end["command"]),
        (&0.into(), &"clone".into())
    );
    assert_eq!(end["dir"], pair.dir().to_str().expect("UTF-8"));
    assert!(
        end["text"]
            .as_str()
            .expect("text")
            .starts_with("pgflit clone on ")
    );
    assert!(end["at"].as_str().expect("a time").ends_with('Z'));
    clone().resume().run().assert_code(0);
    assert_eq!(webhook.got().len(), got.len());
}

#[test]
fn an_error_is_told_to_a_command_and_a_signal_too() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    pair.target.sql("CREATE TABLE t (other text)");
    let (news, seen) = (pair.path("news"), pair.path("seen"));
    let command = format!(
        "cat >> '{}'; printf '%s %s\\n' \"$PGFLIT_EVENT\" \"$PGFLIT_MESSAGE\" >> '{}'; echo noise",
        news.display(),
        seen.display()
    );
    let clone = |words: &str| {
        let clone = pgflit(words).between(&pair);
        clone.arg("--notify-command").arg(&command)
    };
    let refused = clone("clone").run();
    let code = refused.code().expect("an exit code");
    assert!(code != 0, "{}", refused.stderr);
    assert!(!refused.stdout.contains("noise"));
    let lines = || fs::read_to_string(&news).expect("news");
    let end: Value = serde_json::from_str(lines().lines().last().expect("a line")).expect("JSON");
    assert_eq!((&end["event"], &end["code"]), (&"end".into(), &code.into()));
    let message = end["message"].as_str().expect("a message");
    assert!(
        refused.stderr.contains(message),
        "{message}: {}",
        refused.stderr
    );
    let seen = fs::read_to_string(seen).expect("what the variables say");
    assert!(seen.ends_with(&format!("end {message}\n")), "{seen}");
    pair.target.sql("DROP TABLE t");
    let run = clone("clone --follow --restart").start();
    until_live(&run);
    run.signal(Signal::SIGTERM);
    run.wait_for_exit().assert_code(9);
    assert!(lines().contains("stopped as asked"), "{}", lines());
}

#[test]
fn whoever_cannot_be_told_disturbs_nothing() {
    let pair = Pair::new();
    pair.source.sql(TABLE);
    let busy = "503 Service Unavailable";
    let moved = "302 Found\r\nLocation: /elsewhere";
    let webhook = Webhook::answering(&["", busy, "200 OK", "403 Forbidden", moved]);
    let clone = pgflit("clone")
        .between(&pair)
        .arg("--notify")
        .arg(webhook.url());
    let finished = clone.args(["--notify-command", "exit 3"]).run();
    let finished = finished.assert_code(0);
    let told = finished
        .assert_stderr("status 403")
        .assert_stderr("status 302")
        .assert_stderr("the notify command: it ends with");
    assert!(!told.stderr.contains("secret"), "{}", told.stderr);
    // The first was not answered, then refused for the moment, then taken; the second was refused.
    let got = webhook.got();
    assert!(!got.is_empty(), "{}", told.stderr);
    assert_eq!(got.last().expect("news")["event"], "end");
    assert_eq!(pair.target.number("SELECT count(*) FROM t"), 100);
}

#[test]
fn what_is_no_url_is_refused_and_not_shown() {
    let pair = Pair::new();
    let refused = pgflit("clone --notify hooks.example.com/secret")
        .between(&pair)
        .run();
    let refused = refused.assert_code(1).assert_stderr("--notify");
    refused.assert_stderr("http://");
}

#[test]
fn a_lag_is_told_and_that_it_is_over() {
    let (pair, webhook) = (Pair::new(), Webhook::new());
    pair.source.sql(TABLE);
    let clone = pgflit("clone --follow")
        .between(&pair)
        .arg("--notify")
        .arg(webhook.url());
    let run = clone.args(["--notify-lag", "1MB"]).start();
    until_live(&run);
    let gate = Held::open(&pair.target, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    // The target may count as far as the source has come within the first, but not past its end.
    let update = "UPDATE t SET v = (SELECT string_agg(md5(random()::text || n || t.id), '')
                                      FROM generate_series(1, 1000) n);";
    pair.source.sql(&format!("{update}\n{update}"));
    eventually(SOON, "the lag is told", || {
        !webhook.messages("lag").is_empty()
    });
    gate.commit();
    eventually(SOON, "its end is told", || {
        webhook.messages("lag").len() == 2
    });
    let lags = webhook.messages("lag");
    assert!(
        lags[0].contains("more than 1") && lags[1].contains("near again"),
        "{lags:?}"
    );
    end_now(&pair);
    run.wait_for_exit().assert_code(0);
}
