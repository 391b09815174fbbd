-- The range of keys that a part is, as JSON; none for one that ends with its snapshot.
ALTER TABLE source_part ADD COLUMN key_range TEXT;

-- Rows that moved from one part into another and of which the stream does not carry all: apply asks
-- for them, the supervisor copies them anew. That it has is in the ledger on the target.
CREATE TABLE wanted_row (
    schema    TEXT NOT NULL,
    name      TEXT NOT NULL,
    key_value TEXT NOT NULL,
    xid       INTEGER NOT NULL,        -- the transaction that moved it
    PRIMARY KEY (schema, name, key_value, xid)
) STRICT, WITHOUT ROWID;
