//! `pgflit list …`: on a real database, for people and for programs.

use std::fs;

use serde_json::Value;

use crate::support::{Database, Pair, pgflit};

const SOURCE: &str = r#"
    CREATE SCHEMA "Odd ""Schema";
    CREATE TABLE kept (id int PRIMARY KEY, note text COLLATE "C");
    CREATE TABLE "Odd ""Schema"."a.b" (id int GENERATED ALWAYS AS IDENTITY, gone int,
        kept_id int REFERENCES kept, doubled int GENERATED ALWAYS AS (kept_id * 2) STORED);
    ALTER TABLE "Odd ""Schema"."a.b" DROP gone;
    CREATE INDEX "an index" ON "Odd ""Schema"."a.b" (kept_id);
    CREATE VIEW on_odd AS SELECT * FROM "Odd ""Schema"."a.b";
    CREATE UNLOGGED TABLE fleeting (id int);
    CREATE TABLE part (at int) PARTITION BY RANGE (at);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
    CREATE SEQUENCE alone START 5; SELECT nextval('alone');
    CREATE EXTENSION citext;
    CREATE PUBLICATION theirs FOR TABLE kept;
    SELECT lo_create(0);
    INSERT INTO kept VALUES (1), (2), (3); ANALYZE kept;
"#;

const FILTERS: &str =
    "[exclude-table]\n\"Odd \"\"Schema\".\"a.b\"\n[exclude-table-data]\npublic.fleeting\n";

fn source() -> (Pair, std::path::PathBuf) {
    let pair = Pair::new();
    pair.source.sql(SOURCE);
    let filters = pair.path("filters.ini");
    fs::write(&filters, FILTERS).expect("written");
    (pair, filters)
}

#[track_caller]
fn text(source: &Database, command: &str) -> String {
    let run = pgflit(&format!("list {command}")).source(source).run();
    run.assert_code(0).stdout
}

#[track_caller]
fn json(source: &Database, command: &str) -> Value {
    serde_json::from_str(&text(source, &format!("{command} --json"))).expect("JSON")
}

#[track_caller]
fn names(listing: &Value) -> Vec<&str> {
    let rows = listing.as_array().expect("a list");
    rows.iter()
        .map(|row| row["name"].as_str().expect("a name"))
        .collect()
}

/// The table as it is printed, without OIDs, which differ from run to run.
fn without_oids(table: &str) -> Vec<String> {
    let lines = table.lines().map(|line| match line.split_once('|') {
        Some((_, rest)) => rest.trim().to_owned(),
        None => line.split_once('+').map_or("", |(_, rest)| rest).to_owned(),
    });
    lines.collect()
}

#[test]
fn tables_are_listed_for_people_and_for_programs() {
    let (pair, filters) = source();
    let table = text(&pair.source, "tables");
    let lines = without_oids(&table);
    assert!(table.starts_with("   OID | Schema Name"), "{table}");
    assert_eq!(
        lines[0],
        "Schema Name | Table Name | Est. Row Count | On-disk size"
    );
    assert_eq!(
        lines[2],
        "public      | kept       |              3 |        16 kB"
    );
    assert!(
        lines.contains(&"Odd \"Schema | a.b        |        unknown |          0 B".to_owned()),
        "{table}"
    );
    assert_eq!(lines.len(), 2 + 4);
    let listed = json(&pair.source, "tables");
    assert_eq!(listed[0]["schema"], "public");
    assert_eq!(
        (
            &listed[0]["name"],
            &listed[0]["estimated_rows"],
            &listed[0]["bytes"]
        ),
        (&"kept".into(), &3.into(), &16384.into())
    );
    assert_eq!(names(&json(&pair.source, "tables --without-pkey")).len(), 3);
    let filtered = format!("tables --filters {}", filters.display());
    assert_eq!(names(&json(&pair.source, &filtered)), ["kept", "part_1"]);
    let skipped = json(&pair.source, &format!("{filtered} --list-skipped"));
    assert_eq!(names(&skipped), ["a.b", "fleeting"]);
    assert_eq!(
        skipped[1]["left_out"],
        "[exclude-table-data] \"public\".\"fleeting\""
    );
}

