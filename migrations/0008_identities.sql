-- Setup's: replica identities of the source's tables that this run changes. Written before a change,
-- removed after it has been put back.
CREATE TABLE changed_identity (
    oid          INTEGER PRIMARY KEY,  -- of the table, on the source
    schema       TEXT NOT NULL,        -- what the table was called then
    name         TEXT NOT NULL,
    before_kind  TEXT NOT NULL,        -- d, n, f or i, as pg_class.relreplident
    before_index TEXT,                 -- the index of i
    made_kind    TEXT NOT NULL,
    made_index   TEXT
) STRICT;
