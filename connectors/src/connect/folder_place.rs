//! Files kept in a folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::NamedTempFile;

use super::assembly::WholeFile;
use super::error::{ConnectProblem, Trouble};
use super::extract::measure;
use super::place::{Kept, Place, Removed, is_job_id};

/// Below this folder.
pub struct FolderPlace {
    root: PathBuf,
}

impl FolderPlace {
    /// Nothing is looked at yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn failed(&self, error: &io::Error) -> Trouble {
        Trouble::new(ConnectProblem::Folder, format!("keeping files in {}", self.root.display()), error)
    }

    fn write(&self, path: &str, file: &mut WholeFile) -> io::Result<Kept> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        // Under a name of its own until it is whole and on the disk.
        let mut part = NamedTempFile::with_prefix_in(".part-", folder)?;
        io::copy(file.content()?, part.as_file_mut())?;
        part.as_file().sync_all()?;
        match part.persist_noclobber(&target) {
            Ok(_) => {
                File::open(folder)?.sync_all()?;
                Ok(Kept::There)
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                let there = measure(File::open(&target)?)?;
                Ok(if there == (file.bytes, file.sha256) { Kept::There } else { Kept::Another })
            }
            Err(error) => Err(error.error),
        }
    }

    fn remove(&self, before: SystemTime) -> io::Result<Vec<Removed>> {
        let mut removed = Vec::new();
        let entries = match fs::read_dir(&self.root) {
            // Nothing was ever kept here.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(removed),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let job_id = entry.file_name().to_string_lossy().into_owned();
            if is_job_id(&job_id) && entry.file_type()?.is_dir() {
                let files = remove_files(&entry.path(), before)?;
                if files > 0 {
                    removed.push(Removed { job_id, files });
                }
            }
        }
        Ok(removed)
    }
}

/// Removes the files of a folder, and the folder when nothing is left in it.
fn remove_files(folder: &Path, before: SystemTime) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            removed += remove_files(&entry.path(), before)?;
        } else if metadata.modified()? < before {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(removed),
    }
}

impl Place for FolderPlace {
    fn keep(&mut self, path: &str, file: &mut WholeFile) -> Result<Kept, Trouble> {
        self.write(path, file).map_err(|error| self.failed(&error))
    }

    fn address(&self, path: &str) -> String {
        format!("folder:{}", self.root.join(path).display())
    }

    fn remove_older_than(&mut self, before_ms: i64) -> Result<Vec<Removed>, Trouble> {
        let before = UNIX_EPOCH + Duration::from_millis(u64::try_from(before_ms).unwrap_or(0));
        self.remove(before).map_err(|error| self.failed(&error))
    }

    fn forget(&mut self) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::connect::assembly::whole_file;
    use crate::connect::place::path_of;

    const JOB: &str = "142ab507-2cb6-83c5-af32-891d83af0e53";

    fn keep(place: &mut FolderPlace, name: &str, text: &str) -> Kept {
        place.keep(&path_of(JOB, name).unwrap(), &mut whole_file(JOB, name, text)).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_once_and_another_content_never_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = FolderPlace::new(folder.path().join("out"));
        assert_eq!(keep(&mut place, "a.csv", "one\n"), Kept::There);
        assert_eq!(keep(&mut place, "a.csv", "one\n"), Kept::There);
        assert_eq!(keep(&mut place, "a.csv", "two\n"), Kept::Another);
        assert_eq!(keep(&mut place, "work-items/b.json", "{}"), Kept::There);
        let job = folder.path().join("out").join(JOB);
        assert_eq!(fs::read_to_string(job.join("a.csv")).unwrap(), "one\n");
        assert_eq!(names(&job), ["a.csv", "work-items"], "nothing half-written is left");
    }

    #[test]
    fn only_files_of_jobs_are_removed_and_only_when_their_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut place = FolderPlace::new(folder.path().to_owned());
        assert_eq!(FolderPlace::new(folder.path().join("no-such")).remove_older_than(1).unwrap(), []);
        for name in ["old.csv", "work-items/old.json", "young.csv"] {
            keep(&mut place, name, "x");
        }
        fs::write(folder.path().join("somebody-elses.csv"), "x").unwrap();
        for name in [format!("{JOB}/old.csv"), format!("{JOB}/work-items/old.json"), "somebody-elses.csv".to_owned()] {
            let file = File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000)).unwrap();
        }
        assert_eq!(place.remove_older_than(1_000_000).unwrap(), [], "not before");
        let removed = place.remove_older_than(1_000_001).unwrap();
        assert_eq!(removed, [Removed { job_id: JOB.to_owned(), files: 2 }]);
        assert_eq!(names(&folder.path().join(JOB)), ["young.csv"], "and no empty folder is left");
        assert!(folder.path().join("somebody-elses.csv").exists());
    }
}