#[test]
fn indexes_and_sequences_follow_the_filters_and_the_table_that_is_named() {
    let (pair, filters) = source();
    let filters = filters.display();
    let listed = json(&pair.source, "indexes");
    assert_eq!(names(&listed), ["an index", "kept_pkey"]);
    assert_eq!(listed[1]["constraint"], "kept_pkey");
    assert_eq!(listed[1]["constraint_definition"], "PRIMARY KEY (id)");
    let named = json(
        &pair.source,
        "indexes --schema-name public --table-name kept",
    );
    assert_eq!(names(&named), ["kept_pkey"]);
    assert_eq!(
        names(&json(&pair.source, &format!("indexes --filters {filters}"))),
        ["kept_pkey"]
    );
    let skipped = json(
        &pair.source,
        &format!("indexes --filters {filters} --list-skipped"),
    );
    assert_eq!(names(&skipped), ["an index"]);
    let listed = json(&pair.source, "sequences");
    assert_eq!(names(&listed), ["a.b_id_seq", "alone"]);
    assert_eq!(
        (&listed[0]["owned_by"], &listed[0]["is_identity"]),
        (&"\"Odd \"\"Schema\".\"a.b\".id".into(), &true.into())
    );
    assert_eq!(
        (&listed[1]["owned_by"], &listed[1]["last_value"]),
        (&Value::Null, &5.into())
    );
    assert_eq!(
        names(&json(
            &pair.source,
            &format!("sequences --filters {filters}")
        )),
        ["alone"]
    );
    assert!(text(&pair.source, "sequences").contains(" | alone "));
    assert!(text(&pair.source, "indexes").contains("CREATE UNIQUE INDEX kept_pkey ON public.kept"));
}

#[test]
fn what_depends_on_what_is_left_out_is_listed() {
    let (pair, filters) = source();
    let depends = json(
        &pair.source,
        &format!("depends --filters {}", filters.display()),
    );
    let kinds: Vec<_> = depends
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["kind"].as_str().unwrap_or_default(),
                row["name"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert!(kinds.contains(&("view", "on_odd")), "{kinds:?}");
    assert!(kinds.contains(&("sequence", "a.b_id_seq")), "{kinds:?}");
    assert!(!kinds.contains(&("table", "a.b")), "{kinds:?}");
    let skipped = format!("depends --list-skipped --filters {}", filters.display());
    assert!(names(&json(&pair.source, &skipped)).contains(&"a.b"));
    let of_kept = text(
        &pair.source,
        "depends --schema-name public --table-name kept",
    );
    assert!(
        of_kept.contains("depends on table public.kept"),
        "{of_kept}"
    );
    assert_eq!(names(&json(&pair.source, "depends")), Vec::<&str>::new());
}

#[test]
fn databases_extensions_and_collations_are_listed() {
    let (pair, _) = source();
    assert_eq!(names(&json(&pair.source, "databases")), ["app", "postgres"]);
    assert_eq!(
        without_oids(&text(&pair.source, "databases"))[0],
        "Database Name | On-disk size"
    );
    let extensions = json(&pair.source, "extensions");
    assert_eq!(names(&extensions), ["citext", "plpgsql"]);
    assert_eq!(extensions[0]["schema"], "public");
    let required = json(&pair.source, "extensions --requirements");
    assert_eq!(required[0]["version"], extensions[0]["version"]);
    let available = json(&pair.source, "extensions --available-versions");
    let citext = available
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["name"] == "citext");
    let citext = citext.expect("citext");
    assert_eq!(citext["versions"][0], citext["installed"]);
    let collations = text(&pair.source, "collations");
    assert!(
        collations.contains("column public.kept.note"),
        "{collations}"
    );
    assert!(collations.contains("database app"), "{collations}");
}

