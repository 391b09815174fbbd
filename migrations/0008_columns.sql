-- The columns of each table as the source's catalog had them when the migration began, as JSON:
-- what is written anew there later shows whether rows that are copied still have their values.
CREATE TABLE source_columns (
    table_oid INTEGER PRIMARY KEY,
    marks     TEXT NOT NULL
) STRICT;
