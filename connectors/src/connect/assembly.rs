//! Pieces of files, as they stand in the log, become files.
//!
//! Pieces of one file are in order on one partition; those of several files stand between each other. A file that is not whole
//! holds the position of its partition back, so that after a crash its pieces are read again.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use concord_engine::log::Offset;
use sha2::{Digest, Sha256};

/// A file whose last piece has not come is given up when its partition is so much further, by the times of its records: longer
/// than any job is worked on.
const UNFINISHED_MS: i64 = 24 * 60 * 60 * 1000;

/// A file that is whole.
pub struct WholeFile {
    /// The job it belongs to.
    pub job_id: String,
    /// Its name as in the log.
    pub name: String,
    /// Length of the content.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: [u8; 32],
    /// Where its first piece stands.
    pub(super) first: Offset,
    content: File,
}

impl WholeFile {
    /// The content, from its beginning.
    ///
    /// # Errors
    /// The temporary file fails.
    pub fn content(&mut self) -> io::Result<&mut File> {
        self.content.seek(SeekFrom::Start(0))?;
        Ok(&mut self.content)
    }
}

#[cfg(test)]
pub(super) fn whole_file(job_id: &str, name: &str, text: &str) -> WholeFile {
    let mut content = tempfile::tempfile().expect("a temporary file");
    content.write_all(text.as_bytes()).expect("a temporary file");
    let (bytes, sha256) = (text.len() as u64, Sha256::digest(text).into());
    WholeFile { job_id: job_id.to_owned(), name: name.to_owned(), bytes, sha256, first: 0, content }
}

/// What a piece did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is the next one of its file.
    Added,
    /// It came before: at least once repeats.
    Repeated,
    /// One before it is missing, or its file never began.
    OutOfOrder,
}

/// Files of which the last piece has not come.
#[derive(Default)]
pub(super) struct Assembly {
    open: HashMap<(i32, String), Unfinished>,
}

struct Unfinished {
    first: Offset,
    begun_ms: i64,
    next: i32,
    bytes: u64,
    sha256: Sha256,
    content: File,
    job_id: String,
    name: String,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub partition: i32,
    pub offset: Offset,
    pub timestamp_ms: i64,
}

impl Assembly {
    /// A file begins; one of the same key that was not finished is forgotten.
    pub(super) fn begin(&mut self, at: Place, key: &str, job_id: &str, name: &str, content: File) {
        let unfinished = Unfinished {
            first: at.offset,
            begun_ms: at.timestamp_ms,
            next: 0,
            bytes: 0,
            sha256: Sha256::new(),
            content,
            job_id: job_id.to_owned(),
            name: name.to_owned(),
        };
        self.open.insert((at.partition, key.to_owned()), unfinished);
    }

    /// A piece of a file that has begun.
    pub(super) fn add(&mut self, at: Place, key: &str, sequence: i32, content: &[u8]) -> io::Result<Taken> {
        let Some(file) = self.open.get_mut(&(at.partition, key.to_owned())) else { return Ok(Taken::OutOfOrder) };
        if sequence < file.next {
            return Ok(Taken::Repeated);
        }
        if sequence > file.next {
            return Ok(Taken::OutOfOrder);
        }
        file.content.write_all(content)?;
        file.sha256.update(content);
        file.bytes += content.len() as u64;
        file.next += 1;
        Ok(Taken::Added)
    }

    /// How many pieces of a file are here; `None` when it has not begun.
    pub(super) fn pieces(&self, partition: i32, key: &str) -> Option<i32> {
        self.open.get(&(partition, key.to_owned())).map(|file| file.next)
    }

    /// The file, which has all its pieces.
    pub(super) fn finish(&mut self, partition: i32, key: &str) -> Option<WholeFile> {
        let file = self.open.remove(&(partition, key.to_owned()))?;
        let Unfinished { first, bytes, sha256, content, job_id, name, .. } = file;
        Some(WholeFile { job_id, name, bytes, sha256: sha256.finalize().into(), first, content })
    }

