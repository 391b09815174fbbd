//! Files that are there after a power cut.
//!
//! The order is always: write, sync the file, rename, sync the folder. Without the last step the
//! new name may be missing after a crash although the data was synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Makes renames, creations and removals in `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Replaces `path` by `content` so that a crash leaves either the old file or the new one.
///
/// When this returns, the content and the name are durable.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_by(path, content, |_| Ok(()))
}

/// The same for a file that is somebody else's as well: owner, group and permissions stay.
pub fn replace_like(path: &Path, content: &[u8]) -> io::Result<()> {
    copy_like(path, path, content)
}

/// Writes `content` to `path` as [`replace`] does, with owner, group and permissions of `like`.
pub fn copy_like(like: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let like = fs::metadata(like)?;
    replace_by(path, content, |file| {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
            fchown(file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(like.permissions())
    })
}

fn replace_by(
    path: &Path,
    content: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = create(Path::new(&temporary))?;
    prepare(&file)?;
    file.write_all(content)?;
    file.sync_all()?;
    rename(Path::new(&temporary), path)
}

/// Makes or empties the file at `path`, readable by its owner only. Nothing is durable yet.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Renames within one folder, durably.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    // A bare name stands in the current folder, and its parent is an empty name.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}
