//! How a copy is made, from what was typed.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::CommandError;
use crate::base::quantity::ByteSize;
use crate::catalog::parts::{self, Cutting};
use crate::catalog::sizes::Sizes;
use crate::cli::options::{CopySettings, SchemaSettings, SplitSettings, StartMode};
use crate::clone::completion::Tidying;
use crate::clone::extensions::requirements;
use crate::clone::method::FormatChoice;
use crate::clone::roles::Passwords;
use crate::clone::schema::Leave;
use crate::migration::base_copy::Choices;
use crate::migration::begin::Start;

/// The choices of `clone` and of every `copy …`.
pub(super) fn of(copy: &CopySettings, retry_for: Duration) -> Result<Choices, CommandError> {
    Ok(Choices {
        table_jobs: copy.table_jobs.get(),
        source_load_limit: copy.source_load_limit.map(NonZeroUsize::get),
        index_jobs: copy.index_jobs.get(),
        roles: roles(copy),
        refresh_matviews: copy.refresh_matviews,
        large_object_jobs: (!copy.skip_large_objects).then_some(copy.large_objects_jobs.get()),
        sizes: sizes(&copy.split),
        cutting: cutting(&copy.split),
        format: match copy.use_copy_binary {
            true => FormatChoice::Binary,
            false => FormatChoice::Auto,
        },
        tidying: tidying(copy),
        fail_fast: copy.fail_fast,
        retry_for,
        ..of_definitions(&copy.schema, copy.restore_jobs)?
    })
}

/// The choices of `dump …` and `restore …`, which move no rows.
pub(super) fn of_definitions(
    schema: &SchemaSettings,
    jobs: NonZeroUsize,
) -> Result<Choices, CommandError> {
    Ok(Choices {
        table_jobs: 1,
        source_load_limit: None,
        index_jobs: jobs.get(),
        roles: None,
        requirements: match &schema.requirements {
            Some(file) => requirements::read(file)?,
            None => Vec::new(),
        },
        skip_db_properties: schema.skip_db_properties,
        refresh_matviews: false,
        large_object_jobs: None,
        restore_jobs: jobs.get(),
        sizes: Sizes::Measured,
        cutting: None,
        format: FormatChoice::Auto,
        leave: leave(schema),
        drop_if_exists: schema.drop_if_exists,
        tidying: None,
        fail_fast: false,
        retry_for: Duration::ZERO,
    })
}

/// What to do with what an earlier run left.
pub(super) const fn start(mode: StartMode) -> Start {
    match mode {
        StartMode::Fresh => Start::Fresh,
        StartMode::Resume {
            not_consistent: false,
        } => Start::Resume,
        StartMode::Resume {
            not_consistent: true,
        } => Start::ResumeNotConsistent,
        StartMode::Restart => Start::Restart,
    }
}

/// The options of pg_restore for what is left out.
fn leave(schema: &SchemaSettings) -> Leave {
    let options = [
        (schema.no_owner, "--no-owner"),
        (schema.no_acl, "--no-acl"),
        (schema.no_comments, "--no-comments"),
        (schema.no_tablespaces, "--no-tablespaces"),
    ];
    let given = options.into_iter().filter(|(is_given, _)| *is_given);
    Leave {
        options: given.map(|(_, option)| option.to_owned()).collect(),
        extension_comments: schema.skip_ext_comments,
        collations: schema.skip_collations,
        extensions: schema.skip_extensions,
    }
}

const fn roles(copy: &CopySettings) -> Option<Passwords> {
    match (copy.roles, copy.no_role_passwords) {
        (false, _) => None,
        (true, false) => Some(Passwords::Copied),
        (true, true) => Some(Passwords::LeftOut),
    }
}

/// Where the plan has its sizes from.
pub(super) const fn sizes(split: &SplitSettings) -> Sizes {
    match split.estimate_table_sizes {
        true => Sizes::Estimated,
        false => Sizes::Measured,
    }
}

/// How tables are cut: `--split-tables-larger-than 0` says not at all.
pub(super) fn cutting(split: &SplitSettings) -> Option<Cutting> {
    let larger_than = split.larger_than.unwrap_or(parts::LARGER_THAN);
    (larger_than.0 > 0).then_some(Cutting {
        larger_than,
        parts_max: split.parts_max,
        by_ctid: !split.skip_by_ctid,
    })
}

/// What was said of cutting, for people and to be compared.
pub(super) fn split_named(split: &SplitSettings) -> String {
    // Two sizes that people read as the same may be different.
    let larger_than = split
        .larger_than
        .map(|ByteSize(bytes)| format!("--split-tables-larger-than {bytes}"));
    let parts_max = split
        .parts_max
        .map(|count| format!("--split-max-parts {count}"));
    let by_ctid = split
        .skip_by_ctid
        .then(|| "--skip-split-by-ctid".to_owned());
    let named = [larger_than, parts_max, by_ctid].into_iter().flatten();
    named.collect::<Vec<_>>().join(" ")
}

const fn tidying(copy: &CopySettings) -> Option<Tidying> {
    match (copy.skip_vacuum, copy.skip_analyze) {
        (false, false) => Some(Tidying::VacuumAnalyze),
        (true, false) => Some(Tidying::Analyze),
        (false, true) => Some(Tidying::Vacuum),
        (true, true) => None,
    }
}
