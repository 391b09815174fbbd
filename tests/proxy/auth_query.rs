//! Users that are looked up on the source.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pgflit::worker::cluster::StopMode;
use tempfile::TempDir;

use crate::support::{Proxied, SOON, eventually, source_options};

const ROLES: &str = "
    CREATE ROLE looker LOGIN PASSWORD 'glasses';
    CREATE ROLE ann LOGIN PASSWORD 'pencil';
    CREATE ROLE bare LOGIN;
    CREATE ROLE late LOGIN PASSWORD 'pencil' VALID UNTIL '2001-01-01';
    CREATE ROLE grp PASSWORD 'pencil';
    SET password_encryption = 'md5';
    CREATE ROLE old LOGIN PASSWORD 'pencil';
    CREATE FUNCTION public.lookup(name, OUT rolname name, OUT rolpassword text)
      RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp AS $$
        SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END
          FROM pg_authid WHERE rolname = $1 AND rolcanlogin $$;
    REVOKE ALL ON FUNCTION public.lookup FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.lookup TO looker";

const SERVER_RULES: &str = "local all all trust\nhost all postgres all trust\n\
    host all old all md5\nhost all all all scram-sha-256\n";

/// A server that asks everybody for a password, and the proxy that knows nobody.
struct Bench {
    proxied: Proxied,
    _folder: TempDir,
}

impl Bench {
    fn new(query: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.toml");
        fs::write(&path, "").expect("written");
        let proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
        proxied.direct.sql(ROLES);
        let rules = proxied.cluster.data().join("pg_hba.conf");
        fs::write(rules, SERVER_RULES).expect("written");
        proxied.direct.sql("SELECT pg_reload_conf()");
        let without_password = proxied.direct.with("user=ann");
        eventually(SOON, "the server's rules hold", || {
            without_password.try_sql("SELECT 1").is_err()
        });
        let passfile = folder.path().join("pass");
        fs::write(&passfile, "*:*:*:looker:glasses\n").expect("written");
        fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).expect("mode");
        let md5 = "[[auth]]\nmethod = \"md5\"\nuser = \"old\"\n";
        let text = format!("[auth_query]\n{query}\n{md5}[[auth]]\nmethod = \"scram-sha-256\"\n");
        fs::write(&path, text).expect("written");
        proxied.ask("proxy reload").run().assert_code(0);
        Bench {
            proxied,
            _folder: folder,
        }
    }

    fn log_in(&self, settings: &str) -> Result<String, String> {
        let database = self.proxied.database.with(settings);
        database.try_sql("SELECT current_user")
    }

    #[track_caller]
    fn refused(&self, settings: &str) -> String {
        self.log_in(settings).expect_err("a refusal")
    }

    /// How often the function was asked.
    fn lookups(&self) -> i64 {
        let calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions";
        self.proxied.direct.number(calls)
    }
}

const OWN_ROLE: &str = "user = \"looker\"\npassfile = \"pass\"\n\
    query = \"SELECT * FROM public.lookup($1);\"";

#[test]
fn users_are_looked_up_and_their_own_proof_opens_the_server() {
    let bench = Bench::new(OWN_ROLE);
    for (settings, user) in [
        ("user=ann&password=pencil", "ann"),
        ("user=old&password=pencil", "old"),
        // By the cache.
        ("user=ann&password=pencil", "ann"),
    ] {
        assert_eq!(bench.log_in(settings).as_deref(), Ok(user));
    }
    for settings in [
        "user=ann&password=pen",
        "user=bare&password=pencil",
        "user=late&password=pencil",
        "user=grp&password=pencil",
        "user=nobody&password=pencil",
        "user=%27%3B--&password=pencil",
        &format!("user={}&password=pencil", "x".repeat(64)),
    ] {
        let refused = bench.refused(settings);
        let expected = "password authentication failed for user";
        assert!(refused.contains(expected), "{settings}: {refused}");
    }
    // Another password: the answer that is kept is dropped when it does not fit.
    bench.proxied.direct.sql("ALTER ROLE ann PASSWORD 'rubber'");
    assert!(bench.log_in("user=ann&password=pen").is_err());
    let rubber = "user=ann&password=rubber";
    assert_eq!(bench.log_in(rubber).as_deref(), Ok("ann"));
    // The old one, which the answer that is kept would let pass, does not open the server.
    bench.proxied.direct.sql("ALTER ROLE ann PASSWORD 'pencil'");
    assert!(bench.refused(rubber).contains("the proxy cannot log in"));
    assert_eq!(
        bench.log_in("user=ann&password=pencil").as_deref(),
        Ok("ann")
    );

    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'looker'";
    let count = bench.proxied.direct.number(sessions);
    assert!((1..=4).contains(&count), "{count} sessions");
    let log = bench.proxied.proxy.stderr();
    for hidden in ["pencil", "rubber", "glasses", "SCRAM-SHA-256$"] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}

