-- The store's first version. Never edited once released; a change is a new file.
--
-- One writer a table group:
--   the copy supervisor   run, step, source_table, source_index, table_copy
--   receive               receive_position
--   apply                 apply_position
--   the operator          sentinel
-- LSNs are text as PostgreSQL prints them; times are seconds since 1970 with a fraction.

-- What this work directory was begun with. No password is ever written.
CREATE TABLE run (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    source            TEXT NOT NULL,
    target            TEXT,
    source_system     TEXT NOT NULL,   -- system identifier and database of the source
    target_system     TEXT,
    slot              TEXT,            -- none without change capture
    origin            TEXT,
    publication       TEXT,
    plugin            TEXT,
    timeline          INTEGER,
    wal_segment_bytes INTEGER,
    slot_snapshot     TEXT,            -- what was visible at the slot's consistent point
    slot_lsn          TEXT,
    begun_at          REAL NOT NULL,
    finished_at       REAL
) STRICT;

-- Stages of the base copy, each done once.
CREATE TABLE step (
    name        TEXT PRIMARY KEY,
    begun_at    REAL NOT NULL,
    finished_at REAL
) STRICT;

-- The catalog of the source, as it was when the schema was dumped.
CREATE TABLE source_table (
    oid           INTEGER PRIMARY KEY,
    schema        TEXT NOT NULL,
    name          TEXT NOT NULL,
    columns       TEXT NOT NULL,       -- JSON array: the columns COPY moves
    bytes         INTEGER NOT NULL,
    estimated_rows INTEGER NOT NULL,
    identity      TEXT NOT NULL,       -- row, insert-only: what can be captured
    uncaptured    INTEGER NOT NULL     -- updates and deletes counted when the slot was made
) STRICT;

CREATE TABLE source_index (
    oid            INTEGER PRIMARY KEY,
    table_oid      INTEGER NOT NULL REFERENCES source_table (oid),
    schema         TEXT NOT NULL,
    name           TEXT NOT NULL,
    bytes          INTEGER NOT NULL,
    sql            TEXT NOT NULL,      -- creates the index; empty if its constraint does
    constraint_oid INTEGER,
    constraint_name TEXT,
    constraint_sql TEXT,               -- adds the constraint
    extra_sql      TEXT                -- clustering, replica identity
) STRICT;

-- The copy of each table, for people; the truth is the ledger on the target.
CREATE TABLE table_copy (
    table_oid   INTEGER PRIMARY KEY REFERENCES source_table (oid),
    begun_at    REAL NOT NULL,
    finished_at REAL,
    epoch       INTEGER NOT NULL,
    copied_rows INTEGER NOT NULL DEFAULT 0,
    copied_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What steers streaming.
CREATE TABLE sentinel (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    startpos       TEXT NOT NULL DEFAULT '0/0',
    endpos         TEXT NOT NULL DEFAULT '0/0',
    endpos_movable INTEGER NOT NULL DEFAULT 0, -- set by --current: apply may raise it to where it is
    apply          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE receive_position (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    write_lsn TEXT NOT NULL DEFAULT '0/0',
    flush_lsn TEXT NOT NULL DEFAULT '0/0'
) STRICT;

CREATE TABLE apply_position (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    replay_lsn  TEXT NOT NULL DEFAULT '0/0',
    seen_endpos TEXT NOT NULL DEFAULT '0/0'   -- the endpos that apply acts on
) STRICT;

INSERT INTO sentinel (id) VALUES (1);
INSERT INTO receive_position (id) VALUES (1);
INSERT INTO apply_position (id) VALUES (1);