#[test]
fn the_whole_catalog_is_one_json_object() {
    let (pair, filters) = source();
    let catalog: Value = serde_json::from_str(&text(&pair.source, "schema")).expect("JSON");
    let tables = catalog["tables"].as_array().expect("tables");
    let table = |name: &str| {
        tables
            .iter()
            .find(|table| table["name"] == name)
            .expect("a table")
    };
    let odd = table("a.b");
    assert_eq!(odd["columns"][0]["identity"], "a");
    assert_eq!(odd["columns"][1]["dropped"], true);
    assert_eq!(odd["columns"][3]["generated"], "s");
    assert_eq!(table("part_1")["parents"][0], "public.part");
    assert_eq!(
        table("part_1")["partition_bound"],
        "FOR VALUES FROM (0) TO (10)"
    );
    assert_eq!(table("fleeting")["unlogged"], true);
    assert_eq!(table("on_odd")["kind"], "view");
    assert_eq!(catalog["publications"][0]["tables"][0], "public.kept");
    assert_eq!(catalog["large_object_count"], 1);
    for kind in [
        "databases",
        "schemas",
        "indexes",
        "constraints",
        "sequences",
        "extensions",
        "roles",
    ] {
        assert!(
            catalog[kind].as_array().is_some_and(|all| !all.is_empty()),
            "{kind}"
        );
    }
    let filtered = text(
        &pair.source,
        &format!("schema --filters {}", filters.display()),
    );
    let filtered: Value = serde_json::from_str(&filtered).expect("JSON");
    let left = names(&filtered["tables"]);
    assert!(
        !left.contains(&"a.b") && !left.contains(&"on_odd") && left.contains(&"fleeting"),
        "{left:?}"
    );
}

#[test]
fn the_parts_of_a_table_are_those_it_would_be_copied_in() {
    let (pair, _) = source();
    pair.source.sql("INSERT INTO kept SELECT g, repeat('x', 100) FROM generate_series(10, 20000) g; ANALYZE kept");
    let whole = json(&pair.source, "table-parts --table-name kept");
    assert_eq!(whole.as_array().map(Vec::len), Some(1));
    let parts = json(
        &pair.source,
        "table-parts --table-name kept --split-tables-larger-than 500kB",
    );
    assert!(
        parts.as_array().is_some_and(|parts| parts.len() > 1),
        "{parts}"
    );
    assert!(parts[0]["condition"].is_string());
    let none = pgflit("list table-parts --table-name none")
        .source(&pair.source)
        .run();
    none.assert_code(1).assert_stderr("no table public.none");
}

#[test]
fn the_progress_of_a_copy_is_told_from_its_work_directory() {
    let (pair, _) = source();
    let progress = || pgflit("list progress").dir(pair.dir());
    progress()
        .run()
        .assert_code(1)
        .assert_stderr("there is no migration in");
    pgflit("clone --skip-large-objects")
        .between(&pair)
        .run()
        .assert_code(0);
    let table = progress().run().assert_code(0).stdout;
    assert!(
        table.contains(" Tables  |           4 |           0 |    4\n"),
        "{table}"
    );
    let told = progress().arg("--json").run().assert_code(0).stdout;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (&told["tables"]["total"], &told["tables"]["done"]),
        (&4.into(), &4.into())
    );
    assert_eq!(told["indexes"]["in-progress"], Value::Array(vec![]));
}

#[test]
fn a_listing_that_cannot_be_made_says_why() {
    let (pair, filters) = source();
    fs::write(&filters, "[include-only-table]\npublic.none\n").expect("written");
    let refused = pgflit("list tables")
        .source(&pair.source)
        .arg("--filters")
        .arg(&filters)
        .run();
    refused
        .assert_code(1)
        .assert_stderr("filters.ini, line 2: [include-only-table]: the source has no table");
    let absent = pgflit("list tables --source postgresql://nobody@127.0.0.1:1/none").run();
    assert_eq!(absent.code(), Some(6));
    pgflit("list tables")
        .run()
        .assert_code(1)
        .assert_stderr("--source");
}