#[test]
fn answers_are_kept_for_a_while() {
    let bench = Bench::new(OWN_ROLE);
    bench
        .proxied
        .direct
        .sql("ALTER ROLE looker SET track_functions = 'all'");
    bench
        .proxied
        .direct
        .sql("ALTER SYSTEM SET track_functions = 'all'");
    bench.proxied.direct.sql("SELECT pg_reload_conf()");
    for _ in 0..5 {
        assert!(bench.log_in("user=ann&password=pencil").is_ok());
    }
    // Seen at the end of the session that has asked.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'looker'";
    bench.proxied.direct.sql(end);
    eventually(SOON, "the one is counted", || bench.lookups() == 1);
    // The session is gone, and nobody minds.
    assert!(
        bench
            .refused("user=nobody&password=x")
            .contains("password authentication")
    );
}

#[test]
fn a_source_that_cannot_be_asked_is_told_and_not_waited_for() {
    let mut bench = Bench::new(&format!("{OWN_ROLE}\ntimeout = \"2s\""));
    assert!(bench.log_in("user=ann&password=pencil").is_ok());
    bench
        .proxied
        .direct
        .sql("REVOKE EXECUTE ON FUNCTION public.lookup FROM looker");
    let refused = bench.refused("user=other&password=x");
    assert!(
        refused.contains("users cannot be looked up now"),
        "{refused}"
    );
    bench
        .proxied
        .proxy
        .wait_for_stderr("permission denied for function lookup");
    bench.proxied.direct.sql(
        "CREATE OR REPLACE FUNCTION public.lookup(name, OUT rolname name, OUT rolpassword text)
           RETURNS SETOF record LANGUAGE sql SECURITY DEFINER
           AS $$ SELECT rolname, rolpassword FROM pg_authid $$;
         GRANT EXECUTE ON FUNCTION public.lookup TO looker",
    );
    assert!(
        bench
            .refused("user=other&password=x")
            .contains("cannot be looked up")
    );
    bench
        .proxied
        .proxy
        .wait_for_stderr("gives several rows for one role");
    bench.proxied.direct.sql(
        "CREATE OR REPLACE FUNCTION public.lookup(name, OUT rolname name, OUT rolpassword text)
           RETURNS SETOF record LANGUAGE sql SECURITY DEFINER
           AS $$ SELECT $1, 'x' FROM pg_sleep(600) $$",
    );
    assert!(
        bench
            .refused("user=other&password=x")
            .contains("cannot be looked up")
    );
    bench
        .proxied
        .cluster
        .stop(StopMode::Immediate)
        .expect("stopped");
    assert!(
        bench
            .refused("user=another&password=x")
            .contains("cannot be looked up")
    );
}

#[test]
fn a_superuser_needs_no_function() {
    let bench = Bench::new("user = \"postgres\"");
    assert_eq!(
        bench.log_in("user=ann&password=pencil").as_deref(),
        Ok("ann")
    );
    for user in ["late", "grp", "bare", "nobody"] {
        let refused = bench.refused(&format!("user={user}&password=pencil"));
        assert!(
            refused.contains("password authentication failed"),
            "{refused}"
        );
    }
}
