//! Servers that are not there, or no longer.

use std::io::Write;

use pgflit::worker::cluster::StopMode;

use super::wire;
use crate::support::{Proxied, SOON, driver_runtime, eventually};

#[test]
fn a_server_that_is_down_is_told_after_a_bounded_wait_and_waited_for_until_then() {
    let mut proxied = Proxied::new();
    proxied.cluster.stop(StopMode::Fast).expect("stopped");
    let mut early = proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    early.write_all(&packet).expect("sent");
    assert_eq!(wire::refusal(&mut early).as_deref(), Some("57P03"));
    // Who comes a moment too early does not notice.
    let mut patient = proxied.socket();
    patient.write_all(&packet).expect("sent");
    eventually(SOON, "it is waited for", || {
        proxied.status()["clients"]["total"] == 1
    });
    proxied.cluster.start().expect("started");
    wire::until(&mut patient, b'Z');
    wire::query(&mut patient, "SELECT 1");
}

#[test]
fn a_server_that_is_lost_within_a_transaction_is_an_error_that_drivers_know() {
    let mut proxied = Proxied::new();
    let begun = || {
        let mut session = proxied.socket();
        wire::log_in(&mut session, 0);
        wire::query(&mut session, "BEGIN");
        session
    };
    let mut terminated = begun();
    let mut killed = begun();
    wire::send_query(&mut killed, "SELECT pg_sleep(60)");
    let idle = "state = 'idle in transaction'";
    proxied.direct.sql(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {idle}"
    ));
    // The server's own words.
    assert_eq!(wire::refusal(&mut terminated).as_deref(), Some("57P01"));
    assert_eq!(wire::next(&mut terminated), None);
    proxied.cluster.kill().expect("killed");
    assert_eq!(wire::refusal(&mut killed).as_deref(), Some("57P01"));
    assert_eq!(wire::next(&mut killed), None);
    proxied.cluster.start().expect("started");
    assert_eq!(proxied.database.sql("SELECT 1"), "1");
}

#[test]
fn a_client_that_goes_takes_its_server_connection_with_it() {
    let proxied = Proxied::new();
    let runtime = driver_runtime();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    for ends_in_transaction in [false, true] {
        let client = proxied.driver(&runtime);
        if ends_in_transaction {
            runtime.block_on(async { client.batch_execute("BEGIN").await.expect("begun") });
        }
        assert_eq!(proxied.direct.number(count), 2);
        drop(client);
        runtime.block_on(async { tokio::task::yield_now().await });
        let mut abrupt = proxied.socket();
        wire::log_in(&mut abrupt, 0);
        wire::query(&mut abrupt, "BEGIN");
        drop(abrupt);
        eventually(SOON, "both are gone", || proxied.direct.number(count) == 1);
    }
}

#[test]
fn a_client_that_has_said_everything_still_gets_its_answers() {
    let proxied = Proxied::new();
    let mut session = proxied.socket();
    wire::log_in(&mut session, 0);
    wire::send_query(&mut session, "SELECT pg_sleep(0.2); SELECT 'late'");
    session
        .shutdown(std::net::Shutdown::Write)
        .expect("half closed");
    let said = wire::until(&mut session, b'Z');
    assert!(said.iter().any(|(_, body)| body.ends_with(b"late")));
    assert_eq!(wire::next(&mut session), None);
}