    /// Where its partition may be committed, when all records below `next` are read: never beyond the first piece of a file that
    /// is not whole.
    pub(super) fn position(&self, partition: i32, next: Offset) -> Offset {
        let firsts = self.open.iter().filter(|((of, _), _)| *of == partition).map(|(_, file)| file.first);
        firsts.min().map_or(next, |first| first.min(next))
    }

    /// Gives up files that will never be whole; their jobs and names.
    pub(super) fn give_up(&mut self, at: Place) -> Vec<(String, String)> {
        let is_late = |file: &Unfinished| at.timestamp_ms - file.begun_ms > UNFINISHED_MS;
        let late = self.open.extract_if(|(partition, _), file| *partition == at.partition && is_late(file));
        late.map(|(_, file)| (file.job_id, file.name)).collect()
    }

    /// The partition is no longer read here.
    pub(super) fn leave(&mut self, partition: i32) {
        self.open.retain(|(of, _), _| *of != partition);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::io::Read;

    use super::*;

    fn at(offset: Offset) -> Place {
        Place { partition: 0, offset, timestamp_ms: offset }
    }

    fn begin(assembly: &mut Assembly, offset: Offset, key: &str) {
        assembly.begin(at(offset), key, "job", key, tempfile::tempfile().unwrap());
    }

    fn text(mut file: WholeFile) -> String {
        let mut text = String::new();
        file.content().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn files_whose_pieces_stand_between_each_other_are_put_together_apart() {
        let mut assembly = Assembly::default();
        begin(&mut assembly, 10, "a");
        begin(&mut assembly, 11, "b");
        for (offset, key, sequence, content) in [(10, "a", 0, "a0 "), (11, "b", 0, "b0 "), (12, "a", 1, "a1")] {
            assert_eq!(assembly.add(at(offset), key, sequence, content.as_bytes()).unwrap(), Taken::Added);
        }
        assert_eq!(assembly.add(at(13), "a", 1, b"a1").unwrap(), Taken::Repeated);
        let file = assembly.finish(0, "a").unwrap();
        assert_eq!((file.bytes, file.sha256), (5, Sha256::digest(b"a0 a1").into()));
        assert_eq!(text(file), "a0 a1");
        assert_eq!(assembly.pieces(0, "b"), Some(1));
        assert!(assembly.finish(0, "a").is_none());
    }

    #[test]
    fn a_piece_behind_a_missing_one_is_not_added() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.add(at(1), "a", 1, b"x").unwrap(), Taken::OutOfOrder);
        begin(&mut assembly, 2, "a");
        assert_eq!(assembly.add(at(2), "a", 1, b"x").unwrap(), Taken::OutOfOrder);
        assert_eq!(assembly.pieces(0, "a"), Some(0));
    }

    #[test]
    fn the_position_stays_before_the_oldest_file_that_is_not_whole() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.position(0, 20), 20);
        begin(&mut assembly, 12, "b");
        begin(&mut assembly, 10, "a");
        assert_eq!(assembly.position(0, 20), 10);
        assert_eq!(assembly.position(1, 20), 20, "another partition");
        assembly.finish(0, "a").unwrap();
        assert_eq!(assembly.position(0, 20), 12);
        assembly.leave(0);
        assert_eq!(assembly.position(0, 20), 20);
    }

    #[test]
    fn a_file_that_is_never_finished_does_not_hold_its_partition_for_ever() {
        let mut assembly = Assembly::default();
        begin(&mut assembly, 5, "a");
        let later = |timestamp_ms| Place { timestamp_ms, ..at(6) };
        assert!(assembly.give_up(later(5 + UNFINISHED_MS)).is_empty());
        assert_eq!(assembly.give_up(later(6 + UNFINISHED_MS)), [("job".to_owned(), "a".to_owned())]);
        assert_eq!(assembly.position(0, 20), 20);
    }
}
