//! Whether mirrors have shown what is required of them.

use std::collections::BTreeMap;

use super::config::Config;
use super::error::CutoverError;
use super::proxies::{Proxies, Via};
use crate::base::shadow_demands::{ShadowDemands, ShadowFact};
use crate::proxy::control::MirrorStatus;

/// Conditions that are named; there are no more than seven for each mirror.
const TOLD_MAX: usize = 21;

/// Looks at the mirrors of all proxies if anything is required of them.
///
/// # Errors
/// It is not met; a proxy does not answer.
pub(super) async fn check(
    config: &Config,
    proxies: &Proxies,
    via: Via<'_>,
) -> Result<(), CutoverError> {
    let Some(demands) = &config.shadow else {
        return Ok(());
    };
    let mirrors = proxies.mirrors(via).await?;
    let unmet = unmet(demands, &mirrors);
    if unmet.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = unmet.iter().take(TOLD_MAX).map(String::as_str).collect();
    Err(CutoverError::not_ready(
        format!("--require-shadow is not met: {}", told.join("; ")),
        "pgflit proxy mirrors shows by which statements; counts begin anew with the proxy",
    ))
}

/// The conditions that a mirror does not meet, with its name. What several processes count of a mirror
/// is added up; of ratios the largest counts.
fn unmet(demands: &ShadowDemands, mirrors: &[MirrorStatus]) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<&MirrorStatus>> = BTreeMap::new();
    for mirror in mirrors {
        by_name.entry(&mirror.name).or_default().push(mirror);
    }
    if by_name.is_empty() {
        return vec!["no proxy has a mirror".to_owned()];
    }
    let of_each = by_name.into_iter().flat_map(|(name, parts)| {
        let unmet = demands.unmet(|fact| known(fact, &parts)).into_iter();
        unmet.map(move |told| format!("of mirror {name}, {told}"))
    });
    of_each.collect()
}

fn known(fact: ShadowFact, parts: &[&MirrorStatus]) -> Option<f64> {
    let count = |of: fn(&MirrorStatus) -> u64| {
        let sum: u64 = parts.iter().map(|part| of(part)).sum();
        Some(sum as f64)
    };
    match fact {
        ShadowFact::Errors => count(|part| part.errors),
        ShadowFact::RefusedWrites => count(|part| part.refused_writes),
        ShadowFact::Dropped => count(|part| part.dropped),
        ShadowFact::Differences => count(|part| part.differences),
        ShadowFact::Unconfirmed => count(|part| part.unconfirmed),
        ShadowFact::Samples => count(|part| part.compared),
        ShadowFact::P99Ratio => {
            let ratios = parts.iter().filter_map(|part| part.p99_ratio);
            ratios.reduce(f64::max)
        }
    }
}
