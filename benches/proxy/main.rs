//! The proxy beside its peer and beside no proxy at all, in one run on one machine.
//!
//! `make bench-proxy`, or `cargo bench --bench proxy -- --seconds 5 --only tpcb`. A throw-away
//! cluster with `fsync=off`, another one to mirror to; pgbench is the application. Each round runs
//! every contender once, in turn. What counts on a machine that pgbench and the server share with
//! the proxy is its processor time a transaction. How to read it: `docs/benchmarks.md`.

mod bulk;
mod contenders;
mod idle;
mod load;
mod options;
#[path = "../shared/mod.rs"]
mod shared;
mod table;

use std::process::ExitCode;

use pgflit::worker::cluster::Cluster;

use contenders::Contender;
use load::{Load, Measured};
use options::Options;
use shared::Result;
use shared::processes::run_quietly;
use shared::servers::quick;

/// The server that clients use, and the one that mirrors it.
pub(crate) struct Servers {
    pub(crate) server: Cluster,
    pub(crate) mirror: Cluster,
    pub(crate) folder: tempfile::TempDir,
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let cluster = |name| Cluster::create(&quick(name).setting("max_connections", "1200"));
    let servers = Servers {
        server: cluster("server")?,
        mirror: cluster("mirror")?,
        folder: tempfile::tempdir()?,
    };
    if options.wants_load() || options.wants("copy") {
        for cluster in [&servers.server, &servers.mirror] {
            let mut pgbench = std::process::Command::new(cluster.programs().path("pgbench"));
            let scale = options.scale.to_string();
            pgbench.args(["-i", "-q", "-s", &scale, &cluster.socket_uri("postgres")]);
            run_quietly(&mut pgbench)?;
        }
    }
    println!("{}", table::about(&servers, options)?);
    let contenders = Contender::all(&servers, options)?;
    for load in Load::all(options) {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); contenders.len()];
        for round in 1..=options.runs {
            for (contender, measured) in contenders.iter().zip(&mut rounds) {
                eprintln!(
                    "{load}, round {round} of {}: {}",
                    options.runs, contender.name
                );
                measured.push(load.run(contender, &servers, options)?);
            }
        }
        println!("{}", table::of_load(&load, &contenders, &rounds));
    }
    if options.wants("copy") {
        let rows = bulk::measure(&contenders, &servers, options)?;
        println!("{}", table::of_copy(&contenders, &rows));
    }
    drop(contenders);
    if options.wants("idle") {
        println!("{}", idle::measure(options)?);
    }
    Ok(())
}
