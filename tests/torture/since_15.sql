SET search_path = torture, public;
CREATE TABLE nulls (a int, b int, c int, UNIQUE NULLS NOT DISTINCT (a, b));
CREATE UNIQUE INDEX nulls_c ON nulls (c) NULLS NOT DISTINCT;
INSERT INTO nulls VALUES (1, NULL, NULL), (NULL, NULL, 1);
CREATE TABLE partly (id int PRIMARY KEY, b int, c text, FOREIGN KEY (b, c) REFERENCES keys (b, c) ON DELETE SET NULL (c));
CREATE PUBLICATION filtered FOR TABLE keys (id, a) WHERE (a > 10) WITH (publish = 'insert');
CREATE PUBLICATION of_schema FOR TABLE no_rows, TABLES IN SCHEMA "FK CONSTRAINT";
CREATE VIEW as_caller WITH (security_invoker) AS SELECT a FROM identity_index;
-- Not every server is built with ICU.
DO $$ BEGIN
    CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
    CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE collated (a text COLLATE german PRIMARY KEY, b text COLLATE blind UNIQUE);
    INSERT INTO collated VALUES ('ä', 'A'), ('z', 'b');
EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
