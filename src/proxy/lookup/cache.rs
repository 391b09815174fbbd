//! What lookups have answered, for a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::proxy::config::User;

/// Users that are kept: a kilobyte each.
const KNOWN_MAX: usize = 10_000;

/// Names of nobody that are kept. Fewer, in a place of their own: strangers make them up.
const UNKNOWN_MAX: usize = 1_000;

/// Which source, and the role.
pub type Key = (usize, String);

/// Answers, none of them older than the time they are good for.
#[derive(Debug)]
pub struct Cache {
    good_for: Duration,
    known: HashMap<Key, (User, Instant)>,
    unknown: HashMap<Key, Instant>,
}

impl Cache {
    /// With nothing in it.
    pub fn new(good_for: Duration) -> Self {
        Cache {
            good_for,
            known: HashMap::new(),
            unknown: HashMap::new(),
        }
    }

    /// What was answered; none if nothing was, or it is too old.
    pub fn get(&self, key: &Key, now: Instant) -> Option<Option<User>> {
        let is_good = |since: &Instant| now.saturating_duration_since(*since) < self.good_for;
        let known = self.known.get(key).filter(|(_, since)| is_good(since));
        match known {
            Some((user, _)) => Some(Some(user.clone())),
            None => self
                .unknown
                .get(key)
                .filter(|since| is_good(since))
                .map(|_| None),
        }
    }

    /// Keeps an answer.
    pub fn put(&mut self, key: Key, found: Option<User>, now: Instant) {
        self.forget(&key);
        match found {
            Some(user) => {
                make_room(&mut self.known, KNOWN_MAX, |(_, since)| *since);
                self.known.insert(key, (user, now));
            }
            None => {
                make_room(&mut self.unknown, UNKNOWN_MAX, |since| *since);
                self.unknown.insert(key, now);
            }
        }
    }

    /// Drops an answer.
    pub fn forget(&mut self, key: &Key) {
        self.known.remove(key);
        self.unknown.remove(key);
    }
}

/// Drops the older half of a full map: seldom, and cheap for each that was put into it.
fn make_room<T>(map: &mut HashMap<Key, T>, most: usize, since: impl Fn(&T) -> Instant) {
    if map.len() < most {
        return;
    }
    let mut times: Vec<_> = map.values().map(&since).collect();
    times.sort_unstable();
    if let Some(middle) = times.get(times.len() / 2).copied() {
        map.retain(|_, one| since(one) > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::config::Stored;

    fn user(name: &str) -> User {
        User {
            name: name.to_owned(),
            stored: Stored::Nothing,
            certificate_name: None,
        }
    }

    fn key(name: &str) -> Key {
        (0, name.to_owned())
    }

    #[test]
    fn answers_are_good_for_a_while_or_until_they_are_forgotten() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let mut cache = Cache::new(minute);
        assert_eq!(cache.get(&key("ann"), now), None);
        cache.put(key("ann"), Some(user("ann")), now);
        cache.put(key("bob"), None, now);
        assert_eq!(cache.get(&key("ann"), now), Some(Some(user("ann"))));
        assert_eq!(cache.get(&key("bob"), now), Some(None));
        assert_eq!(cache.get(&(1, "ann".to_owned()), now), None);
        assert_eq!(cache.get(&key("ann"), now + minute), None);
        assert_eq!(cache.get(&key("bob"), now + minute), None);
        // Somebody has made a role of that name.
        cache.put(key("bob"), Some(user("bob")), now);
        cache.forget(&key("bob"));
        assert_eq!(cache.get(&key("bob"), now), None);
    }

    #[test]
    fn names_that_are_made_up_take_no_place_of_users() {
        let now = Instant::now();
        let mut cache = Cache::new(Duration::from_secs(60));
        cache.put(key("ann"), Some(user("ann")), now);
        for number in 0..5_000_u64 {
            let later = now + Duration::from_micros(number);
            cache.put(key(&number.to_string()), None, later);
            assert!(cache.unknown.len() <= UNKNOWN_MAX);
            assert_eq!(cache.get(&key(&number.to_string()), later), Some(None));
        }
        assert!(cache.get(&key("ann"), now).is_some());
        // All at the same moment.
        let mut cache = Cache::new(Duration::from_secs(60));
        for number in 0..5_000_u64 {
            cache.put(key(&number.to_string()), None, now);
            assert!(cache.unknown.len() <= UNKNOWN_MAX);
        }
    }
}
