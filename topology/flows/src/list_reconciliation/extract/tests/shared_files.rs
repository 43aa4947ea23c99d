//! Files of the earlier implementation, where they are at hand.

use std::fs;
use std::path::Path;

use super::*;

/// `None`, loudly, when the files are not at hand.
fn shared_file(name: &str) -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/list-reconciliation");
    match fs::read_to_string(Path::new(folder).join(name)) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("SKIPPED: {name} of the earlier implementation is not at hand: {error}");
            None
        }
    }
}

#[test]
fn files_that_were_accepted_are_accepted() {
    for (name, records) in
        [("set-b/H81109_GPR4LNA1.EIA", 3), ("set-c/Y12345_GPR4LNA1.EIA", 1), ("set-d/A82023_GPR4LNA1.EIA", 3)]
    {
        let Some(text) = shared_file(name) else {
            continue;
        };
        // Rows of some files span more than fourteen days; their dates were always rewritten before use.
        let text = ["20210623~1500", "20210623~0800", "20210527~0800"]
            .iter()
            .fold(text, |text, download| text.replace(download, "20210809~1641"));
        for profile in BOTH {
            let (seen, end) = read(profile, &text);
            assert_eq!((end.structure_error, end.records, end.invalid_records), (None, records, 0), "{name}");
            assert_eq!((end.odd_last_row, end.trailing_lines_dropped), (None, 0), "{name}");
            assert_eq!(seen.last().unwrap().lines, (records * 2, records * 2 + 1), "{name}");
        }
    }
}

#[test]
fn a_file_without_header_is_refused() {
    let Some(text) = shared_file("A12023_GPR4LNA1.CSB") else {
        return;
    };
    for profile in BOTH {
        let error = read(profile, &text).1.structure_error.unwrap();
        assert_eq!(error.to_string(), "Header must be 503\\*");
    }
}

#[test]
fn a_file_read_at_its_own_minute_gives_two_records() {
    let Some(text) = shared_file("A82023_GPR4LNA1.CSA") else {
        return;
    };
    // Its rows carry 13:40 local time, an hour ahead of UTC.
    for profile in BOTH {
        let now = date(2020, 4, 6).at(13, 40, 0, 0);
        let (seen, end) = read_chunks(ReaderSettings { now, ..settings(profile) }, [text.as_bytes()]);
        assert_eq!((end.records, end.invalid_records), (2, 0));
        assert!(seen[1].record.as_ref().unwrap().contains("JANE"));
    }
}
