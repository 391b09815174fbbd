//! What mirrors must have shown before traffic moves: `errors=0,p99_ratio<1.5,min_samples=1000`.

use std::fmt;
use std::str::FromStr;

/// Something that is known of a mirror, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowFact {
    /// Statements that failed there.
    Errors,
    /// Statements that it refused because they write.
    RefusedWrites,
    /// Transactions that it was not sent, or not to the end.
    Dropped,
    /// Answers that differed, and did so again when asked again.
    Differences,
    /// Answers that differed and could not be asked again.
    Unconfirmed,
    /// The largest 99th percentile of a statement there in relation to that of the server that serves.
    P99Ratio,
    /// Answers that were compared.
    Samples,
}

const FACTS: [(&str, ShadowFact); 7] = [
    ("errors", ShadowFact::Errors),
    ("refused_writes", ShadowFact::RefusedWrites),
    ("dropped", ShadowFact::Dropped),
    ("differences", ShadowFact::Differences),
    ("unconfirmed", ShadowFact::Unconfirmed),
    ("p99_ratio", ShadowFact::P99Ratio),
    ("min_samples", ShadowFact::Samples),
];

/// All of them must be met. At least one answer must have been compared, unless another number of
/// samples is asked for: of a mirror that has seen nothing, everything else would be true.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowDemands(Vec<Demand>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Demand {
    name: &'static str,
    of: ShadowFact,
    bound: Bound,
    value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Exactly,
    Below,
    AtMost,
    AtLeast,
}

/// Text that is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no condition: one of errors, refused_writes, dropped, differences, unconfirmed or \
     p99_ratio, then =, < or <=, then a number; or min_samples=NUMBER; with commas between"
)]
pub struct DemandError {
    text: String,
}

impl FromStr for ShadowDemands {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut demands: Vec<Demand> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let demand = demand(part).filter(|new| demands.iter().all(|one| one.of != new.of));
            demands.push(demand.ok_or_else(|| DemandError {
                text: part.to_owned(),
            })?);
        }
        if !demands.iter().any(|one| one.of == ShadowFact::Samples) {
            demands.push(Demand {
                name: "min_samples",
                of: ShadowFact::Samples,
                bound: Bound::AtLeast,
                value: 1.0,
            });
        }
        Ok(ShadowDemands(demands))
    }
}

fn demand(text: &str) -> Option<Demand> {
    let at = text.find(['=', '<'])?;
    let (name, rest) = text.split_at(at);
    let (name, of) = FACTS.into_iter().find(|(known, _)| *known == name.trim())?;
    let (bound, value) = if let Some(value) = rest.strip_prefix("<=") {
        (Bound::AtMost, value)
    } else if let Some(value) = rest.strip_prefix('<') {
        (Bound::Below, value)
    } else {
        (Bound::Exactly, rest.strip_prefix('=')?)
    };
    let bound = match (of, bound) {
        (ShadowFact::Samples, Bound::Exactly) => Bound::AtLeast,
        (ShadowFact::Samples, _) => return None,
        (_, bound) => bound,
    };
    let value: f64 = value.trim().parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(Demand {
        name,
        of,
        bound,
        value,
    })
}

impl ShadowDemands {
    /// Those that are not met, a sentence each, where `known` tells what is known; none for what is
    /// not known yet.
    pub fn unmet(&self, known: impl Fn(ShadowFact) -> Option<f64>) -> Vec<String> {
        let unmet = self.0.iter().filter_map(|demand| match known(demand.of) {
            Some(value) if demand.is_met_by(value) => None,
            Some(value) => Some(format!(
                "{} is {}, not {demand}",
                demand.told(),
                short(value)
            )),
            None => Some(format!("{} is not known yet", demand.told())),
        });
        unmet.collect()
    }
}

impl Demand {
    fn is_met_by(&self, value: f64) -> bool {
        match self.bound {
            Bound::Exactly => value == self.value,
            Bound::Below => value < self.value,
            Bound::AtMost => value <= self.value,
            Bound::AtLeast => value >= self.value,
        }
    }

    fn told(&self) -> &'static str {
        match self.of {
            ShadowFact::Samples => "the number of answers compared",
            _ => self.name,
        }
    }
}

/// The bound alone.
impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.bound {
            Bound::Exactly => "",
            Bound::Below => "below ",
            Bound::AtMost => "at most ",
            Bound::AtLeast => "at least ",
        };
        write!(f, "{how}{}", short(self.value))
    }
}

fn short(value: f64) -> String {
    match value.fract() == 0.0 {
        true => format!("{value:.0}"),
        // Rounded, 1.499 would be told as the 1.5 that it is below.
        false => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unmet(text: &str, known: &[(ShadowFact, f64)]) -> Vec<String> {
        let demands: ShadowDemands = text.parse().expect("valid");
        let known = |fact| Some(known.iter().find(|one| one.0 == fact)?.1);
        demands.unmet(known)
    }

    #[test]
    fn each_condition_that_is_not_met_is_told() {
        use ShadowFact::{Errors, P99Ratio, Samples};
        let all = "errors=0, p99_ratio < 1.5,min_samples=1000";
        let good = [(Errors, 0.0), (P99Ratio, 1.499), (Samples, 1000.0)];
        assert_eq!(unmet(all, &good), [""; 0]);
        let bad = [(Errors, 4.0), (P99Ratio, 1.5), (Samples, 999.0)];
        assert_eq!(
            unmet(all, &bad),
            [
                "errors is 4, not 0",
                "p99_ratio is 1.5, not below 1.5",
                "the number of answers compared is 999, not at least 1000"
            ]
        );
        assert_eq!(
            unmet(all, &[(Errors, 0.0), (Samples, 2000.0)]),
            ["p99_ratio is not known yet"]
        );
        assert_eq!(
            unmet("errors<=4", &[(Errors, 4.0), (Samples, 1.0)]),
            [""; 0]
        );
    }

    #[test]
    fn a_mirror_that_has_seen_nothing_has_shown_nothing() {
        use ShadowFact::{Errors, Samples};
        let nothing = [(Errors, 0.0), (Samples, 0.0)];
        assert_eq!(
            unmet("errors=0", &nothing),
            ["the number of answers compared is 0, not at least 1"]
        );
        assert_eq!(unmet("errors=0,min_samples=0", &nothing), [""; 0]);
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for (text, told) in [
            ("", ""),
            ("errors=0,", ""),
            ("errors", "errors"),
            ("errors=", "errors="),
            ("errors>1", "errors>1"),
            ("errors=0,faults=0", "faults=0"),
            ("errors=0,errors<3", "errors<3"),
            ("errors=-1", "errors=-1"),
            ("errors=NaN", "errors=NaN"),
            ("p99_ratio<inf", "p99_ratio<inf"),
            ("min_samples<3", "min_samples<3"),
        ] {
            let error = text.parse::<ShadowDemands>().expect_err(text);
            assert_eq!(error.text, told, "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_texts_are_errors_and_not_panics(text in "([a-z_0-9]{0,12}[=<>]{0,3}[0-9.e+-]{0,9},?){0,4}") {
            let _ = text.parse::<ShadowDemands>();
        }
    }
}
