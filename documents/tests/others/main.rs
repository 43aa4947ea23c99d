//! Documents that other software wrote: examples that packages ship for their own tests, and pages that common tools make of a letter.
//! `scripts/documents_of_others.sh` fetches the examples (DOCUMENTS_OF_OTHERS says where they are), installs the tools, and asks for
//! the pages (PAGES_OF_OTHERS).
//!
//! Every document is read as in production, in a process of its own. This program is that process too, so it has a `main` of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod examples;
mod pages;
mod said;

use std::path::{Path, PathBuf};
use std::time::Instant;

use concord_documents::{Limits, ReaderCommand, ReaderPool, serve};

const READ: &str = "read-documents";

/// Says what it needs that is not there.
type Scenario<'a> = dyn Fn() -> Result<(), &'static str> + 'a;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, limits] = &arguments[..]
        && command == READ
    {
        std::process::exit(i32::from(serve(limits).is_err()));
    }
    let reader = ReaderPool::new(ReaderCommand {
        program: std::env::current_exe().unwrap(),
        arguments: vec![READ.into()],
        limits: Limits::default(),
    });
    let examples = std::env::var_os("DOCUMENTS_OF_OTHERS").map(PathBuf::from);
    let examples = examples.as_deref().ok_or("examples of other software need DOCUMENTS_OF_OTHERS");
    let pages = std::env::var_os("PAGES_OF_OTHERS").ok_or("pages that common tools make need PAGES_OF_OTHERS=yes");
    let with_examples = |scenario: fn(&Path, &ReaderPool)| examples.map(|examples| scenario(examples, &reader));
    let with_pages = |scenario: fn(&ReaderPool)| pages.as_ref().map(|_| scenario(&reader)).map_err(|why| *why);
    let scenarios: [(&str, &Scenario<'_>); 4] = [
        ("every_example_is_read_or_refused_for_its_reason", &|| {
            with_examples(examples::every_example_is_read_or_refused_for_its_reason)
        }),
        ("what_an_example_states_is_what_is_read", &|| with_examples(examples::what_an_example_states_is_what_is_read)),
        ("a_letter_printed_by_any_tool_is_read_exactly", &|| {
            with_pages(pages::a_letter_printed_by_any_tool_is_read_exactly)
        }),
        ("a_letter_scanned_into_any_format_is_read_by_ocr", &|| {
            with_pages(pages::a_letter_scanned_into_any_format_is_read_by_ocr)
        }),
    ];
    let wanted = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, scenario) in scenarios {
        if wanted.is_none_or(|wanted| name.contains(wanted.as_str())) {
            let began = Instant::now();
            match scenario() {
                Ok(()) => println!("{name}: ok ({:.1} s)", began.elapsed().as_secs_f64()),
                Err(why) => println!("SKIPPED: {name}: {why}; scripts/documents_of_others.sh sets it"),
            }
        }
    }
}
