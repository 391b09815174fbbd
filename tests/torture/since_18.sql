SET search_path = torture, public;
CREATE EXTENSION btree_gist;
CREATE TABLE periods (id int, during daterange, CONSTRAINT periods_key PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE within (id int, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES periods (id, PERIOD during));
INSERT INTO periods VALUES (1, '[2026-01-01,2027-01-01)'); INSERT INTO within VALUES (1, '[2026-02-01,2026-03-01)');
CREATE TABLE eighteen (id int PRIMARY KEY, a int, virtual int GENERATED ALWAYS AS (a * 2) VIRTUAL,
    CONSTRAINT loose CHECK (a > 0) NOT ENFORCED,
    CONSTRAINT loose_key FOREIGN KEY (a) REFERENCES eighteen NOT ENFORCED);
INSERT INTO eighteen VALUES (1, -5);
ALTER TABLE eighteen ADD CONSTRAINT some_day NOT NULL a NOT VALID;
