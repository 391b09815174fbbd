//! Which large objects one piece of work takes: a range of OIDs.

use std::fmt;

/// OIDs from `first` to `last`, both included; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OidRange {
    /// The lowest.
    pub first: u32,
    /// The highest.
    pub last: u32,
}

impl fmt::Display for OidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// The whole of what OIDs can be, cut before each of `starts`, which are in order. So objects that
/// were made since the starts were looked up fall into a range too.
pub fn cut(starts: &[u32]) -> Vec<OidRange> {
    let mut ranges = Vec::with_capacity(starts.len() + 1);
    let mut first = 0;
    for start in starts.iter().copied().skip(1) {
        ranges.push(OidRange {
            first,
            last: start - 1,
        });
        first = start;
    }
    ranges.push(OidRange {
        first,
        last: u32::MAX,
    });
    ranges
}

/// What is left of `ranges` without `done`; both in order and each without overlaps.
pub fn without(ranges: &[OidRange], done: &[OidRange]) -> Vec<OidRange> {
    let mut left = Vec::with_capacity(ranges.len());
    for range in ranges {
        let mut next = Some(range.first);
        for gone in done
            .iter()
            .filter(|gone| gone.last >= range.first && gone.first <= range.last)
        {
            if let Some(first) = next.filter(|first| *first < gone.first) {
                left.push(OidRange {
                    first,
                    last: gone.first - 1,
                });
            }
            next = gone.last.checked_add(1);
        }
        if let Some(first) = next.filter(|first| *first <= range.last) {
            left.push(OidRange {
                first,
                last: range.last,
            });
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u32, last: u32) -> OidRange {
        OidRange { first, last }
    }

    #[test]
    fn ranges_cover_every_oid_once() {
        assert_eq!(cut(&[]), [range(0, u32::MAX)]);
        assert_eq!(cut(&[16400]), [range(0, u32::MAX)]);
        assert_eq!(
            cut(&[16400, 16500, 16600]),
            [range(0, 16499), range(16500, 16599), range(16600, u32::MAX)]
        );
    }

    #[test]
    fn what_is_done_is_not_done_again() {
        let all = cut(&[1, 100, 200]);
        assert_eq!(without(&all, &[]), all);
        assert_eq!(
            without(&all, &[range(0, 99), range(100, 149)]),
            [range(150, 199), range(200, u32::MAX)]
        );
        // Cut elsewhere by now: what was done spans two ranges and leaves a hole in one.
        assert_eq!(
            without(&all, &[range(50, 120), range(130, 140)]),
            [
                range(0, 49),
                range(121, 129),
                range(141, 199),
                range(200, u32::MAX)
            ]
        );
        assert_eq!(without(&all, &[range(0, u32::MAX)]), []);
        assert_eq!(
            without(&[range(0, u32::MAX)], &[range(7, u32::MAX)]),
            [range(0, 6)]
        );
    }
}
