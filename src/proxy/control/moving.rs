//! What a process is asked and told by whoever moves traffic.

use std::sync::Arc;
use std::time::Duration;

use super::serving::{millis, refused};
use super::{Reply, Request};
use crate::proxy::ahead;
use crate::proxy::pause::Paused;
use crate::proxy::service::Service;
use crate::proxy::switch::{self, Ground};

/// Answers a request that is about moving traffic; refuses any other.
pub(super) async fn answer(service: &Arc<Service>, request: Request) -> Reply {
    match request {
        Request::Hold {
            attempt,
            drain_limit_ms,
            limit_ms,
        } => {
            let drain_limit = Duration::from_millis(drain_limit_ms);
            let limit = Duration::from_millis(limit_ms);
            held(switch::hold(service, attempt, drain_limit, limit).await)
        }
        Request::Promise { doubt, lease_ms } => {
            let lease = Duration::from_millis(lease_ms);
            match switch::promise(service, doubt, lease, Ground::Asked) {
                true => Reply::Promised,
                false => refused("clients went on meanwhile", None),
            }
        }
        Request::WarmUp { to, limit_ms } => {
            let limit = Duration::from_millis(limit_ms);
            let warm = ahead::warm_up(service, to, limit).await;
            Reply::Warm {
                ready: warm.ready,
                failed: warm.failed,
                problem: warm.problem,
            }
        }
        Request::Switch { attempt, to } => match switch::switch(service, attempt, to).await {
            Ok(switched) => Reply::Switched {
                moved: switched.moved,
            },
            Err(problem) => refused(&problem, Some("try again")),
        },
        Request::Abort { attempt, is_fenced } => Reply::Resumed {
            was_paused: switch::abort(service, attempt, is_fenced),
        },
        _ => refused("that is not about moving traffic", None),
    }
}

fn held(paused: Paused) -> Reply {
    match paused {
        Paused::Complete { after } => Reply::Paused {
            after_ms: millis(after),
        },
        Paused::TimedOut { unsettled } => refused(
            &format!("{unsettled} clients were still in a transaction at the time limit"),
            Some("clients go on; see who they are with `pgflit proxy clients`"),
        ),
        Paused::Already => refused("traffic is being moved by somebody else", None),
        Paused::Resumed => refused("someone resumed before everybody was held", None),
    }
}
