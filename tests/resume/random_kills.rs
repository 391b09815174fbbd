//! A migration from cron: the same command again and again, while it and both servers are killed at
//! random moments, until it ends by itself.

use std::time::Duration;

use nix::sys::signal::Signal;
use pgflit::worker::cluster::StopMode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::nothing_is_left;
use crate::support::{
    NOT_DECODED, Pair, Run, SOON, Workload, assert_equal, eventually, let_pass, long_tests_wanted,
    pgflit,
};

/// Exit codes after which cron runs it again: a server that does not answer, a stop.
const AGAIN: [i32; 3] = [6, 7, 9];

/// A crash of the source loses its counts of updates, which are all that tells of changes to tables
/// without an identity.
const GIVE_IDENTITIES: &str = "
    DO $$ DECLARE t regclass; BEGIN
        FOR t IN SELECT c.oid FROM pg_class c
                  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
                        AND (c.relreplident = 'n' OR c.relreplident = 'd' AND NOT EXISTS (
                             SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
        LOOP
            EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t);
            -- More than one lock at a time would be a deadlock with the workload.
            COMMIT;
        END LOOP;
    END $$";

struct Cron<'a> {
    pair: &'a Pair,
    run: Option<Run>,
}

impl Cron<'_> {
    /// It runs when this returns, unless it has ended well.
    fn tick(&mut self) {
        if let Some(run) = &mut self.run
            && run.is_running()
        {
            return;
        }
        let mut how = "--resume";
        if let Some(run) = self.run.take() {
            let ended = run.wait_for_exit();
            let code = ended.code();
            if ended.stderr.contains(NOT_DECODED) {
                // PostgreSQL's fault, rare, and told with what to do.
                how = "--restart --drop-if-exists";
            }
            assert!(
                code.is_none_or(|code| AGAIN.contains(&code)),
                "{code:?}\n{}",
                ended.stderr
            );
        }
        let clone = format!("clone --follow {how} --table-jobs 2 --split-tables-larger-than 30kB");
        self.run = Some(pgflit(&clone).between(self.pair).start());
    }

    /// Returns once the run is in live replay.
    fn until_live(&mut self) {
        eventually(8 * SOON, "live replay begins", || {
            self.tick();
            let run = self.run.as_ref();
            run.is_some_and(|run| run.stderr_contains("live replay"))
        });
    }

    fn kill(&mut self, signal: Signal) {
        if let Some(run) = &self.run {
            run.signal(signal);
        }
    }

    /// Returns once a run has ended with 0.
    fn until_done(mut self) {
        for _ in 0..100 {
            self.tick();
            if let Some(run) = self.run.take() {
                let ended = run.wait_for_exit_within(4 * SOON);
                match ended.code() {
                    Some(0) => return,
                    code => assert!(
                        code.is_none_or(|code| AGAIN.contains(&code)),
                        "{code:?}\n{}",
                        ended.stderr
                    ),
                }
            }
        }
        panic!("it does not end");
    }
}

fn ends_by_itself(seed: u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut pair = Pair::new();
    let workload = Workload::start_truncating(&pair.source, seed, true);
    pair.source.sql(GIVE_IDENTITIES);
    let kills = random.random_range(6..12);
    let mut run = None;
    for _ in 0..kills {
        let mut cron = Cron {
            pair: &pair,
            run: run.take(),
        };
        cron.tick();
        let_pass(Duration::from_millis(random.random_range(100..2500)));
        match random.random_range(0..10) {
            0..5 => cron.kill(Signal::SIGKILL),
            5 => cron.kill(Signal::SIGTERM),
            6 | 7 => {
                run = cron.run.take();
                let restarted = pair.target_cluster.restart(StopMode::Immediate);
                restarted.expect("the target starts again");
                continue;
            }
            _ => {
                run = cron.run.take();
                let restarted = pair.source_cluster.restart(StopMode::Immediate);
                restarted.expect("the source starts again");
                continue;
            }
        }
        run = cron.run.take();
    }
    workload.wait_for(40);
    workload.stop();
    let mut cron = Cron { pair: &pair, run };
    cron.until_live();
    let set = pgflit("sentinel set endpos --current").dir(pair.dir());
    set.source(&pair.source).run().assert_code(0);
    cron.until_done();
    assert_equal(&pair.source, &pair.target);
    let cleanup = pgflit("stream cleanup").between(&pair);
    cleanup.run().assert_code(0);
    nothing_is_left(&pair);
}

macro_rules! seeds {
    ($($name:ident $seed:literal,)*) => {
        $(#[test] fn $name() { ends_by_itself($seed); })*
    };
}

seeds! {
    seed_1 1, seed_2 2, seed_3 3, seed_4 4, seed_5 5,
}

#[test]
fn fifty_more_seeds() {
    if !long_tests_wanted() {
        return;
    }
    let first: u64 = rand::random_range(6..1_000_000);
    for seed in first..first + 50 {
        ends_by_itself(seed);
    }
}
