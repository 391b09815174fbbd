//! What is made on the other side before traffic goes there is what sessions hold when it does.

use nix::sys::signal::Signal;
use tokio_postgres::{Client, NoTls};

use super::stage::Stage;
use crate::support::{SOON, driver_runtime, eventually};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY)";

/// A session of this name, in which something is set and prepared.
async fn connect(port: u16, name: &str) -> Client {
    let text = format!("host=127.0.0.1 port={port} dbname=app user=app application_name={name}");
    let (client, connection) = tokio_postgres::connect(&text, NoTls)
        .await
        .expect("connected");
    tokio::spawn(connection);
    let state = "SET my.own = 'first'; SET timezone = 'Asia/Tokyo';
                 PREPARE first AS SELECT current_setting('my.own')";
    client.batch_execute(state).await.expect("set");
    client
}

/// Its settings, its prepared statements, its locks and channels.
async fn state(client: &Client) -> String {
    let sql = "SELECT concat_ws(' ', current_setting('my.own'), current_setting('timezone'),
                  (SELECT string_agg(name, '+' ORDER BY name) FROM pg_prepared_statements
                    WHERE from_sql),
                  (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                      AND pid = pg_backend_pid()),
                  (SELECT string_agg(c, '+') FROM pg_listening_channels() c))";
    let told = client.simple_query(sql).await.expect("it goes on");
    let row = told.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.expect("a row").to_owned()
}

#[test]
fn what_clients_change_after_it_was_made_ahead_is_changed_there_too() {
    let stage = Stage::with(SCHEMA);
    driver_runtime().block_on(async {
        let same = connect(stage.port, "same").await;
        let changed = connect(stage.port, "changed").await;
        let back = connect(stage.port, "back").await;
        let less = connect(stage.port, "less").await;
        let locks = connect(stage.port, "locks").await;
        let lost = connect(stage.port, "lost").await;
        let late = connect(stage.port, "late").await;
        let moving = stage.stops_at("cutover --yes --max-pause 60s", "cutover begun");
        let made = |name: &str| {
            format!(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'
                    AND state = 'idle' AND query = 'COMMIT'"
            )
        };
        for name in ["same", "changed", "back", "less", "locks", "lost", "late"] {
            eventually(SOON, &format!("what {name} holds is made ahead"), || {
                stage.pair.target.number(&made(name)) == 1
            });
        }
        // Traffic flows still, and sessions change.
        changed
            .batch_execute("SET my.own = 'second'; PREPARE second AS SELECT 2")
            .await
            .expect("changed");
        back.batch_execute("SET my.own = 'second'; SET my.own = 'first'")
            .await
            .expect("changed and changed back");
        less.batch_execute("DISCARD ALL").await.expect("less");
        less.batch_execute("SET my.own = 'third'")
            .await
            .expect("less, and something else");
        locks
            .batch_execute("SELECT pg_advisory_lock(7); LISTEN news")
            .await
            .expect("locked");
        let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                     WHERE application_name = 'lost'";
        assert_eq!(stage.pair.target.number(kill), 1);
        let own = "SELECT application_name, pid FROM pg_stat_activity WHERE usename = 'app'
                    ORDER BY 1";
        let ahead = stage.pair.target.sql(own);
        moving.signal(Signal::SIGCONT);
        // One that speaks while it is held.
        let speaking = state(&late);
        let (said, done) = tokio::join!(speaking, async {
            tokio::task::spawn_blocking(move || moving.wait_for_exit()).await
        });
        done.expect("no panic").assert_code(0);
        let plain = "first Asia/Tokyo first 0";
        assert_eq!(said, plain);
        assert_eq!(state(&same).await, plain);
        assert_eq!(state(&changed).await, "second Asia/Tokyo first+second 0");
        assert_eq!(state(&back).await, plain);
        let said = state(&less).await;
        assert!(said.starts_with("third ") && said.ends_with(" 0"), "{said}");
        assert!(!said.contains("Tokyo"), "{said}");
        assert_eq!(state(&locks).await, "first Asia/Tokyo first 1 news");
        assert_eq!(state(&lost).await, plain);
        assert_eq!(stage.serves(), "target");
        // All but the one that was lost are where they were ahead.
        let there = stage.pair.target.sql(own);
        for line in ahead.lines() {
            let is_there = there.lines().any(|one| one == line);
            assert_eq!(is_there, !line.contains("lost"), "{line}\n{there}");
        }
    });
}
