SET search_path = torture, public;
CREATE TABLE multiranges (id int PRIMARY KEY, a int4multirange, b tstzmultirange, c nummultirange, d floats_multirange,
    big numeric, squeezed text COMPRESSION pglz, e int4multirange[], snap pg_snapshot, x8 xid8);
INSERT INTO multiranges VALUES
    (1, '{[1,3),[5,7)}', '{[2026-01-01,infinity)}', '{}', '{[1.5,2.5]}', 'Infinity', repeat('x', 10000), '{"{[1,2)}"}', '10:20:10,14,15', '12345678901'),
    (2, '{}', '{}', '{(,)}', NULL, '-Infinity', NULL, '{}', NULL, NULL);
CREATE STATISTICS of_expressions ON (a + b), lower(c) FROM keys;
ALTER STATISTICS of_expressions SET STATISTICS 50;
CREATE FUNCTION standard(a int, OUT b int) LANGUAGE sql RETURN a + 1;
CREATE PROCEDURE atomic() LANGUAGE sql BEGIN ATOMIC INSERT INTO no_rows (a) VALUES (1); DELETE FROM no_rows; END;
CREATE FUNCTION subscript_like(anycompatible, anycompatiblearray) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
CREATE TABLE on_trigger (a int, b int) PARTITION BY LIST (a);
CREATE TRIGGER cloned AFTER INSERT ON on_trigger FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TABLE on_trigger_1 PARTITION OF on_trigger FOR VALUES IN (1);
ALTER TABLE on_trigger_1 DISABLE TRIGGER cloned;
