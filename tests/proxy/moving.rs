//! What a session holds at one server, made again at another.

use bytes::BytesMut;
use pgflit::pg::connect::Stream;
use pgflit::proxy::channel::Channel;
use pgflit::proxy::moving::inventory::{AdvisoryLock, LockKey};
use pgflit::proxy::moving::{
    CustomNames, Given, Inventory, MoveError, Obstacle, Part, Taken, changed_parameters, give, take,
};
use tokio::net::TcpStream;

use super::wire::{message, startup};
use crate::support::{Pair, SOON, driver_runtime};

/// A client of which everything is heard.
struct Client {
    channel: Channel,
    heard: CustomNames,
}

type Rows = Vec<Vec<String>>;

impl Client {
    async fn connect(port: u16, options: &[(&str, &str)]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await;
        let channel = Channel::new(Stream::Tcp(stream.expect("the server listens")));
        let mut client = Client {
            channel,
            heard: CustomNames::default(),
        };
        let own = [("user", "postgres"), ("database", "app")];
        let packet = startup(0, &[&own[..], options].concat());
        client.channel.send(&packet).await.expect("sent");
        client.until_ready().await;
        client
    }

    /// Messages up to ReadyForQuery; panics at an error.
    async fn until_ready(&mut self) -> Vec<(u8, Vec<u8>)> {
        let mut messages = Vec::new();
        loop {
            let header = self.channel.next_header(1 << 20).await.expect("a message");
            let body = self.channel.take(header)[5..].to_vec();
            assert_ne!(header.tag, b'E', "{}", String::from_utf8_lossy(&body));
            messages.push((header.tag, body));
            if header.tag == b'Z' {
                return messages;
            }
        }
    }

    async fn say(&mut self, messages: &[u8]) -> Rows {
        self.heard.heard(messages);
        self.channel.send(messages).await.expect("sent");
        let answers = self.until_ready().await;
        let rows = answers.iter().filter(|(tag, _)| *tag == b'D');
        rows.map(|(_, body)| texts(&body[2..])).collect()
    }

    async fn query(&mut self, sql: &str) -> Rows {
        self.say(&message(b'Q', format!("{sql}\0").as_bytes()))
            .await
    }

    async fn parse(&mut self, name: &str, sql: &str) {
        let parse = message(b'P', format!("{name}\0{sql}\0\0\0").as_bytes());
        self.say(&[parse, message(b'S', b"")].concat()).await;
    }

    async fn run_prepared(&mut self, name: &str) -> Rows {
        let bind = message(b'B', format!("\0{name}\0\0\0\0\0\0\0").as_bytes());
        let execute = message(b'E', b"\0\0\0\0\0");
        self.say(&[bind, execute, message(b'S', b"")].concat())
            .await
    }

    async fn take(&mut self) -> Result<Taken, MoveError> {
        let taking = take(&mut self.channel, &self.heard);
        tokio::time::timeout(SOON, taking).await.expect("in time")
    }

    async fn inventory(&mut self) -> Inventory {
        self.take().await.expect("taken").inventory
    }

    async fn give(&mut self, inventory: &Inventory) -> Result<Given, MoveError> {
        let giving = give(&mut self.channel, inventory);
        tokio::time::timeout(SOON, giving).await.expect("in time")
    }

    /// Everything that can be asked for, in SQL of this test's own.
    async fn state(&mut self, names: &str) -> Vec<Rows> {
        let mut state = Vec::new();
        for sql in [
            "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY 1",
            &format!("SELECT n, current_setting(n, true) FROM unnest('{{{names}}}'::text[]) n"),
            "SELECT session_user, current_user, current_setting('role')",
            "SELECT name, from_sql, parameter_types FROM pg_prepared_statements ORDER BY 1",
            "SELECT name, statement FROM pg_prepared_statements WHERE NOT from_sql ORDER BY 1",
            "SELECT c FROM pg_listening_channels() c ORDER BY 1",
            "SELECT mode, classid, objid, objsubid FROM pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY 1, 2, 3, 4",
        ] {
            state.push(self.query(sql).await);
        }
        state
    }
}

