//! Who a client is, as the server finds out.

use std::fs;

use crate::support::{Proxied, driver_runtime, source_options};

#[test]
fn passwords_of_every_kind_pass_and_wrong_ones_do_not() {
    let proxied = Proxied::with(source_options(), |proxy| proxy);
    proxied.direct.sql(
        "SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN PASSWORD 'secret';
         SET password_encryption = 'scram-sha-256';
         CREATE ROLE by_scram LOGIN PASSWORD 'secret';
         CREATE ROLE by_password LOGIN PASSWORD 'secret';
         CREATE ROLE by_nobody LOGIN",
    );
    let rules = "local all all trust\n\
        host all by_md5 all md5\n\
        host all by_scram all scram-sha-256\n\
        host all by_password all password\n\
        host all by_nobody all reject\n\
        host all all all trust\n";
    fs::write(proxied.cluster.data().join("pg_hba.conf"), rules).expect("written");
    proxied.direct.sql("SELECT pg_reload_conf()");
    // Until the new rules hold, everybody is let in.
    let runtime = driver_runtime();
    let refused = |settings: &str| {
        let refused = proxied.try_driver(&runtime, settings).err();
        refused.and_then(|error| Some(error.code()?.code().to_owned()))
    };
    crate::support::eventually(crate::support::SOON, "the rules hold", || {
        refused("user=by_nobody").is_some()
    });
    for user in ["by_md5", "by_scram", "by_password"] {
        let settings = format!("user={user} password=secret");
        let client = proxied.try_driver(&runtime, &settings);
        let client = client.unwrap_or_else(|error| panic!("{user}: {error:?}"));
        let row = runtime.block_on(client.query_one("SELECT current_user::text", &[]));
        assert_eq!(row.expect("an answer").get::<_, String>(0), user);
        let settings = format!("user={user} password=wrong");
        assert_eq!(refused(&settings).as_deref(), Some("28P01"), "{user}");
    }
    assert_eq!(refused("user=by_nobody").as_deref(), Some("28000"));
    let missing = proxied
        .database
        .with("user=nobody_at_all")
        .try_sql("SELECT 1");
    assert!(
        missing
            .expect_err("no such role")
            .contains("does not exist")
    );
    let secret = proxied.proxy.stderr();
    assert!(!secret.contains("secret"), "{secret}");
}

#[test]
fn those_who_wait_for_a_server_connection_get_it_in_their_turn() {
    let proxied = Proxied::with(source_options(), |proxy| {
        proxy.args(["--max-server-connections", "2"])
    });
    let runtime = driver_runtime();
    let one = proxied.driver(&runtime);
    let two = proxied.driver(&runtime);
    std::thread::scope(|scope| {
        let third = scope.spawn(|| proxied.database.sql("SELECT 'in turn'"));
        crate::support::eventually(crate::support::SOON, "the third waits", || {
            proxied.status()["clients"]["waiting"] == 1
        });
        drop(one);
        // What ends a driver's connection runs on its runtime.
        runtime.block_on(async { tokio::task::yield_now().await });
        runtime.block_on(async { two.batch_execute("SELECT 1").await.expect("an answer") });
        assert_eq!(third.join().expect("no panic"), "in turn");
    });
}
