//! Standard output for commands whose output is often cut by `head` or left by a pager.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process;

/// Prints a line. Where nobody reads any more, the program ends: what it was asked for has been seen.
pub fn line(text: impl Display) {
    let Err(error) = writeln!(io::stdout(), "{text}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        process::exit(0);
    }
    eprintln!("concord: writing to standard output: {error}");
    process::exit(1);
}
