//! Pages read by OCR: through the program's readers, and by Tesseract alone.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use concord_documents::synthetic::{ImageKind, SyntheticKind, SyntheticRecord, rendered};
use concord_documents::{Extracted, Limits, ReaderCommand, ReaderPool};
use serde_json::{Value, json};

use super::planted::Accuracy;
use crate::Result;
use crate::inputs::feed::SEED;

/// As an office scanner does.
const DOTS_PER_INCH: u32 = 200;
/// Both are measured so often, in turn, so that a machine that others use is as slow for both.
const TURNS: usize = 2;

/// See the module.
pub struct Pages {
    pages: usize,
    threads: usize,
    bare: f64,
    readers: f64,
    accuracy: Accuracy,
}

/// Measures so many pages a turn; `None` where a tool is not installed.
pub fn measure(pages: usize, folder: &Path) -> Result<Option<Pages>> {
    if ["tesseract", "pdftoppm"].iter().any(|tool| Command::new(tool).arg("-v").output().is_err()) {
        println!("SKIPPED: OCR: tesseract-ocr or poppler-utils is not installed");
        return Ok(None);
    }
    eprintln!("rendering {pages} pages");
    let folder = folder.join("pages");
    fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for number in 0..pages {
        let pdf = SyntheticKind::Pdf.write(&SyntheticRecord::of(SEED, number as u64));
        let file = folder.join(format!("{number}.png"));
        fs::write(&file, rendered(&pdf, ImageKind::Png, DOTS_PER_INCH)?)?;
        files.push(file);
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let pool = ReaderPool::new(ReaderCommand {
        program: PathBuf::from(env!("CARGO_BIN_EXE_concord")),
        arguments: vec![OsString::from("read-documents")],
        limits: Limits::default(),
    });
    let (mut bare, mut readers, mut accuracy) = (Duration::ZERO, Duration::ZERO, Accuracy::default());
    for turn in 0..TURNS {
        eprintln!("reading them, turn {} of {TURNS}", turn + 1);
        bare += at_once(&files, threads, by_tesseract)?.0;
        let (took, read) = at_once(&files, threads, |file| through(&pool, file))?;
        readers += took;
        if turn == 0 {
            for (number, read) in read {
                accuracy.add(&SyntheticRecord::of(SEED, number as u64), &read.features);
            }
        }
    }
    let a_minute = |took: Duration| (TURNS * pages) as f64 * 60.0 / took.as_secs_f64();
    Ok(Some(Pages { pages, threads, bare: a_minute(bare), readers: a_minute(readers), accuracy }))
}

/// Does it to every file, so many at a time; answers the time that all took, and what came of each.
fn at_once<T: Send>(
    files: &[PathBuf],
    threads: usize,
    read: impl Fn(&Path) -> std::result::Result<T, String> + Sync,
) -> Result<(Duration, Vec<(usize, T)>)> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let all = thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(number) else { return Ok(done) };
                done.push((number, read(file)?));
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a thread died".to_owned())));
        ended.collect::<std::result::Result<Vec<_>, String>>()
    })?;
    Ok((began.elapsed(), all.into_iter().flatten().collect()))
}

/// With the settings of the readers, and as many threads.
fn by_tesseract(file: &Path) -> std::result::Result<(), String> {
    let mut command = Command::new("tesseract");
    command.arg(file).args(["stdout", "-l", "eng", "tsv"]).env("OMP_THREAD_LIMIT", "1").stderr(Stdio::null());
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(format!("tesseract ended with {}", output.status)) }
}

fn through(pool: &ReaderPool, file: &Path) -> std::result::Result<Extracted, String> {
    let content = fs::read(file).map_err(|e| e.to_string())?;
    pool.read(&content).map_err(|failure| failure.to_string())
}

impl Pages {
    pub fn print(&self) {
        println!("\n{} pages of A4 with {DOTS_PER_INCH} dots to an inch, {} at a time", self.pages, self.threads);
        println!("tesseract           {:>9.1} pages/minute", self.bare);
        println!("readers             {:>9.1} pages/minute", self.readers);
        println!("of tesseract        {:>9.3}  (aim 0.9)", self.readers / self.bare);
        println!("read to the letter, in percent (seed {SEED}):");
        self.accuracy.print("ocr");
    }

    pub fn to_json(&self) -> Value {
        json!({
            "pages": self.pages, "threads": self.threads, "tesseract_pages_minute": self.bare,
            "readers_pages_minute": self.readers, "of_tesseract": self.readers / self.bare,
            "accuracy": self.accuracy.to_json(),
        })
    }
}
