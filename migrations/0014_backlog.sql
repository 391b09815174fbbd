-- How far the source was when receive began: up to there is what had gathered before. Null from the
-- start of receive until it has heard that, and where none has run.
ALTER TABLE receive_position ADD COLUMN backlog_lsn TEXT;
