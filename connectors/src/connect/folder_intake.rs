//! Files out of a folder: claimed, into the log, and only then moved or removed.
//!
//! A file is taken when it has not changed from one look to the next. It is claimed by moving it into `.taking` below the folder,
//! so that a new file of the same name is another file. What stands there at a start was claimed before a crash, and is taken
//! first.
//!
//! Documents stand in a folder for each patient, and their names here are `<patient id>/<file name>`.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::document_intake::{cannot_be_document, too_large_for_record};
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
        let intake = if kind == InputKind::Document { intake.without_sources_in_messages(&name) } else { intake };
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
        let present = self.present().map_err(&failed)?;
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
            let claimed = self.claimed().join(name);
            if !claimed.exists() {
                fs::create_dir_all(claimed.parent().unwrap_or(&claimed)).map_err(&failed)?;
                fs::rename(self.folder.join(name), claimed).map_err(&failed)?;
            }
        }
        self.looked_at = present.iter().map(|(name, m)| (name.clone(), (m.len(), m.modified().ok()))).collect();
        Ok(())
    }

    /// What has arrived, by its name: what stands in the folder itself; of documents, what stands in the folders of patients, and
    /// what stands beside these.
    fn present(&self) -> io::Result<HashMap<String, Metadata>> {
        let mut present = HashMap::new();
        for (name, metadata) in entries(&self.folder)? {
            if !metadata.is_dir() {
                present.insert(name, metadata);
            } else if self.kind == InputKind::Document {
                let of_patient = match entries(&self.folder.join(&name)) {
                    // It has gone meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    entries => entries?,
                };
                present.extend(of_patient.into_iter().map(|(document, m)| (format!("{name}/{document}"), m)));
            }
        }
        Ok(present)
    }

    fn cannot_be_taken(&self, name: &str, metadata: &Metadata) -> Option<Trouble> {
        let is_document = self.kind == InputKind::Document;
        if let (true, Some(trouble)) = (is_document, cannot_be_document(name, &self.name)) {
            return Some(trouble);
        }
        let doing = format!("a file in {}", self.folder.display());
        if !metadata.is_file() {
            return Some(Trouble::new(ConnectProblem::NotAFile, doing, "it is a link, or no file"));
        }
        if metadata.len() > self.intake.surroundings().largest_input {
            return Some(Trouble::new(ConnectProblem::TooLarge, doing, "it is larger than the limit"));
        }
        if is_document && metadata.len() > self.intake.most_bytes_in_record() {
            return Some(too_large_for_record(&self.name));
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
        let is_document = self.kind == InputKind::Document;
        for name in names(&self.claimed()).map_err(&failed)? {
            let name = name.map_err(&failed)?;
            if !is_document {
                return Ok(Some(name));
            }
            let of_patient = self.claimed().join(&name);
            if let Some(document) = names(&of_patient).map_err(&failed)?.next() {
                return Ok(Some(format!("{name}/{}", document.map_err(&failed)?)));
            }
            // Left behind when its last document was taken.
            fs::remove_dir(&of_patient).map_err(&failed)?;
        }
        Ok(None)
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
        let kept = match self.kind {
            InputKind::Document => match self.publish_document(name, before.1, &mut content)? {
                Some(kept) => Some(kept),
                None => return self.put_back(name),
            },
            _ => path_of(&self.intake.publish(&self.kind, name, &self.source(name), &mut content)?, name),
        };
        if look(&file)? != before {
            // Its producer still had it open. It is taken again as it is then.
            return Ok(Turn::Rest(self.poll));
        }
        match (&self.taken, kept) {
            (Some(taken), Some(kept)) => {
                let target = taken.join(kept);
                fs::create_dir_all(target.parent().unwrap_or(taken)).map_err(&failed)?;
                fs::rename(&path, target).map_err(&failed)?;
            }
            _ => fs::remove_file(&path).map_err(&failed)?,
        }
        Ok(Turn::Again)
    }

    /// Answers under which path it is kept; `None` when it has grown beyond a record since it was claimed. A document is as old as
    /// its file.
    fn publish_document(
        &mut self,
        name: &str,
        changed: Option<SystemTime>,
        content: &mut File,
    ) -> Result<Option<String>, Trouble> {
        let changed = changed.and_then(|changed| changed.duration_since(UNIX_EPOCH).ok());
        let changed_at_ms = changed.and_then(|since| i64::try_from(since.as_millis()).ok());
        let document = self.intake.document(name, &self.source(name), changed_at_ms, content)?;
        if document.bytes > self.intake.most_bytes_in_record() {
            return Ok(None);
        }
        self.intake.publish_with_bytes(&document, content)?;
        Ok(Some(document.kept_as))
    }

    /// Undoes a claim: the next look refuses what cannot be taken.
    fn put_back(&self, name: &str) -> Result<Turn, Trouble> {
        let place = self.folder.join(name);
        if place.exists() {
            return Err(too_large_for_record(&self.name));
        }
        let failed = self.failed("putting a file back");
        fs::create_dir_all(place.parent().unwrap_or(&self.folder)).map_err(&failed)?;
        fs::rename(self.claimed().join(name), place).map_err(&failed)?;
        Ok(Turn::Rest(self.poll))
    }
}

/// What stands in a folder and is neither hidden nor still being written; of links, the links.
fn entries(folder: &Path) -> io::Result<Vec<(String, Metadata)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || UNFINISHED.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            metadata => found.push((name, metadata?)),
        }
    }
    Ok(found)
}

/// Names of what stands in a folder; none where there is no folder.
fn names(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<String>>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries?),
    };
    Ok(entries.into_iter().flatten().map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())))
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
