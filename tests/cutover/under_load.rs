//! Traffic moves to and fro under load, at random times.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::bank::{self, Bank};
use super::stage::Stage;
use crate::support::{let_pass, long_tests_wanted};

/// Between two and four moves; nobody sees an error, and nothing is lost or doubled.
fn moves_to_and_fro(seed: u64) {
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let stage = Stage::with(bank::SCHEMA);
    let bank = Bank::open(&stage, 6, seed);
    let mut words = ["cutover", "rollback"].into_iter().cycle();
    for _ in 0..random.random_range(2..=4) {
        let_pass(Duration::from_millis(random.random_range(0..1500)));
        let word = words.next().expect("endless");
        let told = stage.moves(word);
        println!("{word}: {told}");
        bank.goes_on();
    }
    let serving = stage.database();
    let (broken, longest) = bank.close(&serving);
    println!("the longest that a client has waited: {longest:?}");
    assert_eq!(broken, 0, "connections broke");
    stage.until_equal(&bank::TABLES);
    // The sequence goes on behind what it gave.
    serving.sql("INSERT INTO ledger (client, seq, debit, credit, amount) VALUES (99, 1, 1, 1, 0)");
}

macro_rules! seeds {
    ($($name:ident $seed:literal,)*) => {
        $(#[test] fn $name() { moves_to_and_fro($seed); })*
    };
}

seeds! {
    seed_1 1, seed_2 2, seed_3 3,
}

#[test]
fn thirty_more_seeds_of_moves() {
    if !long_tests_wanted() {
        return;
    }
    let first: u64 = rand::random_range(4..1_000_000);
    for seed in first..first + 30 {
        moves_to_and_fro(seed);
    }
}
