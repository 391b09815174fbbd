//! Roles of the instance, before anything that they own.

use std::fs;
use std::path::PathBuf;

use crate::clone::programs::Programs;
use crate::clone::roles::script::Statement;
use crate::clone::roles::{self, Passwords, RolesError};
use crate::clone::schema::{self, SchemaError};
use crate::pg::{Address, Session};
use crate::store::WorkDir;

use super::steps::BaseCopy;
use crate::base::Shutdown;
use crate::migration::error::{MigrationError, on_source};

impl BaseCopy<'_> {
    pub(super) async fn roles(&mut self) -> Result<(), MigrationError> {
        const STEP: &str = "roles";
        let Some(passwords) = self.config.choices.roles else {
            return Ok(());
        };
        self.go_on()?;
        if self.store.step_is_done(STEP)? {
            return Ok(());
        }
        self.store.begin_step(STEP)?;
        let config = self.config;
        copy_roles(
            &config.programs,
            &config.source,
            &self.target,
            &config.work_dir,
            passwords,
            self.shutdown,
        )
        .await?;
        Ok(self.store.finish_step(STEP)?)
    }
}

/// Makes the roles of the script that `dump roles` has left in the work directory, which holds no
/// passwords.
pub async fn restore_roles(target: &Session, work_dir: &WorkDir) -> Result<(), MigrationError> {
    let path = roles_path(work_dir);
    let script = fs::read_to_string(&path).map_err(|source| MigrationError::Io {
        doing: "reading",
        path,
        source,
    })?;
    make(target, &roles::script::statements(&script)).await
}

/// Where pg_dumpall's script is kept.
pub fn roles_path(work_dir: &WorkDir) -> PathBuf {
    work_dir.schema_path().join("roles.sql")
}

/// Makes the source's roles on the target, and tells what became of them.
pub async fn copy_roles(
    programs: &Programs,
    source: &Address,
    target: &Session,
    work_dir: &WorkDir,
    passwords: Passwords,
    shutdown: &Shutdown,
) -> Result<(), MigrationError> {
    let statements = dump_roles(programs, source, work_dir, passwords, shutdown).await?;
    make(target, &statements).await
}

/// Has pg_dumpall write the roles; the script in the work directory holds no passwords.
pub async fn dump_roles(
    programs: &Programs,
    source: &Address,
    work_dir: &WorkDir,
    passwords: Passwords,
    shutdown: &Shutdown,
) -> Result<Vec<Statement>, MigrationError> {
    let source = schema::for_programs(source).await;
    let source = source.map_err(on_source("asking for its settings"))?;
    match roles::dump(
        programs,
        &source,
        passwords,
        &roles_path(work_dir),
        shutdown,
    ) {
        Err(RolesError::Dump(SchemaError::Stopped)) => Err(MigrationError::Stopped),
        dumped => Ok(dumped?),
    }
}

async fn make(target: &Session, statements: &[Statement]) -> Result<(), MigrationError> {
    let copied = roles::restore(target, statements).await?;
    if !copied.kept.is_empty() {
        tracing::info!(
            "kept as they are on the target: roles {}",
            copied.kept.join(", ")
        );
    }
    for (statement, reason) in &copied.left_out {
        tracing::warn!(
            "left out, for an administrator of the target to run: {statement}; ({reason})"
        );
    }
    tracing::info!("{} roles made", copied.made);
    Ok(())
}
