//! Who has failed to log in too often, and waits.
//!
//! Constant memory: a table of fixed size, in which an address has a few places that others may
//! take. An attacker with many addresses can make the table forget, but not grow, and each of the
//! addresses gets no further than one alone would.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::proxy::config::rules::masked;

/// Places in the table; 64 kB in all.
const SETS: usize = 256;

/// Places that an address may have: the one that matters least is given up for a new one.
const PLACES: usize = 4;

/// How much of an IPv6 address is one machine: whoever has one has its whole /64.
const IPV6_BITS: u8 = 64;

/// What one address has failed at.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: IpAddr,
    /// Failures that are not forgiven yet, as of `since`.
    failures: f64,
    since: Instant,
}

/// Failures by address. They are forgiven steadily: so many a minute as may be made.
#[derive(Debug)]
pub struct Failures {
    sets: Mutex<Box<[[Option<Place>; PLACES]]>>,
    /// Seeded at random: nobody can choose addresses that share places.
    hasher: RandomState,
}

impl Default for Failures {
    fn default() -> Self {
        Failures {
            sets: Mutex::new(vec![[None; PLACES]; SETS].into_boxed_slice()),
            hasher: RandomState::new(),
        }
    }
}

impl Failures {
    /// How long `address` has to wait before it may try again, where `per_minute` failures are
    /// allowed; none if it may now.
    pub fn wait(&self, address: IpAddr, per_minute: u32, now: Instant) -> Option<Duration> {
        let address = machine(address);
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places = sets.get(self.set(address))?.iter().flatten();
        let place = places.find(|place| place.address == address)?;
        let over = place.left(per_minute, now) - f64::from(per_minute) + 1.0;
        // One is forgiven in a minute divided by how many there may be.
        (over > 0.0).then(|| Duration::from_secs_f64(over * 60.0 / f64::from(per_minute)))
    }

    /// `address` has failed once more.
    pub fn count(&self, address: IpAddr, per_minute: u32, now: Instant) {
        let address = machine(address);
        let at = self.set(address);
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(places) = sets.get_mut(at) else {
            return;
        };
        let left = |place: &Option<Place>| {
            let left = place.map(|place| place.left(per_minute, now));
            left.unwrap_or(-1.0)
        };
        let own = places
            .iter()
            .position(|place| place.is_some_and(|place| place.address == address));
        let place = match own {
            Some(own) => places.get_mut(own),
            None => places
                .iter_mut()
                .min_by(|one, other| left(one).total_cmp(&left(other))),
        };
        if let Some(place) = place {
            let before = own.map_or(0.0, |_| left(place));
            *place = Some(Place {
                address,
                failures: before + 1.0,
                since: now,
            });
        }
    }

    fn set(&self, address: IpAddr) -> usize {
        // Fewer than a usize: the table's length.
        (self.hasher.hash_one(address) % SETS as u64) as usize
    }
}

impl Place {
    /// Failures that are not forgiven at `now`.
    fn left(&self, per_minute: u32, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(self.since).as_secs_f64() / 60.0;
        (self.failures - minutes * f64::from(per_minute)).max(0.0)
    }
}

/// What is taken for one machine.
fn machine(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        six => masked(six, IPV6_BITS).unwrap_or(six),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTACKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn who_fails_too_often_waits_until_one_is_forgiven() {
        let failures = Failures::default();
        let now = Instant::now();
        for _ in 0..6 {
            assert_eq!(failures.wait(ATTACKER, 6, now), None);
            failures.count(ATTACKER, 6, now);
        }
        assert_eq!(
            failures.wait(ATTACKER, 6, now),
            Some(Duration::from_secs(10))
        );
        let later = now + Duration::from_secs(11);
        assert_eq!(failures.wait(ATTACKER, 6, later), None);
        failures.count(ATTACKER, 6, later);
        assert!(failures.wait(ATTACKER, 6, later).is_some());
        let long_after = now + Duration::from_secs(200);
        assert_eq!(failures.wait(ATTACKER, 6, long_after), None);
        assert_eq!(failures.wait(IpAddr::from([10, 0, 0, 2]), 6, now), None);
    }

    #[test]
    fn a_whole_network_of_ipv6_is_one_machine() {
        let failures = Failures::default();
        let now = Instant::now();
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        failures.count(address(1), 1, now);
        assert!(failures.wait(address(2), 1, now).is_some());
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
        assert_eq!(failures.wait(neighbour, 1, now), None);
    }

    #[test]
    fn many_addresses_take_no_place_of_one_that_fails_more() {
        let failures = Failures::default();
        let now = Instant::now();
        for _ in 0..100 {
            failures.count(ATTACKER, 60, now);
        }
        for number in 0..50_000_u32 {
            failures.count(IpAddr::V4(number.into()), 60, now);
        }
        assert!(failures.wait(ATTACKER, 60, now).is_some());
    }
}
