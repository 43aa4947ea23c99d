//! A bucket of an object store that speaks S3. Blocks; not for threads of an asynchronous runtime.

use std::error::Error as StdError;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Certificate, ClientOptions, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, RetryConfig,
};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};

use super::assembly::WholeFile;
use super::error::{ConnectProblem, Trouble};
use super::place::Kept;
use super::surroundings::spool_failed;
use crate::secret::Secret;

/// Longer contents are sent in parts of this length.
const PART_BYTES: usize = 8 << 20;
/// For a whole object.
const TIMEOUT: Duration = Duration::from_secs(600);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The edge has a longer patience of its own.
const RETRIES: usize = 2;
const RETRY_TIMEOUT: Duration = Duration::from_secs(20);

/// How a bucket is reached. Its keys are read when a connection is made.
#[derive(Debug, Clone)]
pub struct BucketAccess {
    /// Address of the store; `None`: Amazon's, by the region.
    pub endpoint: Option<String>,
    /// The region, where the store has some.
    pub region: String,
    /// The authorities that are trusted, in PEM form; `None`: those of the machine.
    pub ca: Option<PathBuf>,
    /// Files with the id of the key and with the key; `None`: the role of the machine.
    pub keys: Option<(PathBuf, PathBuf)>,
    /// The bucket.
    pub bucket: String,
}

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub key: Path,
    pub bytes: u64,
    pub modified_ms: i64,
    /// Another one when its content was changed.
    pub e_tag: Option<String>,
}

impl From<ObjectMeta> for Object {
    fn from(meta: ObjectMeta) -> Self {
        let modified_ms = meta.last_modified.timestamp_millis();
        Self { key: meta.location, bytes: meta.size, modified_ms, e_tag: meta.e_tag }
    }
}

/// See the module.
pub(super) struct Bucket {
    name: String,
    pub(super) runtime: Runtime,
    pub(super) store: AmazonS3,
}

impl BucketAccess {
    pub(super) fn connect(&self) -> Result<Bucket, Trouble> {
        let doing = format!("bucket {}", self.bucket);
        let invalid = |detail: String| Trouble::new(ConnectProblem::BucketNotAllowed, &doing, detail);
        let read = |path: &PathBuf| Secret::from_file(path).map_err(|e| invalid(format!("{}: {e}", path.display())));
        let mut client = ClientOptions::new().with_timeout(TIMEOUT).with_connect_timeout(CONNECT_TIMEOUT);
        if let Some(ca) = &self.ca {
            let pem = std::fs::read(ca).map_err(|e| invalid(format!("{}: {e}", ca.display())))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|_| invalid("ca: it is not PEM".to_owned()))?;
            for certificate in certificates {
                client = client.with_root_certificate(certificate);
            }
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_client_options(client)
            .with_retry(RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() });
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some((id, key)) = &self.keys {
            builder = builder.with_access_key_id(read(id)?.reveal()).with_secret_access_key(read(key)?.reveal());
        }
        let store = builder.build().map_err(|error| invalid(words(&error)))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| invalid(e.to_string()))?;
        Ok(Bucket { name: self.bucket.clone(), runtime, store })
    }
}

impl Bucket {
    /// Up to `most` objects whose keys begin with a prefix and that are wanted, by key.
    pub(super) fn list(
        &self,
        prefix: &str,
        most: usize,
        is_wanted: impl Fn(&Object) -> bool,
    ) -> Result<Vec<Object>, Trouble> {
        let prefix = Path::from(prefix);
        self.wait(async {
            let mut listed = self.store.list(Some(&prefix));
            let mut objects = Vec::new();
            while let Some(object) = listed.next().await {
                objects.extend(Some(Object::from(object?)).filter(&is_wanted));
                if objects.len() == most {
                    break;
                }
            }
            Ok(objects)
        })
    }

    /// Hands every object below a prefix to `visit`.
    pub(super) fn visit(&self, prefix: &str, visit: &mut dyn FnMut(Object)) -> Result<(), Trouble> {
        let prefix = Path::from(prefix);
        self.wait(async {
            let mut listed = self.store.list(Some(&prefix));
            while let Some(object) = listed.next().await {
                visit(Object::from(object?));
            }
            Ok(())
        })
    }

    /// The object as it is; `None` when it is not there.
    pub(super) fn look(&self, key: &Path) -> Result<Option<Object>, Trouble> {
        self.wait(async { absent(self.store.head(key).await.map(Object::from)) })
    }

    /// Writes the content into a sink; `None` when the object is not there.
    pub(super) fn read(&self, key: &Path, into: &mut dyn Write) -> Result<Option<Object>, Trouble> {
        let mut sink_failed = None;
        let read = self.wait(async {
            let Some(found) = absent(self.store.get(key).await)? else { return Ok(None) };
            let object = Object::from(found.meta.clone());
            let mut content = found.into_stream();
            while let Some(piece) = content.next().await {
                if let Err(error) = into.write_all(&piece?) {
                    sink_failed = Some(error);
                    return Ok(None);
                }
            }
            Ok(Some(object))
        });
        match sink_failed {
            Some(error) => Err(spool_failed(error)),
            None => read,
        }
    }

