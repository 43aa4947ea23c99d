//! Files out of a bucket: into the log, and only then moved or removed.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use object_store::path::Path;

use super::bucket::{Bucket, BucketAccess, Object};
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
        Self {
            name: format!("bucket {}/{prefix}", access.bucket),
            access,
            prefix,
            taken: taken.map(Path::from),
            poll,
            kind,
            intake: Intake::new("s3", surroundings),
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
        let prefix = self.prefix.clone();
        // Room for those that were refused and are still there.
        let refused = self.intake.keep_refused(|_| true);
        let objects = self.bucket()?.list(&prefix, LISTED + refused)?;
        let sources: BTreeSet<String> = objects.iter().map(|object| self.source(&object.key)).collect();
        let left = self.intake.keep_refused(|source| sources.contains(source));
        self.standing.has_set_aside(&self.name, left);
        self.waiting =
            objects.into_iter().filter(|object| !self.intake.has_refused(&self.source(&object.key))).collect();
        Ok(())
    }

    fn take(&mut self, object: &Object) -> Result<(), Trouble> {
        let source = self.source(&object.key);
        if object.bytes > self.intake.surroundings().largest_input {
            let doing = format!("an object of bucket {}", self.access.bucket);
            let cause = &Trouble::new(ConnectProblem::TooLarge, doing, "it is larger than the limit");
            let bytes = Some(object.bytes);
            return self.intake.refuse(&Refused { source: &source, cause, bytes, sender: "", workflow_id: "" });
        }
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
