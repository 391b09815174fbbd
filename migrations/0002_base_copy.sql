-- What the base copy leaves out, the parts that it cuts tables into, and how far it is.
-- All are the copy supervisor's.

-- Objects of the source that the target does not get from us: what filters and options leave out,
-- with all that depends on it. A dump's entries are left out by these OIDs, never by name.
CREATE TABLE left_out (
    catalog_oid INTEGER NOT NULL,      -- the catalog it stands in: pg_class, pg_constraint, ...
    object_oid  INTEGER NOT NULL,
    kind        TEXT NOT NULL,         -- for people: table, index, extension, ...
    schema      TEXT,                  -- none for what is in no schema
    name        TEXT NOT NULL,
    reason      TEXT NOT NULL,         -- for people: the section of the filters, or the option
    PRIMARY KEY (catalog_oid, object_oid)
) STRICT, WITHOUT ROWID;

-- The parts of tables that are copied in several; a table that is not here is copied as one.
CREATE TABLE source_part (
    table_oid INTEGER NOT NULL REFERENCES source_table (oid),
    part      INTEGER NOT NULL,        -- from 0
    condition TEXT NOT NULL,           -- SQL: which of the table's rows
    by_key    INTEGER NOT NULL,        -- 1: ranges of a key; 0: ranges of ctid
    bytes     INTEGER NOT NULL,        -- estimated
    PRIMARY KEY (table_oid, part)
) STRICT, WITHOUT ROWID;

-- How far the copy is, for people; the truth is the ledger on the target. Written a few times a
-- second at most.
DROP TABLE table_copy;
CREATE TABLE part_copy (
    table_oid    INTEGER NOT NULL REFERENCES source_table (oid),
    part         INTEGER NOT NULL,     -- from 0; a table that is copied as one has part 0
    begun_at     REAL NOT NULL,
    finished_at  REAL,
    epoch        INTEGER NOT NULL,
    copied_rows  INTEGER NOT NULL,     -- known when it is finished
    copied_bytes INTEGER NOT NULL,
    PRIMARY KEY (table_oid, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE index_build (
    index_oid   INTEGER PRIMARY KEY REFERENCES source_index (oid),
    begun_at    REAL NOT NULL,
    finished_at REAL
) STRICT;
