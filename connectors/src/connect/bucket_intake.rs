//! Files out of a bucket: into the log, and only then moved or removed.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use object_store::path::Path;

use super::bucket::{Bucket, BucketAccess, Object};
use super::document_intake::{cannot_be_document, too_large_for_record};
use super::edge::{Edge, Turn};
use super::error::{ConnectProblem, Trouble};
use super::input::InputKind;
use super::intake::{Intake, Refused};
use super::place::path_of;
use super::standing::Standing;
use super::surroundings::Surroundings;

/// Objects listed at a time.
const LISTED: usize = 1_000;

/// See the module.
pub struct BucketIntake {
    name: String,
    access: BucketAccess,
    prefix: String,
    /// The prefix below which objects go when they are in the log; `None`: they are removed.
    taken: Option<Path>,
    poll: Duration,
    kind: InputKind,
    intake: Intake,
    standing: Standing,
    bucket: Option<Bucket>,
    waiting: VecDeque<Object>,
}

impl BucketIntake {
    /// Nothing is asked yet. `taken` must not be below `prefix`, and the flow for `kind` must run.
    pub fn new(
        access: BucketAccess,
        prefix: String,
        taken: Option<&str>,
        poll: Duration,
        kind: InputKind,
        surroundings: Surroundings,
        standing: Standing,
    ) -> Self {
        let place = format!("bucket {}/{prefix}", access.bucket);
        let intake = Intake::new("s3", surroundings);
        Self {
            intake: if kind == InputKind::Document { intake.without_sources_in_messages(&place) } else { intake },
            name: place,
            access,
            prefix,
            taken: taken.map(Path::from),
            poll,
            kind,
            standing,
            bucket: None,
            waiting: VecDeque::new(),
        }
    }

    fn bucket(&mut self) -> Result<&Bucket, Trouble> {
        match &mut self.bucket {
            Some(bucket) => Ok(bucket),
            empty => Ok(empty.insert(self.access.connect()?)),
        }
    }

    fn source(&self, key: &Path) -> String {
        format!("s3:{}/{key}", self.access.bucket)
    }

    fn list(&mut self) -> Result<(), Trouble> {
        let (prefix, holds_documents) = (self.prefix.clone(), self.kind == InputKind::Document);
        // Browsers of buckets make empty objects that stand for the folders of patients.
        let is_folder = |object: &Object| object.bytes == 0 && !below(&prefix, &object.key).contains('/');
        // Room for those that were refused and are still there.
        let refused = self.intake.keep_refused(|_| true);
        let objects =
            self.bucket()?.list(&prefix, LISTED + refused, |object| !(holds_documents && is_folder(object)))?;
        let sources: BTreeSet<String> = objects.iter().map(|object| self.source(&object.key)).collect();
        let left = self.intake.keep_refused(|source| sources.contains(source));
        self.standing.has_set_aside(&self.name, left);
        self.waiting =
            objects.into_iter().filter(|object| !self.intake.has_refused(&self.source(&object.key))).collect();
        Ok(())
    }

    fn refuse(&mut self, object: &Object, cause: &Trouble) -> Result<(), Trouble> {
        let source = self.source(&object.key);
        let bytes = Some(object.bytes);
        self.intake.refuse(&Refused { source: &source, cause, bytes, sender: "", workflow_id: "" })
    }

    fn take(&mut self, object: &Object) -> Result<(), Trouble> {
        if object.bytes > self.intake.surroundings().largest_input {
            let doing = format!("an object of bucket {}", self.access.bucket);
            return self.refuse(object, &Trouble::new(ConnectProblem::TooLarge, doing, "it is larger than the limit"));
        }
        if self.kind == InputKind::Document {
            return self.take_document(object);
        }
        let source = self.source(&object.key);
        let mut content = self.intake.surroundings().temporary_file()?;
        let Some(read) = self.bucket()?.read(&object.key, &mut content)? else { return Ok(()) };
        let name = object.key.filename().unwrap_or_default().to_owned();
        let id = self.intake.publish(&self.kind, &name, &source, &mut content)?;
        let taken = self.taken.as_ref().zip(path_of(&id, &name));
        let taken = taken.map(|(taken, path)| path.split('/').fold(taken.clone(), Path::join));
        let bucket = self.bucket()?;
        // One that was replaced meanwhile is another file, and is taken at the next turn.
        if bucket.look(&object.key)?.is_none_or(|now| now.e_tag != read.e_tag) {
            return Ok(());
        }
        if let Some(taken) = taken {
            bucket.copy(&object.key, &taken)?;
        }
        bucket.remove(&object.key)
    }

    /// It is copied first: the bytes of one that is too large for a record stay there, and its record says so.
    fn take_document(&mut self, object: &Object) -> Result<(), Trouble> {
        let path = below(&self.prefix, &object.key);
        if let Some(cause) = cannot_be_document(&path, &self.name) {
            return self.refuse(object, &cause);
        }
        let mut content = self.intake.surroundings().temporary_file()?;
        let Some(read) = self.bucket()?.read(&object.key, &mut content)? else { return Ok(()) };
        let source = self.source(&object.key);
        let document = self.intake.document(&path, &source, Some(read.modified_ms), &mut content)?;
        let is_for_record = document.bytes <= self.intake.most_bytes_in_record();
        if !is_for_record && self.taken.is_none() {
            return self.refuse(object, &too_large_for_record(&self.name));
        }
        // One that was replaced meanwhile is another version, and is taken at the next turn.
        if !self.is_still(&read)? {
            return Ok(());
        }
        let kept = self.taken.as_ref().map(|taken| document.kept_as.split('/').fold(taken.clone(), Path::join));
        if let Some(kept) = &kept {
            self.bucket()?.copy(&object.key, kept)?;
        }
        match kept.filter(|_| !is_for_record) {
            Some(kept) => self.intake.publish_with_url(&document, &format!("s3://{}/{kept}", self.access.bucket))?,
            None => self.intake.publish_with_bytes(&document, &mut content)?,
        }
        if self.is_still(&read)? {
            self.bucket()?.remove(&object.key)?;
        }
        Ok(())
    }

    /// Whether an object is as it was read.
    fn is_still(&mut self, read: &Object) -> Result<bool, Trouble> {
        let now = self.bucket()?.look(&read.key)?;
        Ok(now.is_some_and(|now| now.e_tag == read.e_tag))
    }
}

/// A key without a prefix.
fn below(prefix: &str, key: &Path) -> String {
    let parts = key.prefix_match(&Path::from(prefix));
    parts.map_or_else(String::new, |parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
}

impl Edge for BucketIntake {
    fn name(&self) -> &str {
        &self.name
    }

    fn turn(&mut self) -> Result<Turn, Trouble> {
        if self.waiting.is_empty() {
            self.list()?;
        }
        let Some(object) = self.waiting.pop_front() else { return Ok(Turn::Rest(self.poll)) };
        if let Err(trouble) = self.take(&object) {
            // Behind the others, which it must not hold up.
            self.waiting.push_back(object);
            return Err(trouble);
        }
        Ok(Turn::Again)
    }

    fn forget(&mut self) {
        self.bucket = None;
        self.intake.forget();
    }
}
