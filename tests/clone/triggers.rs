//! Triggers of the target's tables while changes are applied.

use super::{Following, end_now};
use crate::support::{PLUGINS, Pair, allow_plugin};

/// Notes what happens, in the order in which it happens, with what it saw of the table.
const TRIGGERS: &str = "
    CREATE TABLE seen (at serial, what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.seen (what) VALUES (TG_NAME || ' ' || TG_OP || ' ' ||
            coalesce(NEW.id, OLD.id) || ' of ' || (SELECT count(*) FROM public.t));
        RETURN NULL; END $$;
    CREATE TRIGGER ordinary AFTER INSERT OR UPDATE OR DELETE ON t
        FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER always AFTER INSERT OR UPDATE OR DELETE ON t
        FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER replica AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE t ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica";

#[test]
fn triggers_that_fire_on_a_replica_see_each_row_in_its_order_and_ordinary_ones_never_fire() {
    for plugin in PLUGINS {
        let pair = Pair::new();
        if !allow_plugin(&pair.source, plugin) {
            continue;
        }
        pair.source
            .sql("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1)");
        let following = Following::start_with(&pair, plugin).until_live();
        pair.target.sql(TRIGGERS);
        pair.source.sql(
            "BEGIN; INSERT INTO t VALUES (2, 2); UPDATE t SET n = 5 WHERE id = 2;
             INSERT INTO t VALUES (3, 3); DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 9);
             COMMIT;
             UPDATE t SET id = 7 WHERE id = 3; DELETE FROM t WHERE id = 2",
        );
        end_now(&pair);
        following.run.wait_for_exit().assert_code(0);
        let seen = pair.target.rows("SELECT what FROM seen ORDER BY at");
        let seen: Vec<_> = seen.iter().map(|row| row[0].as_str()).collect();
        let expected = [
            "always INSERT 2 of 2",
            "always UPDATE 2 of 2",
            "always INSERT 3 of 3",
            "always DELETE 1 of 2",
            "replica DELETE 1 of 2",
            "always INSERT 1 of 3",
            "always UPDATE 7 of 3",
            "always DELETE 2 of 2",
            "replica DELETE 2 of 2",
        ];
        assert_eq!(seen, expected, "{plugin}");
        let rows = "SELECT id, n FROM t ORDER BY id";
        assert_eq!(pair.target.rows(rows), pair.source.rows(rows));
    }
}