/// The values of a row; bytes that are no UTF-8 as they are in Latin 1.
fn texts(mut columns: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some((bytes, rest)) = columns.split_first_chunk() {
        let bytes = usize::try_from(i32::from_be_bytes(*bytes)).unwrap_or_default();
        let (value, rest) = rest.split_at(bytes);
        texts.push(value.iter().map(|byte| char::from(*byte)).collect());
        columns = rest;
    }
    texts
}

/// Runs `test` with the ports of two servers on which `sql` was run.
fn between(sql: &str, test: impl AsyncFnOnce(&Pair, u16, u16)) {
    let pair = Pair::new();
    if !sql.is_empty() {
        pair.source.sql(sql);
        pair.target.sql(sql);
    }
    let (source, target) = (pair.source_cluster.port(), pair.target_cluster.port());
    driver_runtime().block_on(test(&pair, source, target));
}

#[test]
fn everything_a_session_holds_is_the_same_on_the_other_server() {
    let pair = Pair::new();
    // Types that come later have other OIDs there.
    pair.target
        .sql("CREATE TYPE before AS ENUM ('a'); CREATE TABLE pushes (at before)");
    for database in [&pair.source, &pair.target] {
        database.sql(
            r#"CREATE SCHEMA "Od.d"; CREATE TYPE "Od.d"."Mo""od" AS ENUM ('sad', 'ok');
               CREATE TYPE pair AS (a int, b text); CREATE TABLE counted (a int);
               CREATE ROLE boss; CREATE ROLE clerk; GRANT clerk TO boss;
               GRANT USAGE ON SCHEMA "Od.d" TO PUBLIC; GRANT ALL ON counted TO clerk"#,
        );
    }
    let (source, target) = (pair.source_cluster.port(), pair.target_cluster.port());
    driver_runtime().block_on(async {
        let mut old = Client::connect(source, &[]).await;
        for sql in [
            "SET session_replication_role = replica; SET work_mem = '7MB'; SET statement_timeout = '9s'",
            "SET client_encoding = 'LATIN1'; SET TIME ZONE INTERVAL '-03:30' HOUR TO MINUTE",
            r#"SET search_path = "Od.d", "$user", public; SET DateStyle = 'German'"#,
            "SET app.x = 'it''s \\ \"quoted\"'; SELECT set_config('App.Y', E'gr\\u00fc\\u00df', false)",
            "SET app.gone = 1; RESET app.gone; SET vacuum_cost_delay = 1.5",
            "SELECT pg_advisory_lock(-1), pg_advisory_lock_shared(5000000000)",
            "SELECT pg_advisory_lock(-2, 3), pg_try_advisory_lock_shared(4, -5), pg_advisory_lock(0)",
            r#"LISTEN "Ch ""an"; LISTEN U&"gr\00fc\00df"; LISTEN plain"#,
            r#"PREPARE "Sq;l"(pair, "Mo""od"[]) AS SELECT $1, $2, ';'"#,
            "INSERT INTO counted VALUES (1); PREPARE several AS SELECT 42; INSERT INTO counted VALUES (2)",
            "SET SESSION AUTHORIZATION boss; SET ROLE clerk",
        ] {
            old.query(sql).await;
        }
        old.parse("s\"1", r#"SELECT $1::"Od.d"."Mo""od", $2::pair[], $3::text"#).await;
        old.parse("s2", "INSERT INTO public.counted VALUES ($1)").await;
        old.parse("", "SELECT 'unnamed'").await;
        let names = "app.x,App.Y,app.gone,app.never";
        let taken = old.take().await.expect("taken");
        assert_eq!(old.run_prepared("").await, [["unnamed"]]);
        assert!(taken.messages.is_empty() && taken.inventory.obstacles.is_empty());
        assert!(old.heard.may_listen() && old.heard.may_lock() && !old.heard.is_incomplete());
        assert_eq!(taken.inventory.statements.len(), 4);
        assert_eq!(taken.inventory.types.len(), 4);
        let before = old.state(names).await;
        assert_eq!(old.inventory().await, taken.inventory);

        let mut new = Client::connect(target, &[]).await;
        let given = new.give(&taken.inventory).await.expect("given");
        assert!(given.types_differ && given.messages.is_empty());
        for name in ["client_encoding", "DateStyle", "TimeZone", "session_authorization"] {
            let told = given.parameters.get(name);
            assert_eq!(told, taken.inventory.parameters.get(name), "{name}");
        }
        assert_eq!(new.state(names).await, before);
        assert_eq!(new.query("EXECUTE several").await, [["42"]]);
        assert_eq!(new.query("SELECT count(*) FROM counted").await, [["0"]]);
        assert_eq!(new.query("SELECT current_setting('app.y')").await, [["gr\u{fc}\u{df}"]]);
        // What is told of the new one is what was told of the old one.
        new.heard.include(&old.heard);
        let again = new.inventory().await;
        assert_eq!(again.settings, taken.inventory.settings);
        assert_eq!(again.locks, taken.inventory.locks);
    });
}

#[test]
fn what_cannot_move_is_told() {
    between("", async |_, source, _| {
        let mut old = Client::connect(source, &[]).await;
        assert_eq!(old.inventory().await.obstacles, []);
        for sql in [
            "BEGIN; DECLARE \"he\"\"ld\" CURSOR WITH HOLD FOR SELECT 1; COMMIT",
            "CREATE TEMPORARY TABLE passing (a int PRIMARY KEY, b text)",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ] {
            old.query(sql).await;
        }
        let obstacles = old.inventory().await.obstacles;
        assert_eq!(obstacles.len(), 3, "{obstacles:?}");
        assert!(obstacles.contains(&Obstacle::HeldCursor("he\"ld".to_owned())));
        let tells = |word: &str| {
            let has =
                |one: &Obstacle| matches!(one, Obstacle::Temporary(what) if what.contains(word));
            obstacles.iter().any(has)
        };
        assert!(tells("passing") && tells("f()"), "{obstacles:?}");
        assert_eq!(old.query("FETCH \"he\"\"ld\"").await, [["1"]]);
        old.query("DROP TABLE passing; DROP FUNCTION pg_temp.f; CLOSE ALL")
            .await;
        assert_eq!(old.inventory().await.obstacles, []);
    });
}

#[test]
fn a_lock_that_somebody_else_has_is_an_error_at_once() {
    between("", async |_, source, target| {
        let mut old = Client::connect(source, &[]).await;
        old.query("SELECT pg_advisory_lock(1), pg_advisory_lock_shared(7, -8)")
            .await;
        let inventory = old.inventory().await;
        let (one, two) = (LockKey::One(1), LockKey::Two(7, -8));
        let lock = |is_shared, key| AdvisoryLock { is_shared, key };
        assert_eq!(inventory.locks.len(), 2);
        assert!(
            inventory.locks.contains(&lock(false, one))
                && inventory.locks.contains(&lock(true, two))
        );
        let mut other = Client::connect(target, &[]).await;
        other.query("SELECT pg_advisory_lock_shared(7, -8)").await;
        let mut new = Client::connect(target, &[]).await;
        new.give(&inventory)
            .await
            .expect("a shared lock has room for two");
        drop(new);
        other
            .query("SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(7, -8)")
            .await;
        let mut new = Client::connect(target, &[]).await;
        let refused = new.give(&inventory).await.expect_err("taken");
        let expected = Part::Lock("(7, -8)".to_owned());
        assert!(
            matches!(&refused, MoveError::LockIsTaken(part) if *part == expected),
            "{refused:?}"
        );
    });
}

#[test]
fn nothing_said_meanwhile_is_lost() {
    between("", async |pair, source, _| {
        let mut old = Client::connect(source, &[]).await;
        old.query("LISTEN news; SET app.x = 1").await;
        pair.source.sql("NOTIFY news, 'first'");
        let taken = old.take().await.expect("taken");
        let text = String::from_utf8_lossy(&taken.messages).into_owned();
        assert!(
            taken.messages[0] == b'A' && text.ends_with("news\0first\0"),
            "{text:?}"
        );
        assert!(old.channel.input.is_empty());

        // Bytes of something else that look like names only cost a question.
        old.parse("", "SELECT 'unnamed'").await;
        old.heard.heard(b"SET \xff\xfe.a = 1; SET \xff\xfe.b = 1\0");
        assert_eq!(old.heard.names().len(), 3);
        let settings = old.inventory().await.settings;
        assert_eq!(settings.len(), 1, "{settings:?}");
        for number in 0..30 {
            old.heard.heard(format!("SET b{number}.").as_bytes());
            old.heard.heard(b"\xff = 1\0");
        }
        pair.source.sql("NOTIFY news, 'second'");
        let refused = old.take().await.expect_err("too many of them");
        assert!(refused.leaves_session_usable(), "{refused:?}");
        let text = String::from_utf8_lossy(&old.channel.input).into_owned();
        assert!(
            old.channel.input[0] == b'A' && text.ends_with("news\0second\0"),
            "{text:?}"
        );
        old.channel.input = BytesMut::new();
        assert_eq!(old.run_prepared("").await, [["unnamed"]]);
        let left = "SELECT count(*) FROM pg_prepared_statements";
        assert_eq!(old.query(left).await, [["0"]]);
    });
}

#[test]
fn the_sessions_own_settings_do_not_get_in_the_way() {
    let evil = "
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$SELECT 'evil'$$;
        CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$SELECT 'evil'$$;
        CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
        CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
        CREATE OPERATOR evil.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.never);
        CREATE VIEW evil.pg_settings AS SELECT 1; CREATE VIEW evil.pg_locks AS SELECT 1;
        CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false); CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (false);
        CREATE DOMAIN evil.int4 AS pg_catalog.int4 CHECK (false)";
    between(evil, async |_, source, target| {
        let mut old = Client::connect(source, &[]).await;
        old.query("SET app.x = 'y'; SELECT pg_advisory_lock(1)")
            .await;
        old.query(
            "SET default_transaction_read_only = on; SET default_transaction_deferrable = on",
        )
        .await;
        old.query("SET default_transaction_isolation = serializable; SET standard_conforming_strings = off").await;
        // Such a transaction waits until no other one writes.
        let mut writer = Client::connect(source, &[]).await;
        writer
            .query("BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TABLE written (a int)")
            .await;
        let mut settings =
            "SET search_path = evil, pg_catalog; SET statement_timeout = '400ms'".to_owned();
        let mut new = Client::connect(target, &[("options", "-c statement_timeout=300ms")]).await;
        let has = "SELECT current_setting('transaction_timeout', true) IS NOT NULL";
        if writer.query(has).await == [["t"]] && new.query(has).await == [["t"]] {
            settings.push_str("; SET transaction_timeout = '900ms'");
        }
        old.query(&settings).await;
        let inventory = old.inventory().await;
        let value = |name: &str| {
            let mut all = inventory.settings.iter();
            let found = all.find(|one| one.name == name.as_bytes());
            found.map(|one| String::from_utf8_lossy(&one.value).into_owned())
        };
        assert_eq!(value("app.x").as_deref(), Some("y"));
        assert_eq!(value("search_path").as_deref(), Some("evil, pg_catalog"));
        assert_eq!(value("statement_timeout").as_deref(), Some("400ms"));
        assert_eq!(old.query("SHOW statement_timeout").await, [["400ms"]]);
        assert_eq!(inventory.locks.len(), 1);
        new.give(&inventory).await.expect("given");
        assert_eq!(
            new.query("SHOW statement_timeout; SHOW search_path").await,
            [["400ms"], ["evil, pg_catalog"]]
        );

        old.query("SET statement_timeout = 0; SET statement_timeout = '1ms'")
            .await;
        let inventory = old.inventory().await;
        assert!(inventory.settings.iter().any(|one| one.value == b"1ms"));
    });
}

