-- The copy supervisor's: standbys of the source whose replay this run has paused, or was about to,
-- and has not resumed since. Written before it pauses one, removed after it has resumed it.
CREATE TABLE paused_standby (
    address   TEXT PRIMARY KEY,        -- as people read it, without password
    paused_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
