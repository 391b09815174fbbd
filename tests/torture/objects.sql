-- Everything that a database can contain, in forms that every supported server knows.
SET client_min_messages = warning;

CREATE SCHEMA torture;
CREATE SCHEMA "Weird "" Schema.with.dots";
CREATE SCHEMA "FK CONSTRAINT";
COMMENT ON SCHEMA torture IS 'it''s a \ "schema"';
SET search_path = torture, public;

-- Roles are made by the test on both sides: torture_owner, torture_reader, "Weird Role".
GRANT USAGE ON SCHEMA torture TO torture_reader;
GRANT USAGE, CREATE ON SCHEMA torture TO torture_owner WITH GRANT OPTION;

-- Types.
CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s', 'happy');
ALTER TYPE mood ADD VALUE 'between' BEFORE 'happy';
CREATE TYPE "FK CONSTRAINT"."Weird "" Type" AS (a int, "B b" text, c mood[]);
COMMENT ON COLUMN "FK CONSTRAINT"."Weird "" Type"."B b" IS 'of a type';
CREATE DOMAIN positive AS numeric(12, 3) DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0);
COMMENT ON CONSTRAINT above ON DOMAIN positive IS 'of a domain';
CREATE DOMAIN words AS text[] CHECK (array_length(VALUE, 1) < 100);
CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE shell;
CREATE COLLATION plain (locale = 'C');
COMMENT ON COLLATION plain IS 'bytes';
CREATE TYPE compressed AS RANGE (subtype = text, collation = plain);

-- A base type of its own.
CREATE TYPE loud;
CREATE FUNCTION loud_in(cstring) RETURNS loud LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION loud_out(loud) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE loud (INPUT = loud_in, OUTPUT = loud_out, LIKE = text, CATEGORY = 'S');
CREATE CAST (loud AS text) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (text AS loud) WITHOUT FUNCTION;
COMMENT ON CAST (loud AS text) IS 'of a type of its own';

-- Functions, procedures, aggregates, operators, operator classes.
CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 7
    AS 'SELECT a + b';
CREATE FUNCTION "Weird "" Function"(VARIADIC "a b" text[]) RETURNS SETOF text LANGUAGE plpgsql
    SET search_path = pg_catalog SECURITY DEFINER ROWS 17 AS $weird$
BEGIN
    -- $$ ; \restrict x
    RETURN QUERY SELECT unnest("a b");
END $weird$;
CREATE FUNCTION looks_like_a_dump() RETURNS text LANGUAGE sql AS $$
--
-- Name: mood; Type: TYPE; Schema: torture; Owner: postgres
--
SELECT '\restrict abc
\unrestrict abc
';
$$;
CREATE PROCEDURE proceed(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n + 1; END $$;
COMMENT ON PROCEDURE proceed IS 'a procedure';
REVOKE ALL ON FUNCTION add FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add TO torture_reader;
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = safe);
CREATE AGGREGATE middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
COMMENT ON AGGREGATE total(int) IS 'an aggregate';
CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same, COMMUTATOR = ===,
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR === (int, int) IS 'an operator';
CREATE OPERATOR FAMILY numbers USING btree;
CREATE FUNCTION backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS reverse FOR TYPE int USING btree FAMILY numbers AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <,
    FUNCTION 1 backwards(int, int);
COMMENT ON OPERATOR CLASS reverse USING btree IS 'an operator class';
CREATE CONVERSION turn FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD btree2 TYPE INDEX HANDLER bthandler;
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal),
    TO SQL WITH FUNCTION int4recv(internal));
