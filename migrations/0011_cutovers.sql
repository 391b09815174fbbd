-- Attempts to move traffic, in D alone, also those of the way back. Written by cutover and rollback.
CREATE TABLE cutover (
    attempt INTEGER PRIMARY KEY,
    -- Where traffic was to go: 'source' or 'target'.
    destination TEXT NOT NULL,
    -- Whether changes were to go back afterwards.
    has_way_back INTEGER NOT NULL,
    -- 'begun', 'holding', 'switched', then 'done'; or 'aborted', 'rehearsed'.
    state TEXT NOT NULL,
    -- The position in the old side's WAL up to which everything had to be on the new one.
    marker TEXT,
    -- What was done and how long it took, as JSON: [{"name", "ms"}].
    steps TEXT NOT NULL DEFAULT '[]',
    -- Why it was aborted.
    problem TEXT,
    begun_at REAL NOT NULL,
    ended_at REAL
) STRICT;
