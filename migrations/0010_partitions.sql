-- The partitions whose rows are copied, as the source's catalog had them when the migration began, as
-- JSON: where the target is partitioned otherwise, their rows are in one of the tables they are of.
CREATE TABLE source_partition (
    table_oid INTEGER PRIMARY KEY,
    partition TEXT NOT NULL
) STRICT;
