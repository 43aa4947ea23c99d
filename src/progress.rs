//! A line that moves while the program works; nothing where no person watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows what is being done.
pub struct Progress(ProgressBar);

impl Progress {
    /// On a terminal a line that moves, elsewhere nothing.
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// What is being done, records processed so far, and records that wait.
    pub fn show(&mut self, doing: &str, done: u64, waiting: u64) {
        self.tell(format!("{doing}: {done} records processed, {waiting} waiting"));
    }

    /// How far it is, in other words.
    pub fn tell(&mut self, how_far: String) {
        self.0.set_message(how_far);
    }

    /// Clears the line.
    pub fn end(self) {
        self.0.finish_and_clear();
    }
}
