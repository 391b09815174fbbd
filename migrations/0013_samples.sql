-- How far a migration was at moments of it, for those who look back. Written by who runs: clone,
-- follow. A report: nothing is decided by it.
CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    -- Moved so far by this run and those before it.
    copied_rows INTEGER NOT NULL,
    copied_bytes INTEGER NOT NULL,
    -- How far the source's WAL was, as last heard; how far it was received, and applied.
    source_lsn TEXT NOT NULL,
    flush_lsn TEXT NOT NULL,
    replay_lsn TEXT NOT NULL,
    -- How far the target was behind: the most since the sample before. Null without change capture.
    lag_bytes INTEGER,
    lag_seconds REAL
) STRICT;
-- How far apart samples are: whenever there are too many, every second one goes, and this doubles.
CREATE TABLE sampling (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    every_seconds INTEGER NOT NULL
) STRICT;
INSERT INTO sampling (only, every_seconds) VALUES (1, 1);

-- What was run on this work directory, as it was typed, passwords hidden; the last few hundred.
CREATE TABLE command (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    -- Of pgflit.
    version TEXT NOT NULL,
    line TEXT NOT NULL
) STRICT;

-- What the servers said of themselves when the migration was begun or gone on with.
ALTER TABLE run ADD COLUMN source_version TEXT;
ALTER TABLE run ADD COLUMN target_version TEXT;
