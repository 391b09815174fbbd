//! What was measured, for programs: every run, times in seconds.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lag::Lag;
use crate::report::Runs;
use crate::watch::{Outcome, Step};
use crate::workloads::Workload;

pub(crate) fn workload(workload: &Workload, runs: &[Runs]) -> Value {
    let contender = |runs: &Runs| {
        json!({
            "name": runs.contender,
            "runs": runs.outcomes.iter().map(outcome).collect::<Vec<_>>(),
        })
    };
    json!({
        "name": workload.name,
        "what": workload.what,
        "transactions": workload.transactions,
        "rows": workload.rows,
        "contenders": runs.iter().map(contender).collect::<Vec<_>>(),
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    match outcome {
        Outcome::Over(Step::Prefetch, limit) => json!({ "prefetch_over_s": limit.as_secs_f64() }),
        Outcome::Over(Step::Apply, limit) => json!({ "over_s": limit.as_secs_f64() }),
        Outcome::NotEqual(how, after) => {
            json!({ "not_equal": how, "after_s": after.as_secs_f64() })
        }
        Outcome::Failed(why) => json!({ "failed": why }),
        Outcome::Took(took) => json!({
            "caught_up_s": took.wall.as_secs_f64(),
            "ended_s": seconds(took.ended),
            "client_cpu_s": took.client_cpu.as_secs_f64(),
            "source_cpu_s": took.source_cpu.as_secs_f64(),
            "target_cpu_s": took.target_cpu.as_secs_f64(),
            "memory_bytes": took.memory,
            "prefetch_s": seconds(took.prefetch),
        }),
    }
}

pub(crate) fn lag(lag: &Lag) -> Value {
    let at = |share| lag.at(share).map(|lag| lag.as_secs_f64());
    json!({
        "contender": lag.name,
        "rate": lag.rate,
        "done": lag.done,
        "p50_s": at(0.5),
        "p90_s": at(0.9),
        "p99_s": at(0.99),
        "max_s": at(1.0),
        "within_100_ms_percent": lag.soon(),
    })
}
