//! The earlier adaptor's own files: the sequences and receipts that their notes state.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::*;
use super::audit::{Audit, read};

/// The files, or `None`, said aloud, where they are not.
fn files(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/nhais").join(folder);
    if !path.is_dir() {
        eprintln!("SKIPPED: the files of the earlier adaptor are not at {}", path.display());
        return None;
    }
    Some(path)
}

fn take(audit: &mut Audit, path: &Path, at_ms: i64) {
    for seen in read(&fs::read(path).unwrap()) {
        audit.take(&seen, at_ms, &AuditSettings::default());
    }
}

#[test]
fn the_interchange_with_four_messages_and_its_receipt_leave_nothing_open() {
    let Some(folder) = files("edifact") else { return };
    let settings = AuditSettings::default();
    let mut audit = Audit::default();
    take(&mut audit, &folder.join("multi_transaction.1.dat"), 0);
    assert_eq!(audit.messages.len(), 4);
    take(&mut audit, &folder.join("multi_transaction.1.recep.dat"), 1);
    audit.end(1, &settings);
    assert!(audit.findings.is_empty(), "{:?}", audit.published());
    assert!(audit.messages.is_empty());
    let [sis, sms] = audit.summary("XX11", "TES5", &settings);
    assert_eq!((sis.first, sis.last), (Some(3), Some(3)));
    assert_eq!((sms.first, sms.last, sms.missing), (Some(6), Some(9), Vec::new()));
    let (side, line) = &audit.transactions["XX11"];
    assert_eq!(*side, Some(concord_schemas::gp_links::Side::HealthAuthority));
    let tn = line.summary(&settings.authority_transactions.unwrap());
    assert_eq!((tn.first, tn.last, tn.missing), (Some(100), Some(102), Vec::new()), "12, 13 and 14 are the practice's");
    let counts = audit.links[&("XX11".to_owned(), "TES5".to_owned())].receipts;
    assert_eq!(counts, ReceiptCounts { expected: 4, received: 4, negative: 0 });
}

#[test]
fn a_receipt_alone_is_of_two_messages_that_were_never_sent_and_one_of_them_was_refused() {
    let Some(folder) = files("edifact") else { return };
    let mut audit = Audit::default();
    take(&mut audit, &folder.join("recep.dat"), 0);
    audit.end(0, &AuditSettings::default());
    assert_eq!(
        audit.published(),
        [
            "EnvelopeMismatch Confirmed sis FHS1>GP05 64-64",
            "NegativeReceipt Confirmed sms GP05>FHS1 200-200",
            "OrphanReceipt Confirmed sms GP05>FHS1 100-100",
            "OrphanReceipt Confirmed sms GP05>FHS1 200-200"
        ]
    );
}

#[test]
fn the_practice_s_files_are_one_number_with_other_content_again_and_again() {
    let Some(folder) = files("outbound") else { return };
    let mut audit = Audit::default();
    let mut taken = 0;
    for kind in ["acceptance", "amendment", "deduction", "removal"] {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder.join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            taken += 1;
            take(&mut audit, &path, taken);
        }
    }
    assert!(taken >= 31, "{taken} files");
    assert_eq!(
        audit.published(),
        [
            "DuplicateDiffers Confirmed sis TES5>XX11 1-1",
            "DuplicateDiffers Confirmed sms TES5>XX11 1-1",
            "DuplicateDiffers Confirmed tn TES5> 1-1"
        ]
    );
    let copies: Vec<Option<u32>> = audit.findings.values().map(|finding| finding.copies).collect();
    assert_eq!(copies, vec![u32::try_from(taken).ok(); 3]);
    assert_eq!(audit.messages.len(), 1, "one message waits for its receipt");
}
