//! Where files are kept: a folder, or a bucket. Each is `<job id>/<name>` below a root, written once and never changed.

use super::assembly::WholeFile;
use super::destination::{Arrival, Destination, Handed};
use super::error::{ConnectProblem, Trouble};
use crate::next_step::Problem;

/// What became of a file that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there, now or with the same content before.
    There,
    /// Another content stands there under its name; nothing was changed.
    Another,
}

/// Files that were removed, of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The job.
    pub job_id: String,
    /// How many of its files.
    pub files: u64,
}

/// See the module.
pub trait Place: Send {
    /// Keeps a file, whole or not at all.
    ///
    /// # Errors
    /// The place does not answer or does not let this program write.
    fn keep(&mut self, path: &str, file: &mut WholeFile) -> Result<Kept, Trouble>;

    /// The address of a file.
    fn address(&self, path: &str) -> String;

    /// Removes files of jobs that were written before a time, and nothing else that is there.
    ///
    /// # Errors
    /// As above; what was removed is removed.
    fn remove_older_than(&mut self, before_ms: i64) -> Result<Vec<Removed>, Trouble>;

    /// Drops connections.
    fn forget(&mut self);
}

/// The path of a file below the root; `None` when its name cannot be one. A name comes from whoever sent the file.
pub(super) fn path_of(job_id: &str, name: &str) -> Option<String> {
    const LONGEST: usize = 200;
    let is_plain = |part: &str| {
        !part.is_empty() && part.len() <= LONGEST && !part.starts_with('.') && !part.contains(['\\', '\0'])
    };
    let plain = is_job_id(job_id) && name.split('/').all(is_plain) && !name.chars().any(char::is_control);
    plain.then(|| format!("{job_id}/{name}"))
}

/// Whether it has the form of a job's id. Only what stands in folders of such names is ever removed.
pub(super) fn is_job_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Results into a place.
pub struct PlaceDestination(pub Box<dyn Place>);

impl Destination for PlaceDestination {
    fn hand_over(&mut self, file: &mut WholeFile) -> Result<Handed, Trouble> {
        let refused = |problem: ConnectProblem, cause: &str| Handed::Refused(format!("{}: {cause}", problem.code()));
        let Some(path) = path_of(&file.job_id, &file.name) else {
            return Ok(refused(ConnectProblem::NameRefused, "its name cannot be a path"));
        };
        Ok(match self.0.keep(&path, file)? {
            Kept::There => Handed::Sent(self.0.address(&path)),
            Kept::Another => refused(ConnectProblem::AnotherContent, "another content stands under its name"),
        })
    }

    fn arrival(&mut self, _: &str) -> Result<Option<Arrival>, Trouble> {
        Ok(None)
    }

    fn forget(&mut self) {
        self.0.forget();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const JOB: &str = "142ab507-2cb6-83c5-af32-891d83af0e53";

    #[test]
    fn a_name_that_would_lead_elsewhere_is_no_path() {
        for name in ["Y12345-CDD-20210810134000.csv", "work-items/a.json", "A B.csv"] {
            assert_eq!(path_of(JOB, name).unwrap(), format!("{JOB}/{name}"));
        }
        let long = "x".repeat(201);
        for name in ["", "/a", "a/", "..", "../a", "a/../b", ".a", "a//b", "a\\b", "a\nb", "a\0", &long] {
            assert_eq!(path_of(JOB, name), None, "{name}");
        }
        assert_eq!(path_of("..", "a"), None);
        assert_eq!(path_of("142ab507-2cb6-83c5-af32-891d83af0e5g", "a"), None);
    }
}