    /// Writes an object that is not there yet, whole or not at all.
    pub(super) fn keep(&self, key: &Path, file: &mut WholeFile) -> Result<Kept, Trouble> {
        if file.bytes > PART_BYTES as u64 {
            // An upload in parts knows no condition, so the question goes before it. Whoever writes meanwhile writes the same.
            if self.look(key)?.is_none() {
                self.upload(key, file)?;
                return Ok(Kept::There);
            }
            return self.compare(key, file);
        }
        let mut content = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or(0));
        file.content().and_then(|source| source.read_to_end(&mut content)).map_err(spool_failed)?;
        let is_new = self.wait(async {
            let create = PutOptions::from(PutMode::Create);
            match self.store.put_opts(key, PutPayload::from(content), create).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })?;
        if is_new { Ok(Kept::There) } else { self.compare(key, file) }
    }

    fn upload(&self, key: &Path, file: &mut WholeFile) -> Result<(), Trouble> {
        let content = file.content().map_err(spool_failed)?;
        let mut upload = self.wait(self.store.put_multipart(key))?;
        let sent = self.send_parts(upload.as_mut(), content);
        match sent {
            Ok(()) => self.wait(upload.complete()).map(|_| ()),
            Err(trouble) => {
                // Parts that stay behind cost money, not truth.
                let _ = self.wait(upload.abort());
                Err(trouble)
            }
        }
    }

    fn send_parts(&self, upload: &mut dyn MultipartUpload, content: &mut File) -> Result<(), Trouble> {
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let read = Read::by_ref(content).take(PART_BYTES as u64).read_to_end(&mut part).map_err(spool_failed)?;
            if read == 0 {
                return Ok(());
            }
            self.wait(upload.put_part(PutPayload::from(Bytes::from(part))))?;
        }
    }

    fn compare(&self, key: &Path, file: &WholeFile) -> Result<Kept, Trouble> {
        let mut there = Measured(0, Sha256::new());
        self.read(key, &mut there)?;
        let is_same = there.0 == file.bytes && <[u8; 32]>::from(there.1.finalize()) == file.sha256;
        Ok(if is_same { Kept::There } else { Kept::Another })
    }

    pub(super) fn copy(&self, from: &Path, to: &Path) -> Result<(), Trouble> {
        self.wait(self.store.copy(from, to))
    }

    pub(super) fn remove(&self, key: &Path) -> Result<(), Trouble> {
        self.wait(async { absent(self.store.delete(key).await).map(|_| ()) })
    }

    fn wait<T>(&self, asked: impl Future<Output = object_store::Result<T>>) -> Result<T, Trouble> {
        self.runtime.block_on(asked).map_err(|error| {
            let problem = match error {
                object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
                | object_store::Error::NotFound { .. } => ConnectProblem::BucketNotAllowed,
                _ => ConnectProblem::Bucket,
            };
            Trouble::new(problem, format!("bucket {}", self.name), words(&error))
        })
    }
}

/// Length and digest of what is written.
struct Measured(u64, Sha256);

impl Write for Measured {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.0 += content.len() as u64;
        self.1.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn absent<T>(answer: object_store::Result<T>) -> object_store::Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an error says, without addresses: a key can hold the number of a patient. The store's own code, or what the system says.
pub(super) fn words(error: &object_store::Error) -> String {
    let mut source: Option<&(dyn StdError + 'static)> = Some(error);
    let mut code = None;
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>()
            && cause.raw_os_error().is_some()
        {
            return cause.to_string();
        }
        code = code.or_else(|| code_in(&cause.to_string()));
        source = cause.source();
    }
    let kind = match error {
        object_store::Error::NotFound { .. } => "it is not there",
        object_store::Error::PermissionDenied { .. } => "permission denied",
        object_store::Error::Unauthenticated { .. } => "the keys are not accepted",
        _ => "no answer, or one that is an error",
    };
    code.map_or_else(|| kind.to_owned(), |code| format!("{kind} ({code})"))
}

/// `<Code>NoSuchBucket</Code>` of an answer, or its status.
fn code_in(text: &str) -> Option<String> {
    let behind = |start: &str| text.split_once(start).map(|(_, behind)| behind);
    let word = |text: &str| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    let found = behind("<Code>").or_else(|| behind("status code: ")).map(word)?;
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_a_store_answers_is_told_by_its_code_and_never_by_its_text() {
        let answer = "Server returned non-2xx status code: 404 Not Found: <Error><Code>NoSuchBucket</Code>\
            <Key>j/work-items/Y12345-WIP-j-9000000009-1.json</Key></Error>";
        let error = object_store::Error::NotFound { path: "9000000009".into(), source: answer.into() };
        assert_eq!(words(&error), "it is not there (NoSuchBucket)");
        let error = object_store::Error::Generic { store: "S3", source: "status code: 503 9000000009".into() };
        assert_eq!(words(&error), "no answer, or one that is an error (503)");
        let refused = io::Error::from_raw_os_error(111);
        let error = object_store::Error::Generic { store: "S3", source: Box::new(refused) };
        assert_eq!(words(&error), "Connection refused (os error 111)");
    }
}
