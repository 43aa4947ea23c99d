//! Objects by their URL, for whoever reads documents whose bytes are in a bucket.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use concord_engine::calls::Until;
use futures_util::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::bucket::{Bucket, BucketAccess, words};

const SCHEME: &str = "s3://";
/// How soon it is noticed that nobody waits for an object any more.
const LOOK: Duration = Duration::from_millis(100);
/// Connections that are kept for the next object.
const MOST_WAITING: usize = 8;

/// Fetches objects, for many threads at a time.
pub struct Objects {
    access: Box<dyn Fn(&str) -> BucketAccess + Send + Sync>,
    most_bytes: u64,
    time: Duration,
    waiting: Mutex<Vec<(String, Bucket)>>,
}

/// Why there is no object. Names neither it nor anything of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// The URL is not of the form `s3://bucket/key`.
    #[error("its place is none of the form s3://bucket/key")]
    NoObject,
    /// There is none.
    #[error("the object is not there")]
    NotThere,
    /// This program is not let in, or its settings cannot be used.
    #[error("the object store does not let this program read it: {0}")]
    NotAllowed(String),
    /// It has more bytes than are fetched.
    #[error("{bytes} bytes, {most} are read")]
    TooLarge {
        /// How many it has.
        bytes: u64,
        /// How many are fetched.
        most: u64,
    },
    /// The store does not answer, or cannot work now.
    #[error("the object store: {0}")]
    Away(String),
    /// It took too long.
    #[error("fetching it took longer than it may take")]
    OutOfTime,
}

impl NotFetched {
    /// Whether another attempt may fetch it.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_) | Self::OutOfTime)
    }

    fn by(error: &object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotThere,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Self::NotAllowed(words(error))
            }
            _ => Self::Away(words(error)),
        }
    }
}

impl Objects {
    /// Nothing is asked yet. `access` says how a bucket is reached; an object may have `most_bytes` and take `time`.
    pub fn new(access: impl Fn(&str) -> BucketAccess + Send + Sync + 'static, most_bytes: u64, time: Duration) -> Self {
        Self { access: Box::new(access), most_bytes, time, waiting: Mutex::default() }
    }

    /// The bytes at a URL. Its key stands in it as it is, nothing is encoded. Blocks; not for threads of an asynchronous runtime.
    ///
    /// # Errors
    /// [`NotFetched`]; [`NotFetched::may_pass`] says whether trying again may help.
    pub fn fetch(&self, url: &str, until: &Until) -> Result<Vec<u8>, NotFetched> {
        let address = url.strip_prefix(SCHEME).and_then(|address| address.split_once('/'));
        let Some((name, key)) = address.filter(|(name, key)| !name.is_empty() && !key.is_empty()) else {
            return Err(NotFetched::NoObject);
        };
        let key = Path::parse(key).map_err(|_| NotFetched::NoObject)?;
        let bucket = match self.waiting_one(name) {
            Some(bucket) => bucket,
            None => (self.access)(name).connect().map_err(|trouble| NotFetched::NotAllowed(trouble.detail))?,
        };
        let fetched = bucket.fetch(&key, self.most_bytes, self.time, until);
        // Keys are read again at each new connection.
        if !matches!(fetched, Err(NotFetched::NotAllowed(_) | NotFetched::Away(_))) {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < MOST_WAITING {
                waiting.push((name.to_owned(), bucket));
            }
        }
        fetched
    }

    fn waiting_one(&self, name: &str) -> Option<Bucket> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let place = waiting.iter().position(|(of, _)| of == name)?;
        Some(waiting.swap_remove(place).1)
    }
}

impl Bucket {
    fn fetch(&self, key: &Path, most: u64, time: Duration, until: &Until) -> Result<Vec<u8>, NotFetched> {
        let began = Instant::now();
        let is_over = async {
            while !until.is_over() && began.elapsed() < time {
                tokio::time::sleep(LOOK).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                fetched = self.whole(key, most) => fetched,
                () = is_over => Err(NotFetched::OutOfTime),
            }
        })
    }

    async fn whole(&self, key: &Path, most: u64) -> Result<Vec<u8>, NotFetched> {
        let found = self.store.get(key).await.map_err(|error| NotFetched::by(&error))?;
        let bytes = found.meta.size;
        if bytes > most {
            return Err(NotFetched::TooLarge { bytes, most });
        }
        let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        let mut pieces = found.into_stream();
        while let Some(piece) = pieces.next().await {
            content.extend_from_slice(&piece.map_err(|error| NotFetched::by(&error))?);
            // Whatever the store said before.
            if content.len() as u64 > most {
                return Err(NotFetched::TooLarge { bytes: content.len() as u64, most });
            }
        }
        Ok(content)
    }
}