#[test]
fn what_is_not_made_is_named_without_its_text() {
    between("", async |pair, source, target| {
        pair.source.sql(
            "CREATE TYPE mood AS ENUM ('secret'); CREATE ROLE clerk; CREATE TABLE there (a int)",
        );
        for (sql, name, expected) in [
            (
                "SET ROLE clerk",
                "",
                "the new server refused role clerk (SQLSTATE 22023)",
            ),
            (
                "SET SESSION AUTHORIZATION clerk",
                "",
                "refused session authorization clerk (SQLSTATE 22023)",
            ),
            (
                "SELECT a, 'secret' FROM there",
                "s1",
                "refused prepared statement s1 (SQLSTATE 42P01)",
            ),
            (
                "SELECT 'secret'::mood = $1",
                "s2",
                "the new server has no type public.mood",
            ),
            (
                "PREPARE p AS SELECT 'secret' FROM there",
                "",
                "refused prepared statement p (SQLSTATE 42P01)",
            ),
            (
                "DO $$BEGIN EXECUTE 'PREP' || 'ARE q AS SELECT ''secret'''; END$$",
                "",
                "",
            ),
            (
                "DO $$BEGIN EXECUTE ' PREPARE q AS SELECT ''secret''; SELECT 1'; END$$",
                "",
                "",
            ),
            (
                "PREPARE U&\"\\0061\" AS SELECT 'secret'; SELECT 1",
                "",
                "prepared statement a was prepared by a text that",
            ),
        ] {
            let mut old = Client::connect(source, &[]).await;
            match name.is_empty() {
                true => drop(old.query(sql).await),
                false => old.parse(name, sql).await,
            }
            let inventory = old.inventory().await;
            let mut new = Client::connect(target, &[]).await;
            let given = new.give(&inventory).await;
            if expected.is_empty() {
                assert!(
                    !given
                        .unwrap_or_else(|error| panic!("{sql}: {error}"))
                        .types_differ
                );
                continue;
            }
            let told = given.expect_err("not there").to_string();
            assert!(
                told.contains(expected) && !told.contains("secret"),
                "{sql}: {told}"
            );
        }
    });
}