CREATE FUNCTION own_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION own_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION own_validator(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE "it's PL" HANDLER own_handler INLINE own_inline VALIDATOR own_validator;
CREATE FUNCTION in_own_language() RETURNS int LANGUAGE "it's PL" AS 'BEGIN RETURN 1; END';
COMMENT ON LANGUAGE "it's PL" IS 'a language';
GRANT USAGE ON LANGUAGE "it's PL" TO torture_reader;

-- Text search.
CREATE TEXT SEARCH PARSER split (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
    LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE simply (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION mine (COPY = english);
ALTER TEXT SEARCH CONFIGURATION mine ALTER MAPPING FOR asciiword WITH short, english_stem;
COMMENT ON TEXT SEARCH CONFIGURATION mine IS 'a configuration';

-- Tables: every type.
CREATE TABLE every_type (
    id bigint PRIMARY KEY,
    small smallint, big bigint, amount numeric, exact numeric(30, 10), single real, double float8,
    cash money, flag bool, tag "char", fixed char(7), short varchar(20), line text, label name,
    raw bytea, at timestamptz, at_plain timestamp(3), day date, clock time, clock_zone timetz,
    span interval, day_span interval day to second, bits bit(5), many_bits varbit, ip inet,
    net cidr, mac macaddr, mac8 macaddr8, mark uuid, dot point, edge line, part lseg, field box,
    way path, shape polygon, ring circle, doc json, bin jsonb, way_in jsonpath, page xml,
    vector tsvector, query tsquery, position pg_lsn, snapshot txid_snapshot, row_id tid,
    xid_ xid, cid_ cid, oid_ oid, class regclass, kind regtype, func regprocedure,
    ints int4range, bigs int8range, nums numrange, stamps tsrange, zone_stamps tstzrange,
    days daterange, own_range floats, collated compressed,
    state mood, states mood[], plus positive, some_words words, pair "FK CONSTRAINT"."Weird "" Type",
    pairs "FK CONSTRAINT"."Weird "" Type"[], shout loud,
    grid int[][], stamps_list timestamptz[], docs jsonb[], raws bytea[], ranges int4range[],
    lower_case text COLLATE plain, refs refcursor, words_2 int2vector, words_4 oidvector);
INSERT INTO every_type VALUES
    (1, -32768, 9223372036854775807, 'NaN', 12345678901234567890.0123456789, 'NaN', '-Infinity',
     '12.34', true, 'x', 'ab', 'short', E'tab\t line\n \\ äöü 😀', 'name', '\x00ff5c0a27',
     '0044-03-15 12:00:00.123456+00 BC', 'infinity', '-infinity', '24:00:00', '04:05:06.789-12:34',
     '1 year 2 mons -3 days 04:05:06.789', '3 days', B'10101', B'', '::1/64', '10.0.0.0/8',
     '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
     '(1.5,-2e-300)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '((0,0),(1,1),(2,0))',
     '((0,0),(1,1),(2,0))', '<(0,0),1.5>', '{"b":  1, "b": [1e400]}', '{"b": 1, "a": [null]}',
     '$.a[*] ? (@ > 1)', NULL, '''a'':1A ''b c'':2', '''a'' & !(''b'' | ''c'':*)',
     '16/B374D848', '10:20:10,14,15', '(42,7)', '7', '8', '4294967295', 'pg_class', 'int4',
     'int4pl(int4,int4)', '[1,3)', '[1,)', '(,1.5]', 'empty', '[2026-01-01,infinity)', '[2026-01-01,2026-02-01)',
     '[1.5,2.5]', '[a,b)', 'so so', '{sad,NULL}', 0.001, '{a,"b c",NULL}', '(1,"a ""b"", c","{sad}")',
     '{"(1,x,{})",NULL}', 'LOUD', '{{1,2},{3,4}}', '{2026-01-01 00:00+00,NULL}', '{"{\"a\": 1}"}',
     '{"\\x00",""}', '{"[1,3)",empty}', 'c', 'cursor', '1 2 3', '4 5'),
    (2, 32767, -9223372036854775808, repeat('9', 1000)::numeric, -0.0000000001, 1e-45, 5e-324,
     '-92233720368547758.08', false, '', '', '', '', '', '', 'infinity', '4713-01-01 00:00:00 BC',
     '5000-01-01', '00:00:00', '00:00:00+15', '-178000000 years', '-1 days', B'00000',
     B'111111111', '0.0.0.0', '::/0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     'null', 'null', NULL, NULL, '', NULL, '0/0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     'empty', '(,)', '(,)', NULL, NULL, NULL, NULL, NULL, NULL, '{}', 1, '{}', '(,,)', '{}', '',
     '[0:1][2:3]={{1,2},{3,4}}', '{}', '{}', '{}', '{}', NULL, NULL, '', '');
-- Not every server is built with XML.
DO $$ BEGIN UPDATE every_type SET page = '<a x="1">&amp;</a>' WHERE id = 1;
    EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
INSERT INTO every_type (id, plus) SELECT n, n FROM generate_series(3, 200) n;

-- Tables: keys, indexes, constraints.
CREATE TABLE "Weird "" Name" ("select" int PRIMARY KEY, "Col "" umn" text, "a.b" int, "ö ñ 漢" text,
    "sixty three bytes sixty three bytes sixty three bytes sixty thr" int, "line
feed" int, "it's \ -- ;" int);
INSERT INTO "Weird "" Name" SELECT n, 'x' || n, n, 'ö', n, n, n FROM generate_series(1, 50) n;
CREATE INDEX "Index "" of it" ON "Weird "" Name" ("Col "" umn", "ö ñ 漢");
COMMENT ON TABLE "Weird "" Name" IS E'line\nfeed; -- ''quoted'' \\ 漢';
COMMENT ON COLUMN "Weird "" Name"."Col "" umn" IS 'a column';
COMMENT ON INDEX "Index "" of it" IS 'an index';
CREATE TABLE "Weird "" Schema.with.dots"."sixty three bytes sixty three bytes sixty three bytes sixty tha"
    (id int REFERENCES "Weird "" Name", v "FK CONSTRAINT"."Weird "" Type");
INSERT INTO "Weird "" Schema.with.dots"."sixty three bytes sixty three bytes sixty three bytes sixty tha"
    VALUES (1, '(1,b,{happy})'), (2, NULL);
CREATE TABLE "Ünïcödé 漢字" ("Ünïcödé 漢字" serial PRIMARY KEY, t text);
INSERT INTO "Ünïcödé 漢字" (t) VALUES ('漢'), (E'\u00e9');

CREATE TABLE keys (
    id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 7) PRIMARY KEY,
    other bigint GENERATED BY DEFAULT AS IDENTITY,
    a int NOT NULL, b int, c text, during int4range,
    twice int GENERATED ALWAYS AS (a * 2) STORED,
    CONSTRAINT checked CHECK (a > 0) NO INHERIT,
    CONSTRAINT "Unique "" one" UNIQUE (a) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (b, c) INCLUDE (during),
    EXCLUDE USING gist (during WITH &&) WHERE (b > 10) DEFERRABLE);
INSERT INTO keys (a, b, c, during) SELECT n, n, 'c' || n, int4range(n, n + 1) FROM generate_series(1, 300) n;
COMMENT ON CONSTRAINT checked ON keys IS 'checked';
COMMENT ON CONSTRAINT "Unique "" one" ON keys IS 'unique';
CREATE INDEX keys_partial ON keys (a) WHERE b > 100;
CREATE INDEX keys_expression ON keys (lower(c), (a + b) DESC NULLS LAST);
ALTER INDEX keys_expression ALTER COLUMN 2 SET STATISTICS 500;
CREATE INDEX keys_hash ON keys USING hash (c);
CREATE INDEX keys_brin ON keys USING brin (a) WITH (pages_per_range = 4);
CREATE INDEX keys_opclass ON keys (a reverse, c text_pattern_ops);
CREATE INDEX keys_fill ON keys (b) WITH (fillfactor = 70);
ALTER TABLE keys CLUSTER ON keys_fill;
ALTER TABLE keys ALTER c SET STATISTICS 77, ALTER c SET STORAGE EXTERNAL, ALTER a SET (n_distinct = -0.5);
ALTER TABLE keys SET (fillfactor = 50, autovacuum_enabled = false);
CREATE TABLE not_yet (id int PRIMARY KEY, a int, CONSTRAINT later CHECK (a > 5));
ALTER TABLE not_yet DROP CONSTRAINT later;
INSERT INTO not_yet VALUES (1, 1), (2, 9);
ALTER TABLE not_yet ADD CONSTRAINT later CHECK (a > 5) NOT VALID;
CREATE TABLE references_ (id int PRIMARY KEY, a int, b int, c text, self int REFERENCES references_,
    FOREIGN KEY (b, c) REFERENCES keys (b, c) MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE
        DEFERRABLE INITIALLY DEFERRED);
INSERT INTO references_ VALUES (1, 1, 1, 'c1', 1), (2, 999, NULL, NULL, 1);
ALTER TABLE references_ ADD CONSTRAINT unchecked FOREIGN KEY (a) REFERENCES not_yet NOT VALID;
COMMENT ON CONSTRAINT unchecked ON references_ IS 'not valid';

-- Tables: replica identities, and other kinds of table.
CREATE TABLE identity_full (a int, b json); ALTER TABLE identity_full REPLICA IDENTITY FULL;
CREATE TABLE identity_index (a int NOT NULL, b int); CREATE UNIQUE INDEX identity_key ON identity_index (a);
ALTER TABLE identity_index REPLICA IDENTITY USING INDEX identity_key;
CREATE TABLE identity_nothing (a int PRIMARY KEY); ALTER TABLE identity_nothing REPLICA IDENTITY NOTHING;
INSERT INTO identity_full VALUES (1, '{}'), (1, '{}'), (NULL, NULL);
INSERT INTO identity_index VALUES (1, 1); INSERT INTO identity_nothing VALUES (1);
CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE no_rows (a int, b text);
CREATE TABLE only_generated (g int GENERATED ALWAYS AS (42) STORED);
INSERT INTO only_generated DEFAULT VALUES; INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE dropped (gone int, a int, also_gone text, b text PRIMARY KEY, last int);
ALTER TABLE dropped DROP gone, DROP also_gone; INSERT INTO dropped VALUES (1, 'b', 2);
ALTER TABLE dropped ADD later text DEFAULT 'filled in'; ALTER TABLE dropped DROP last;
CREATE TABLE toasted (id int PRIMARY KEY, body text, raw bytea);
ALTER TABLE toasted ALTER body SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT n, repeat(md5(n::text), 5000), decode(repeat(md5(n::text), 3000), 'hex') FROM generate_series(1, 5) n;
CREATE UNLOGGED TABLE forgetful (id serial PRIMARY KEY, a int); INSERT INTO forgetful (a) VALUES (1), (2);
CREATE TABLE of_type OF "FK CONSTRAINT"."Weird "" Type" (a NOT NULL, PRIMARY KEY (a));
INSERT INTO of_type VALUES (1, 'x', '{}');
CREATE TABLE other_method (a int, b text) USING heap2; INSERT INTO other_method VALUES (1, 'x');
CREATE TABLE copied (LIKE keys INCLUDING ALL EXCLUDING IDENTITY);

-- Inheritance, with columns of their own order, defaults that differ, several parents.
CREATE TABLE base (a int DEFAULT 1, b text, CONSTRAINT base_check CHECK (a < 1000));
CREATE TABLE base_2 (b text, z int);
CREATE TABLE heir (c int) INHERITS (base); ALTER TABLE heir ALTER a SET DEFAULT 2;
CREATE TABLE heir_2 (d int, z int) INHERITS (base, base_2);
INSERT INTO base VALUES (1, 'base'); INSERT INTO heir VALUES (2, 'heir', 3); INSERT INTO heir_2 VALUES (3, 'heir 2', 4, 5);

-- Partitions three deep, of each kind, with a default, a column order of its own, and indexes.
CREATE TABLE parts (id int, day date NOT NULL, region text, n int, PRIMARY KEY (id, day, region)) PARTITION BY RANGE (day);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (region);
CREATE TABLE parts_2026_eu PARTITION OF parts_2026 FOR VALUES IN ('de', 'fr') PARTITION BY HASH (id);
CREATE TABLE parts_2026_eu_0 PARTITION OF parts_2026_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE "parts_2026_eu_""1""" (n int, region text NOT NULL, day date NOT NULL, gone int, id int NOT NULL);
ALTER TABLE "parts_2026_eu_""1""" DROP gone;
ALTER TABLE parts_2026_eu ATTACH PARTITION "parts_2026_eu_""1""" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts_2026_rest PARTITION OF parts_2026 DEFAULT;
CREATE TABLE parts_default PARTITION OF parts (n DEFAULT 7) DEFAULT;
CREATE INDEX parts_n ON parts (n);
CREATE INDEX parts_own ON parts_2026_eu_0 (n DESC);
CREATE UNIQUE INDEX parts_only ON ONLY parts (day, region, id, n);
ALTER TABLE parts ADD CONSTRAINT parts_check CHECK (n >= 0);
COMMENT ON INDEX parts_n IS 'partitioned';
COMMENT ON TABLE parts_2026_eu IS 'between';
CREATE TABLE of_parts (id int, day date, region text, FOREIGN KEY (id, day, region) REFERENCES parts);
ALTER TABLE parts ADD CONSTRAINT parts_fkey FOREIGN KEY (n) REFERENCES identity_nothing ON DELETE CASCADE;
INSERT INTO parts SELECT n, '2026-01-01'::date + n, (ARRAY['de', 'fr', 'us', 'jp'])[n % 4 + 1], 1 FROM generate_series(1, 500) n;
INSERT INTO parts VALUES (1, '1999-01-01', 'de', NULL);
INSERT INTO of_parts VALUES (1, '1999-01-01', 'de');
CREATE TABLE by_expression (a int, b text) PARTITION BY RANGE (lower(b) COLLATE plain, (a % 10));
CREATE TABLE by_expression_1 PARTITION OF by_expression FOR VALUES FROM (MINVALUE, MINVALUE) TO ('m', 5);
INSERT INTO by_expression VALUES (1, 'A');

-- Sequences.
CREATE SEQUENCE standing AS smallint INCREMENT -3 MINVALUE -1000 MAXVALUE 10 START 7 CACHE 5 CYCLE;
CREATE SEQUENCE never_called; CREATE SEQUENCE owned OWNED BY keys.b;
SELECT nextval('standing'), nextval('standing'), setval('owned', 9000000000, false);
ALTER TABLE not_yet ALTER a SET DEFAULT nextval('never_called');
COMMENT ON SEQUENCE standing IS 'a sequence';

-- Views, rules, triggers, policies.
CREATE VIEW seen AS SELECT k.id, k.a, n."Col "" umn" FROM keys k JOIN "Weird "" Name" n ON n."select" = k.a;
CREATE VIEW grouped AS SELECT id, a, count(*) FROM keys GROUP BY id;
CREATE VIEW updatable WITH (security_barrier) AS SELECT a, b FROM identity_index WHERE a > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW updatable ALTER b SET DEFAULT 5;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE VIEW around_1 AS SELECT 1 AS x; CREATE VIEW around_2 AS SELECT x FROM around_1;
CREATE OR REPLACE VIEW around_1 AS SELECT 2 AS x;
COMMENT ON VIEW seen IS 'a view';
GRANT SELECT (id, a), UPDATE (a) ON keys TO torture_reader;
GRANT SELECT ON seen TO torture_reader, "Weird Role" WITH GRANT OPTION;
CREATE RULE no_delete AS ON DELETE TO identity_nothing DO INSTEAD NOTHING;
CREATE RULE also AS ON INSERT TO updatable WHERE new.a > 100 DO ALSO INSERT INTO no_rows VALUES (new.a);
COMMENT ON RULE no_delete ON identity_nothing IS 'a rule';
ALTER TABLE identity_nothing DISABLE RULE no_delete;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER normal BEFORE INSERT OR UPDATE OF a ON keys FOR EACH ROW WHEN (new.a > 5) EXECUTE FUNCTION touch('an argument', '2');
CREATE TRIGGER disabled BEFORE INSERT ON keys FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE keys DISABLE TRIGGER disabled;
CREATE TRIGGER always BEFORE INSERT ON identity_full FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE identity_full ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER replica BEFORE INSERT ON identity_full FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE identity_full ENABLE REPLICA TRIGGER replica;
CREATE TRIGGER statement AFTER UPDATE ON identity_index REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON identity_index DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER on_parts AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER instead INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER truncated BEFORE TRUNCATE ON keys EXECUTE FUNCTION nothing();
COMMENT ON TRIGGER normal ON keys IS 'a trigger';
ALTER TABLE identity_index ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "Weird "" Policy" ON identity_index AS RESTRICTIVE FOR UPDATE TO torture_reader, "Weird Role" USING (a > 0) WITH CHECK (b IS NOT NULL);
CREATE POLICY everyone ON identity_index USING (true);
COMMENT ON POLICY everyone ON identity_index IS 'a policy';

-- Statistics, publications, foreign data, event triggers, privileges.
CREATE STATISTICS two_columns (ndistinct, dependencies) ON a, b FROM keys;
COMMENT ON STATISTICS two_columns IS 'statistics';
CREATE PUBLICATION a_few FOR TABLE keys, "Weird "" Name" WITH (publish = 'insert, delete');
CREATE PUBLICATION everything FOR ALL TABLES;
COMMENT ON PUBLICATION a_few IS 'a publication';
CREATE FOREIGN DATA WRAPPER nobody OPTIONS (a 'x');
CREATE SERVER "far away" TYPE 'none' VERSION '1' FOREIGN DATA WRAPPER nobody OPTIONS (host 'it''s');
CREATE USER MAPPING FOR torture_reader SERVER "far away" OPTIONS ("user" 'x');
CREATE USER MAPPING FOR PUBLIC SERVER "far away";
CREATE FOREIGN TABLE abroad (id int OPTIONS (name 'x') NOT NULL, t text COLLATE plain DEFAULT 'x', CHECK (id > 0))
    SERVER "far away" OPTIONS (table 'y');
CREATE FOREIGN TABLE abroad_part PARTITION OF by_expression FOR VALUES FROM ('n', 0) TO ('o', 0) SERVER "far away";
COMMENT ON FOREIGN TABLE abroad IS 'foreign';
GRANT USAGE ON FOREIGN SERVER "far away" TO torture_reader;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('torture.watch', true) = 'on' THEN RAISE EXCEPTION 'watched %', tg_tag; END IF; END $$;
CREATE EVENT TRIGGER watching ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION watch();
ALTER EVENT TRIGGER watching ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER watching IS 'an event trigger';
ALTER DEFAULT PRIVILEGES FOR ROLE torture_owner IN SCHEMA torture GRANT SELECT, INSERT ON TABLES TO torture_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE torture_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA "FK CONSTRAINT" GRANT ALL ON TYPES TO torture_reader;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO torture_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO "Weird Role";
ALTER DEFAULT PRIVILEGES REVOKE ALL ON SEQUENCES FROM CURRENT_USER;
ALTER TABLE toasted OWNER TO torture_owner; ALTER FUNCTION watch OWNER TO "Weird Role";
ALTER TYPE mood OWNER TO torture_owner; ALTER SCHEMA "FK CONSTRAINT" OWNER TO "Weird Role";
GRANT USAGE ON TYPE mood TO torture_reader; REVOKE ALL ON TYPE positive FROM PUBLIC;
GRANT ALL ON TABLE toasted TO "Weird Role"; REVOKE DELETE ON toasted FROM torture_owner;
GRANT USAGE ON SEQUENCE standing TO torture_reader;
REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;

CREATE MATERIALIZED VIEW mat_base AS SELECT a, b, c FROM keys WHERE a % 2 = 0;
CREATE UNIQUE INDEX mat_base_key ON mat_base (a);
CREATE MATERIALIZED VIEW "mat on ""mat""" AS SELECT count(*) AS count, max(b) AS max FROM mat_base;
CREATE VIEW on_mat AS SELECT * FROM "mat on ""mat""";
CREATE MATERIALIZED VIEW mat_on_view AS SELECT count * 2 AS twice FROM on_mat;
CREATE MATERIALIZED VIEW mat_never AS SELECT 1 / a AS one FROM keys WITH NO DATA;
COMMENT ON MATERIALIZED VIEW mat_base IS 'materialized';
ALTER MATERIALIZED VIEW mat_base OWNER TO torture_owner;
GRANT SELECT ON mat_base TO torture_reader;
GRANT USAGE ON SCHEMA torture TO torture_owner; GRANT SELECT ON keys TO torture_owner;
CREATE INDEX invalid ON keys (b, a);
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'invalid'::regclass;
SELECT pg_catalog.lo_from_bytea(70001, 'small'), pg_catalog.lo_from_bytea(70002, ''),
       pg_catalog.lo_from_bytea(4000000000, pg_catalog.decode(repeat('00ff27', 300000), 'hex'));
COMMENT ON LARGE OBJECT 70001 IS 'a large object''s comment';
ALTER LARGE OBJECT 70002 OWNER TO "Weird Role";
GRANT SELECT ON LARGE OBJECT 70001 TO torture_reader;
