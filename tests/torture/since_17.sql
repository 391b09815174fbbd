SET search_path = torture, public;
GRANT MAINTAIN ON keys TO torture_reader;
CREATE TABLE identity_parts (id int GENERATED ALWAYS AS IDENTITY, a int) PARTITION BY RANGE (a);
CREATE TABLE identity_parts_1 PARTITION OF identity_parts FOR VALUES FROM (0) TO (10);
INSERT INTO identity_parts (a) VALUES (1), (2);
CREATE COLLATION built_in (provider = builtin, locale = 'C.UTF-8');
CREATE EVENT TRIGGER on_login ON login EXECUTE FUNCTION watch();
ALTER EVENT TRIGGER on_login DISABLE;
