//! Metrics as Prometheus reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use tempfile::TempDir;

use super::wire;
use crate::support::{
    Pgbench, Proxied, SOON, eventually, eventually_some, metrics_named_in, monitoring,
    source_options,
};

/// A proxy that tells its metrics.
struct Told {
    proxied: Proxied,
    port: u16,
    _folder: TempDir,
}

impl Told {
    fn new() -> Self {
        Self::with("")
    }

    fn with(tables: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("proxy.toml");
        let text =
            format!("[metrics]\nlisten = \"127.0.0.1:0\"\n[[database]]\nname = \"*\"\n{tables}");
        fs::write(&path, text).expect("written");
        let proxied = Proxied::with(source_options(), |proxy| proxy.arg("--config").arg(&path));
        let port = eventually_some(SOON, "metrics are told", || {
            let printed = proxied.proxy.stderr();
            let (_, rest) = printed.split_once("metrics are at http://127.0.0.1:")?;
            rest.split('/').next()?.parse().ok()
        });
        Told {
            proxied,
            port,
            _folder: folder,
        }
    }

    fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        socket.set_read_timeout(Some(SOON)).expect("a time limit");
        socket
    }

    /// The whole answer to these bytes.
    fn answer(&self, request: &[u8]) -> String {
        let mut socket = self.socket();
        socket.write_all(request).expect("sent");
        let mut said = String::new();
        socket.read_to_string(&mut said).expect("an answer");
        said
    }

    #[track_caller]
    fn metrics(&self) -> Metrics {
        let said = self.answer(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, body) = said.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{head}"
        );
        Metrics::parse(body)
    }
}

/// What was told, held against the format while it is read.
struct Metrics {
    types: BTreeMap<String, String>,
    /// By name and labels as they stand.
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    #[track_caller]
    fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'));
        let mut types = BTreeMap::new();
        let mut samples = BTreeMap::new();
        let mut current = String::new();
        let mut helped = BTreeSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a name and a text");
                assert!(helped.insert(name.to_owned()) && !help.is_empty(), "{line}");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a name and a type");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(helped.contains(name), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(
                    types.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "{line}"
                );
                current = name.to_owned();
            } else {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let name = series.split('{').next().expect("a name");
                let base = match types[&current].as_str() {
                    "histogram" => {
                        let ends = ["_bucket", "_sum", "_count"];
                        let base = ends.iter().find_map(|end| name.strip_suffix(end));
                        base.expect("a part of a histogram")
                    }
                    _ => name,
                };
                assert_eq!(base, current, "{line}");
                let value = value.parse().expect("a number");
                assert!(
                    samples.insert(series.to_owned(), value).is_none(),
                    "twice: {line}"
                );
            }
        }
        Metrics { types, samples }
    }

    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        let found = self.samples.get(series);
        *found.unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples))
    }

    /// The sums of a histogram's classes, from the shortest on.
    fn buckets(&self, name: &str, database: &str) -> Vec<f64> {
        let prefix =
            format!("pgflit_proxy_{name}_duration_seconds_bucket{{database=\"{database}\",le=\"");
        let mut found: Vec<(f64, f64)> = Vec::new();
        for (series, value) in &self.samples {
            if let Some(rest) = series.strip_prefix(&prefix) {
                let bound = rest.trim_end_matches("\"}").replace("+Inf", "inf");
                found.push((bound.parse().expect("a number"), *value));
            }
        }
        found.sort_by(|one, other| one.0.total_cmp(&other.0));
        found.into_iter().map(|(_, value)| value).collect()
    }
}

#[test]
fn what_pgbench_did_is_told_with_latencies() {
    let told = Told::new();
    Pgbench::init(&told.proxied.direct, 1);
    let run = |script: &[&str]| {
        let mut bench = told.proxied.database.program("pgbench");
        bench.args(["-n", "-c", "2", "-t", "100"]).args(script);
        let output = bench
            .arg(told.proxied.database.uri())
            .output()
            .expect("pgbench");
        assert!(output.status.success());
    };
    run(&["-S", "-M", "prepared"]);
    let mut session = told.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "SELECT 1/0");
    wire::query(&mut session, "SELECT nothing");
    eventually(SOON, "it is idle, and pgbench gone", || {
        let clients = &told.proxied.status()["clients"];
        clients["total"] == 1 && clients["idle"] == 1
    });
    let one = told.metrics();
    let app = "{database=\"app\"}";
    let count = |metrics: &Metrics, what: &str| {
        metrics.value(&format!("pgflit_proxy_{what}_duration_seconds_count{app}"))
    };
    // 200 SELECTs, their preparations, ours, and what pgbench looks at first.
    let transactions = count(&one, "transaction");
    assert!((204.0..=212.0).contains(&transactions), "{transactions}");
    assert_eq!(count(&one, "query"), transactions);
    for what in ["transaction", "query"] {
        let buckets = one.buckets(what, "app");
        assert_eq!(buckets.len(), 19);
        assert!(buckets.is_sorted(), "{buckets:?}");
        assert_eq!(buckets.last(), Some(&count(&one, what)));
        let sum = one.value(&format!("pgflit_proxy_{what}_duration_seconds_sum{app}"));
        // Each takes longer than nothing and less than the whole test.
        assert!(sum > 0.0 && sum < 600.0, "{sum}");
    }
    assert_eq!(
        one.value("pgflit_proxy_errors_total{database=\"app\",class=\"22\"}"),
        1.0
    );
    assert_eq!(
        one.value("pgflit_proxy_errors_total{database=\"app\",class=\"42\"}"),
        1.0
    );
    assert_eq!(
        one.value("pgflit_proxy_clients{database=\"app\",state=\"idle\"}"),
        1.0
    );
    assert_eq!(
        one.value(&format!("pgflit_proxy_server_connections{app}")),
        1.0
    );
    assert!(one.value(&format!("pgflit_proxy_sent_bytes_total{app}")) > 10_000.0);
    // Nothing goes down when clients go.
    drop(session);
    eventually(SOON, "it is gone", || {
        told.proxied.status()["clients"]["total"] == 0
    });
    run(&[]);
    let two = told.metrics();
    // TPC-B: seven statements each.
    let more = |what| count(&two, what) - count(&one, what);
    assert!(more("transaction") >= 200.0 && more("query") >= 1400.0);
    for (series, before) in &one.samples {
        let name = series.split('{').next().expect("a name");
        let is_sum = name.ends_with("_total") || series.contains("_duration_seconds");
        assert!(!is_sum || two.value(series) >= *before, "{series}");
    }
}

