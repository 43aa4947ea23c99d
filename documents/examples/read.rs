//! Shows what is read from files, one JSON object a line: `cargo run -p concord-documents --example read -- FILE...`. It reads in
//! its own process, so only files that are trusted.
#![allow(clippy::unwrap_used, reason = "an example for developers")]

use concord_documents::{Limits, read};

fn main() {
    for file in std::env::args_os().skip(1) {
        let folder = tempfile::tempdir().unwrap();
        let began = std::time::Instant::now();
        let outcome = read(&std::fs::read(&file).unwrap(), &Limits::default(), folder.path());
        let seconds = began.elapsed().as_secs_f64();
        let file = file.to_string_lossy();
        match outcome {
            Ok(reading) => {
                let features = serde_json::to_value(&reading.features).unwrap();
                let kind = reading.content_type.name();
                println!(
                    "{}",
                    serde_json::json!({"file": file, "content_type": kind, "seconds": seconds, "features": features})
                );
            }
            Err(failure) => {
                let (kind, code) = (failure.content_type.name(), failure.problem.code());
                let reason = failure.to_string();
                println!(
                    "{}",
                    serde_json::json!({"file": file, "content_type": kind, "seconds": seconds, "code": code, "reason": reason})
                );
            }
        }
    }
}
