-- Where apply is to stand still while a comparison takes its snapshots; one row while there is one.
-- Written by compare.
CREATE TABLE compare_hold (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- Goes up with every wish, so that an answer is to one of them.
    number INTEGER NOT NULL,
    -- Apply is to go on to here and no further; null for where it is.
    at_lsn TEXT,
    -- Goes up for as long as somebody wants it: apply does not wait for one that is gone.
    beat INTEGER NOT NULL
) STRICT;
-- Apply's answer: it stands still.
CREATE TABLE compare_held (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL,
    committed_lsn TEXT NOT NULL
) STRICT;