#[test]
fn a_pause_and_refused_clients_are_told() {
    let told = Told::new();
    told.proxied.database.sql("SELECT 1");
    told.proxied.pause("60s");
    let mut session = told.proxied.socket();
    let packet = wire::startup(0, &[("user", "postgres"), ("database", "app")]);
    session.write_all(&packet).expect("sent");
    eventually(SOON, "it waits", || {
        told.proxied.status()["clients"]["waiting"] == 1
    });
    let metrics = told.metrics();
    assert_eq!(metrics.value("pgflit_proxy_paused{database=\"app\"}"), 1.0);
    assert!(metrics.value("pgflit_proxy_pause_seconds{database=\"app\"}") > 0.0);
    assert!(metrics.value("pgflit_proxy_longest_wait_seconds{database=\"app\"}") > 0.0);
    told.proxied.resume();
    wire::until(&mut session, b'Z');
    let metrics = told.metrics();
    assert_eq!(metrics.value("pgflit_proxy_paused{database=\"app\"}"), 0.0);
    assert!(
        metrics.value("pgflit_proxy_wait_seconds_total{database=\"app\",for=\"server\"}") > 0.0
    );
    // Names that strangers make up are no time series.
    for name in ["guess1", "guess2"] {
        let mut guess = told.proxied.socket();
        let packet = wire::startup(0, &[("user", "nobody"), ("database", name)]);
        guess.write_all(&packet).expect("sent");
        assert_eq!(wire::refusal(&mut guess).as_deref(), Some("28000"));
    }
    eventually(SOON, "they are counted", || {
        told.metrics()
            .value("pgflit_proxy_logins_failed_total{database=\"*\"}")
            == 2.0
    });
    let metrics = told.metrics();
    assert!(
        !metrics
            .samples
            .keys()
            .any(|series| series.contains("guess"))
    );
    assert_eq!(
        metrics.value("pgflit_proxy_logins_total{database=\"app\"}"),
        2.0
    );
}

#[test]
fn requests_that_are_none_are_refused() {
    let told = Told::new();
    for (request, answer) in [
        (&b"GET /health HTTP/1.1\r\n\r\n"[..], "HTTP/1.1 200 OK"),
        (b"GET /health?probe=1 HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 "),
        (b"POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 "),
        (b"nonsense\r\n\r\n", "HTTP/1.1 400 "),
        (b"\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 "),
    ] {
        let said = told.answer(request);
        assert!(said.starts_with(answer), "{request:?}: {said}");
    }
    let mut socket = told.socket();
    let header = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(9000));
    socket.write_all(header.as_bytes()).expect("sent");
    let mut said = String::new();
    socket.read_to_string(&mut said).expect("an answer");
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    // Those that say nothing have a limit; the next one has a place then.
    let silent: Vec<_> = (0..16).map(|_| told.socket()).collect();
    assert!(
        told.answer(b"GET /health HTTP/1.1\r\n\r\n")
            .contains("200 OK")
    );
    drop(silent);
}

#[test]
fn every_metric_of_the_dashboard_and_of_the_alerts_is_told() {
    // Nobody is there.
    let told = Told::with("[[mirror]]\nname = \"new\"\nserver = \"host=127.0.0.1 port=1\"\n");
    let mut session = told.proxied.socket();
    wire::log_in(&mut session, 0);
    wire::query(&mut session, "SELECT 1/0");
    let metrics = told.metrics();
    let dashboard = monitoring("grafana.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).expect("JSON");
    let mut named = metrics_named_in(&dashboard, "pgflit_");
    named.extend(metrics_named_in(&monitoring("alerts.yml"), "pgflit_proxy_"));
    assert!(named.len() > 10, "{named:?}");
    let told_names: BTreeSet<&str> = metrics
        .samples
        .keys()
        .filter_map(|series| series.split('{').next())
        .collect();
    for name in &named {
        assert!(told_names.contains(name.as_str()), "{name} is not told");
    }
    // And the page has all that is told.
    let page = monitoring("../monitoring.md");
    for name in metrics.types.keys() {
        assert!(
            page.contains(&format!("`{name}`")),
            "{name} is not in monitoring.md"
        );
    }
}
