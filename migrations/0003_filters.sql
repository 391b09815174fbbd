-- Filters: what a run was begun with, and tables that are made and stay empty.
-- Both are the copy supervisor's.

-- In one fixed form, so that a resume can tell others; none if nothing is left out.
ALTER TABLE run ADD COLUMN filters TEXT;

-- Tables whose rows are neither copied nor captured. Their definitions are made, so they are not
-- in left_out.
CREATE TABLE rows_left_out (
    table_oid INTEGER PRIMARY KEY,
    schema    TEXT NOT NULL,
    name      TEXT NOT NULL,
    reason    TEXT NOT NULL            -- for people: the section of the filters
) STRICT;