#[test]
fn clients_hear_of_what_the_new_server_does_otherwise() {
    between("", async |pair, source, target| {
        pair.target
            .sql("ALTER DATABASE app SET timezone = 'Asia/Tokyo'");
        pair.target
            .sql("ALTER DATABASE app SET datestyle = 'German'");
        let mut old = Client::connect(source, &[]).await;
        old.query("SET datestyle = 'ISO, DMY'; LISTEN a").await;
        let inventory = old.inventory().await;
        let mut new = Client::connect(target, &[]).await;
        let given = new.give(&inventory).await.expect("given");
        let mut said = String::new();
        for text in
            changed_parameters(&inventory.parameters, &given.parameters).split(|byte| *byte == 0)
        {
            said.push_str(&String::from_utf8_lossy(text));
            said.push(' ');
        }
        assert!(
            said.contains("TimeZone Asia/Tokyo") && !said.contains("DateStyle"),
            "{said}"
        );
        assert_eq!(given.parameters.get("DateStyle"), Some(&b"ISO, DMY"[..]));
        assert_eq!(given.parameters.get("is_superuser"), Some(&b"on"[..]));
    });
}

#[test]
fn a_session_with_too_much_goes_on_where_it_is() {
    between("", async |_, source, _| {
        let mut old = Client::connect(source, &[]).await;
        let text = "x".repeat(1 << 20);
        for number in 0..17 {
            old.query(&format!("PREPARE p{number} AS SELECT '{text}' IS NULL"))
                .await;
        }
        let refused = old.take().await.expect_err("17 MB");
        assert!(matches!(refused, MoveError::TooLarge { .. }), "{refused:?}");
        assert_eq!(old.query("EXECUTE p3").await, [["f"]]);
        old.query("DEALLOCATE ALL").await;
        assert_eq!(old.inventory().await.statements, []);
    });
}
