SET search_path = torture, public;
CREATE TYPE "Weird "" Range" AS RANGE (subtype = numeric);
ALTER VIEW grouped RENAME COLUMN count TO how_many;
CREATE PUBLICATION by_root FOR TABLE parts WITH (publish_via_partition_root = true);
