-- Segments that the target has replayed are removed, and a target that goes back behind them must be
-- noticed.

-- Apply's: the end of the last transaction whose COMMIT the target has confirmed. replay_lsn may be
-- later, where nothing else happened.
ALTER TABLE apply_position ADD COLUMN committed_lsn TEXT NOT NULL DEFAULT '0/0';

-- Written by whoever removes segments: what committed_lsn was then.
ALTER TABLE receive_position ADD COLUMN pruned_lsn TEXT NOT NULL DEFAULT '0/0';
