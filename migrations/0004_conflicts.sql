-- Apply's: changes that found the target otherwise than the source was, and were skipped or
-- overwrote it as --on-conflict says.
ALTER TABLE apply_position ADD COLUMN conflicts INTEGER NOT NULL DEFAULT 0;
