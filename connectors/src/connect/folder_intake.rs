//! Files out of a folder: claimed, into the log, and only then moved or removed.
//!
//! A file is taken when it has not changed from one look to the next. It is claimed by moving it into `.taking` below the folder,
//! so that a new file of the same name is another file. What stands there at a start was claimed before a crash, and is taken
//! first.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::input::InputKind;
use super::intake::{Intake, Refused};
use super::place::path_of;
use super::standing::Standing;
use super::surroundings::Surroundings;

const CLAIMED: &str = ".taking";
/// Endings of files that are still being written.
const UNFINISHED: [&str; 2] = [".part", ".tmp"];

/// See the module.
pub struct FolderIntake {
    name: String,
    folder: PathBuf,
    /// Where files go when they are in the log; `None`: they are removed.
    taken: Option<PathBuf>,
    poll: Duration,
    kind: InputKind,
    intake: Intake,
    standing: Standing,
    /// Length and time of change of each file at the last look.
    looked_at: HashMap<String, (u64, Option<SystemTime>)>,
}

impl FolderIntake {
    /// Nothing is looked at yet. `taken` must be on the same file system, and the flow for `kind` must run.
    pub fn new(
        folder: PathBuf,
        taken: Option<PathBuf>,
        poll: Duration,
        kind: InputKind,
        surroundings: Surroundings,
        standing: Standing,
    ) -> Self {
        let name = format!("folder {}", folder.display());
        let intake = Intake::new("folder", surroundings);
        Self { name, folder, taken, poll, kind, intake, standing, looked_at: HashMap::new() }
    }

    fn claimed(&self) -> PathBuf {
        self.folder.join(CLAIMED)
    }

    fn source(&self, name: &str) -> String {
        format!("folder:{}", self.folder.join(name).display())
    }

    fn failed(&self, doing: &str) -> impl Fn(io::Error) -> Trouble + use<> {
        let doing = format!("{doing} in {}", self.folder.display());
        move |error| Trouble::new(ConnectProblem::Folder, &doing, error)
    }

    /// Claims what has come to rest.
    fn claim(&mut self) -> Result<(), Trouble> {
        let failed = self.failed("looking for files");
        fs::create_dir_all(self.claimed()).map_err(&failed)?;
        let mut present = HashMap::new();
        for entry in fs::read_dir(&self.folder).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || UNFINISHED.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            // Of a link it is the link's.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(&failed)?,
            };
            if !metadata.is_dir() {
                present.insert(name, metadata);
            }
        }
        let there: Vec<String> = present.keys().map(|name| self.source(name)).collect();
        let left = self.intake.keep_refused(|source| there.iter().any(|there| there == source));
        self.standing.has_set_aside(&self.name, left);
        for (name, metadata) in &present {
            let look = (metadata.len(), metadata.modified().ok());
            let has_come_to_rest = self.looked_at.get(name) == Some(&look);
            if !has_come_to_rest || self.intake.has_refused(&self.source(name)) {
                continue;
            }
            if let Some(cause) = self.cannot_be_taken(name, metadata) {
                let source = self.source(name);
                let bytes = Some(metadata.len());
                self.intake.refuse(&Refused { source: &source, cause: &cause, bytes, sender: "", workflow_id: "" })?;
                continue;
            }
            if !self.claimed().join(name).exists() {
                fs::rename(self.folder.join(name), self.claimed().join(name)).map_err(&failed)?;
            }
        }
        self.looked_at = present.iter().map(|(name, m)| (name.clone(), (m.len(), m.modified().ok()))).collect();
        Ok(())
    }

    fn cannot_be_taken(&self, name: &str, metadata: &Metadata) -> Option<Trouble> {
        let doing = format!("a file in {}", self.folder.display());
        if !metadata.is_file() {
            return Some(Trouble::new(ConnectProblem::NotAFile, doing, "it is a link, or no file"));
        }
        if metadata.len() > self.intake.surroundings().largest_input {
            return Some(Trouble::new(ConnectProblem::TooLarge, doing, "it is larger than the limit"));
        }
        match File::open(self.folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some(Trouble::new(ConnectProblem::NotAFile, doing, "it may not be read"))
            }
            _ => None,
        }
    }

    fn next_claimed(&self) -> Result<Option<String>, Trouble> {
        let failed = self.failed("looking for claimed files");
        let entry = match fs::read_dir(self.claimed()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(&failed)?.next().transpose().map_err(&failed)?,
        };
        Ok(entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
    }

    fn take(&mut self, name: &str) -> Result<Turn, Trouble> {
        let failed = self.failed("taking a file");
        let path = self.claimed().join(name);
        let mut file = File::open(&path).map_err(&failed)?;
        let look = |file: &File| file.metadata().map(|m| (m.len(), m.modified().ok())).map_err(&failed);
        let before = look(&file)?;
        // A copy that nobody else can write: what is published is what was measured.
        let mut content = self.intake.surroundings().temporary_file()?;
        io::copy(&mut file, &mut content).map_err(&failed)?;
        let id = self.intake.publish(&self.kind, name, &self.source(name), &mut content)?;
        if look(&file)? != before {
            // Its producer still had it open. It is taken again as it is then.
            return Ok(Turn::Rest(self.poll));
        }
        match (&self.taken, path_of(&id, name)) {
            (Some(taken), Some(kept)) => {
                let target = taken.join(kept);
                fs::create_dir_all(target.parent().unwrap_or(taken)).map_err(&failed)?;
                fs::rename(&path, target).map_err(&failed)?;
            }
            _ => fs::remove_file(&path).map_err(&failed)?,
        }
        Ok(Turn::Again)
    }
}

impl Edge for FolderIntake {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        if let Some(name) = self.next_claimed()? {
            return self.take(&name);
        }
        self.claim()?;
        Ok(if self.next_claimed()?.is_some() { Turn::Again } else { Turn::Rest(self.poll) })
    }

    fn forget(&mut self) {
        self.intake.forget();
    }
}
