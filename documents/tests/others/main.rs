//! Documents that other software wrote: examples that packages ship for their own tests, and pages that common tools make of a letter.
//! `scripts/documents_of_others.sh` fetches the one, installs the other, and says by DOCUMENTS_OF_OTHERS where the examples are.
//!
//! Every document is read as in production, in a process of its own. This program is that process too, so it has a `main` of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod examples;
mod pages;
mod said;

use std::path::PathBuf;
use std::time::Instant;

use concord_documents::{Limits, ReaderCommand, ReaderPool, serve};

const READ: &str = "read-documents";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, limits] = &arguments[..]
        && command == READ
    {
        std::process::exit(i32::from(serve(limits).is_err()));
    }
    let Some(examples) = std::env::var_os("DOCUMENTS_OF_OTHERS").map(PathBuf::from) else {
        println!(
            "SKIPPED: documents that other software wrote need DOCUMENTS_OF_OTHERS; scripts/documents_of_others.sh sets it"
        );
        return;
    };
    let reader = ReaderPool::new(ReaderCommand {
        program: std::env::current_exe().unwrap(),
        arguments: vec![READ.into()],
        limits: Limits::default(),
    });
    let scenarios: [(&str, &dyn Fn()); 4] = [
        ("every_example_is_read_or_refused_for_its_reason", &|| {
            examples::every_example_is_read_or_refused_for_its_reason(&examples, &reader)
        }),
        ("what_a_person_reads_in_an_example_is_what_is_read", &|| {
            examples::what_a_person_reads_in_an_example_is_what_is_read(&examples, &reader)
        }),
        ("a_letter_printed_by_any_tool_is_read_exactly", &|| {
            pages::a_letter_printed_by_any_tool_is_read_exactly(&reader)
        }),
        ("a_letter_scanned_into_any_format_is_read_by_ocr", &|| {
            pages::a_letter_scanned_into_any_format_is_read_by_ocr(&reader)
        }),
    ];
    let wanted = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, scenario) in scenarios {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            let began = Instant::now();
            scenario();
            println!("{name}: ok ({:.1} s)", began.elapsed().as_secs_f64());
        }
    }
}
