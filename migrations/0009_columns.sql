-- The columns of each table as the source's catalog had them when the migration began, as JSON:
-- what is written anew there later shows whether rows that are copied still have their values.
CREATE TABLE source_columns (
    table_oid INTEGER PRIMARY KEY,
    marks     TEXT NOT NULL
) STRICT;

-- Which options about cutting tables into parts were named when the run was begun; an earlier pgflit
-- did not say.
ALTER TABLE run ADD COLUMN split TEXT;
