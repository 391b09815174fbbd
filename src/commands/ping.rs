//! `pgflit ping`: are both servers there, which are they, and how far away.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{CommandError, place, runtime};
use crate::base::Side;
use crate::cli::ExitCode;
use crate::cli::options::PingOptions;
use crate::pg::{Address, Connection, Error, Mode};
use crate::report::stdout;

/// Round trips measured; the middle one is told, so that one hiccup is not.
const ROUND_TRIPS: usize = 5;

/// What one server answered.
#[derive(Debug, Serialize)]
struct Pong {
    side: &'static str,
    server: String,
    version: String,
    round_trip_ms: f64,
    encrypted: bool,
}

/// Asks both and prints a line each. A side that fails does not keep the other from being told.
pub(super) fn run(options: &PingOptions, json: bool) -> Result<ExitCode, CommandError> {
    let source = place::address(Side::Source, options.source.as_deref())?;
    let target = place::address(Side::Target, options.target.as_deref())?;
    let (source, target) = runtime::block_on(async {
        (ping("source", &source).await, ping("target", &target).await)
    })?;
    let pongs: Vec<&Pong> = [&source, &target].into_iter().flatten().collect();
    stdout::write(text(&pongs, json)?.as_bytes()).map_err(CommandError::stdout)?;
    source.map_err(|error| CommandError::of_server(ExitCode::Source, error))?;
    target.map_err(|error| CommandError::of_server(ExitCode::Target, error))?;
    Ok(ExitCode::Done)
}

async fn ping(side: &'static str, address: &Address) -> Result<Pong, Error> {
    let mut connection = Connection::open(address, Mode::Sql, "ping").await?;
    let mut round_trips = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        connection.query("SELECT 1").await?;
        round_trips.push(begun.elapsed());
    }
    let pong = Pong {
        side,
        server: hosts(address),
        version: connection.server_version().to_string(),
        round_trip_ms: median(round_trips).as_secs_f64() * 1000.0,
        encrypted: connection.is_encrypted(),
    };
    connection.close().await;
    Ok(pong)
}

fn hosts(address: &Address) -> String {
    let hosts: Vec<_> = address.hosts().iter().map(ToString::to_string).collect();
    format!("{} on {}", address.dbname(), hosts.join(", "))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn text(pongs: &[&Pong], json: bool) -> Result<String, CommandError> {
    if json {
        let text = serde_json::to_string(pongs);
        return Ok(text.map_err(|error| CommandError::stdout(error.into()))? + "\n");
    }
    let line = |pong: &&Pong| {
        format!(
            "{}: PostgreSQL {}, round trip {:.2} ms, {} ({})\n",
            pong.side,
            pong.version,
            pong.round_trip_ms,
            match pong.encrypted {
                true => "encrypted",
                false => "not encrypted",
            },
            pong.server
        )
    };
    Ok(pongs.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_trip_is_not_told() {
        let times = [1, 900, 2, 1, 3].map(Duration::from_millis);
        assert_eq!(median(times.to_vec()), Duration::from_millis(2));
    }
}
