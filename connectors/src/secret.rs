//! Passwords and keys, which no log and no error shows.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// A password or a key.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret that is at hand.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The first line of a file, without its line end.
    ///
    /// # Errors
    /// When the file cannot be read, is not text, or has nothing in its first line.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Self(line.to_owned())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "its first line is empty")),
        }
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_secret_is_the_first_line_of_its_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "pass word\r\nsecond line\n").unwrap();
        let secret = Secret::from_file(&path).unwrap();
        assert_eq!(secret.reveal(), "pass word");
        assert_eq!(format!("{secret:?}"), "Secret");
        fs::write(&path, "\nx").unwrap();
        assert!(Secret::from_file(&path).is_err());
    }
}
