//! Files kept in a bucket.

use std::collections::BTreeMap;

use object_store::path::Path;

use super::assembly::WholeFile;
use super::bucket::{Bucket, BucketAccess};
use super::error::Trouble;
use super::place::{Kept, Place, Removed, is_job_id};

/// Below this prefix.
pub struct BucketPlace {
    access: BucketAccess,
    prefix: Path,
    bucket: Option<Bucket>,
}

impl BucketPlace {
    /// Nothing is asked yet.
    pub fn new(access: BucketAccess, prefix: &str) -> Self {
        Self { access, prefix: Path::from(prefix), bucket: None }
    }

    fn bucket(&mut self) -> Result<&Bucket, Trouble> {
        match &mut self.bucket {
            Some(bucket) => Ok(bucket),
            empty => Ok(empty.insert(self.access.connect()?)),
        }
    }

    fn key(&self, path: &str) -> Path {
        path.split('/').fold(self.prefix.clone(), Path::join)
    }
}

impl Place for BucketPlace {
    fn keep(&mut self, path: &str, file: &mut WholeFile) -> Result<Kept, Trouble> {
        let key = self.key(path);
        self.bucket()?.keep(&key, file)
    }

    fn address(&self, path: &str) -> String {
        format!("s3:{}/{}", self.access.bucket, self.key(path))
    }

    fn remove_older_than(&mut self, before_ms: i64) -> Result<Vec<Removed>, Trouble> {
        let prefix = self.prefix.clone();
        let bucket = self.bucket()?;
        let mut old = Vec::new();
        bucket.visit(prefix.as_ref(), &mut |object| {
            let below = object.key.prefix_match(&prefix).and_then(|mut parts| parts.next());
            let job_id = below.map(|part| part.as_ref().to_owned()).filter(|part| is_job_id(part));
            if let Some(job_id) = job_id
                && object.modified_ms < before_ms
            {
                old.push((job_id, object.key));
            }
        })?;
        let mut removed: BTreeMap<String, u64> = BTreeMap::new();
        for (job_id, key) in old {
            bucket.remove(&key)?;
            *removed.entry(job_id).or_default() += 1;
        }
        Ok(removed.into_iter().map(|(job_id, files)| Removed { job_id, files }).collect())
    }

    fn forget(&mut self) {
        self.bucket = None;
    }
}
