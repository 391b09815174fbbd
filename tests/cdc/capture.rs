//! What `stream setup` leaves behind, made by SQL: a slot, a publication, and a store that knows
//! them.

use pgflit::base::QualifiedName;
use pgflit::store::{Capture as StoredCapture, Run, Store, TableRow, WorkDir};

use crate::support::{Database, Pair, Pgflit, allow_plugin, pgflit};

/// Whose it is by default, and who may do what in it, is a matter of version.
const SCHEMA: &str =
    "ALTER SCHEMA public OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM public";

/// A pair of databases with the same tables, and a slot from which changes are captured.
pub(super) struct Capture {
    pub(super) pair: Pair,
    pub(super) plugin: String,
}

impl Capture {
    /// `tables` on both sides; what is written to the source from now on is captured.
    pub(super) fn of(tables: &str) -> Self {
        Self::of_pair(Pair::new(), tables)
    }

    /// The same with an output plugin; none if the source lacks it.
    pub(super) fn with_plugin(plugin: &str, tables: &str) -> Option<Self> {
        Self::of_pair_with(Pair::new(), plugin, tables)
    }

    /// The same between these with an output plugin; none if the source lacks it.
    pub(super) fn of_pair_with(pair: Pair, plugin: &str, tables: &str) -> Option<Self> {
        allow_plugin(&pair.source, plugin).then(|| Self::between(pair, plugin, tables))
    }

    /// The same, between these.
    pub(super) fn of_pair(pair: Pair, tables: &str) -> Self {
        Self::between(pair, "pgoutput", tables)
    }

    fn between(pair: Pair, plugin: &str, tables: &str) -> Self {
        for side in [&pair.source, &pair.target] {
            side.sql(SCHEMA);
            side.sql(tables);
        }
        pair.source
            .sql("CREATE PUBLICATION pgflit FOR ALL TABLES WITH (publish = 'insert, update, delete, truncate')");
        let slot_lsn = pair.source.sql(&format!(
            "SELECT lsn FROM pg_create_logical_replication_slot('pgflit', '{plugin}')"
        ));
        let tables = tables_of(&pair.source);
        let capture = Self {
            pair,
            plugin: plugin.to_owned(),
        };
        capture.work_dir().create().expect("a work directory");
        let mut store = capture.store();
        store.set_apply(true).expect("apply enabled");
        let slot_lsn = slot_lsn.parse().expect("an LSN");
        store.set_startpos(slot_lsn).expect("where it begins");
        store
            .set_run(&Run {
                source: "the source".into(),
                source_system: "1".into(),
                slot: Some("pgflit".into()),
                origin: Some("pgflit".into()),
                publication: Some("pgflit".into()),
                plugin: Some(plugin.into()),
                wal_segment_bytes: Some(wal_segment_bytes(&capture.pair.source)),
                slot_lsn: Some(slot_lsn),
                ..Run::default()
            })
            .expect("a run");
        store.set_catalog(&tables, &[]).expect("a catalog");
        capture
    }

    pub(super) fn work_dir(&self) -> WorkDir {
        let dir = self.pair.dir();
        WorkDir::new(dir.clone(), dir.join("cdc"))
    }

    pub(super) fn store(&self) -> Store {
        Store::create(&self.work_dir().store_path()).expect("a store")
    }

    /// The same with segments as if WAL files had that size, so that little data makes many.
    pub(super) fn with_wal_segments_of(self, bytes: u64) -> Self {
        let mut store = self.store();
        let run = store.run().expect("read").expect("a run");
        let run = Run {
            wal_segment_bytes: Some(bytes),
            ..run
        };
        store.set_run(&run).expect("a run");
        self
    }

    pub(super) fn receive(&self) -> Pgflit {
        let receive = pgflit("stream receive").dir(self.pair.dir());
        receive.source(&self.pair.source)
    }

    pub(super) fn transform(&self) -> Pgflit {
        pgflit("stream transform").dir(self.pair.dir())
    }

    pub(super) fn apply(&self) -> Pgflit {
        let apply = pgflit("stream apply").dir(self.pair.dir());
        apply.target(&self.pair.target)
    }

    /// The end is now; the LSN that was printed.
    #[track_caller]
    pub(super) fn end_now(&self) -> String {
        let set = pgflit("sentinel set endpos --current").dir(self.pair.dir());
        let set = set.source(&self.pair.source).run().assert_code(0);
        set.stdout.trim().to_owned()
    }
}

/// The tables that are captured, as `stream setup` finds them.
fn tables_of(source: &Database) -> Vec<TableRow> {
    let sql = "SELECT c.oid, c.relname FROM pg_class c
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace";
    let rows = source.rows(sql);
    let table = |row: &Vec<String>| TableRow {
        oid: row[0].parse().expect("an OID"),
        name: QualifiedName::new("public", &row[1]),
        columns: Vec::new(),
        bytes: 0,
        estimated_rows: 0,
        capture: StoredCapture::Rows,
        uncaptured: 0,
    };
    rows.iter().map(table).collect()
}

fn wal_segment_bytes(source: &Database) -> u64 {
    let bytes =
        source.number("SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'");
    u64::try_from(bytes).expect("a size")
}
