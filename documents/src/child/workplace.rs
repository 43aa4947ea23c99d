//! The temporary folder of a process that reads. It may hold a document, so nothing of it must stay, even when this program is killed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

const PREFIX: &str = "concord-document-";
/// A folder that was just made is not locked yet, for a moment.
const YOUNGEST: Duration = Duration::from_secs(60);

/// A folder that goes with it. It is locked as long as the program lives.
#[derive(Debug)]
pub(super) struct Workplace {
    folder: TempDir,
    _lock: File,
}

impl Workplace {
    /// Makes one, and removes what killed programs have left behind.
    pub fn make() -> io::Result<Self> {
        remove_left_behind(&std::env::temp_dir());
        let folder = TempDir::with_prefix(PREFIX)?;
        let lock = File::open(folder.path())?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Folders that nobody locks. What cannot be removed now is tried again by the next process.
fn remove_left_behind(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // Links are not followed: they are no folders here.
        let Ok(meta) = entry.metadata() else { continue };
        let age = meta.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
        let path = entry.path();
        if meta.is_dir() && age >= YOUNGEST && File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::FileTimes;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_folder_that_nobody_locks_is_removed_with_what_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("page"), "a document").unwrap();
            let folder = File::open(&path).unwrap();
            folder.set_times(FileTimes::new().set_modified(SystemTime::now() - age)).unwrap();
            (path, folder)
        };
        let (left_behind, _) = make("concord-document-1", 2 * YOUNGEST);
        let (in_use, lock) = make("concord-document-2", 2 * YOUNGEST);
        lock.lock().unwrap();
        let (just_made, _) = make("concord-document-3", Duration::ZERO);
        let (of_others, _) = make("another", 2 * YOUNGEST);
        remove_left_behind(parent.path());
        assert!(!left_behind.exists());
        assert!(in_use.exists() && just_made.exists() && of_others.exists());
        drop(lock);
        remove_left_behind(parent.path());
        assert!(!in_use.exists());
    }
}
