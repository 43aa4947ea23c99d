//! Patient documents: their rate on a broker, OCR beside Tesseract, what is read to the letter, memory, and what a patient costs.

mod ocr;
mod one_patient;
mod planted;
mod rate;

use serde_json::json;

use crate::Result;
use crate::broker::topics::PARTITIONS;
use crate::program::{Program, ProgramSettings};
use crate::stage::{Stage, StageOptions};
use planted::Patient;

/// Of each patient where there are many.
const DOCUMENTS_OF_A_PATIENT: u64 = 10;

/// Patient documents beside a bare transactional pass-through of the same bytes, and OCR beside Tesseract alone
///
/// Documents wait in the log, ten of each patient: FHIR, CDA, HL7 v2 and labelled text in turn, each in its record. `concord run` (S)
/// reads and consolidates them, from its start to the last document read, and to the last patient consolidated; P copies the topic. As many
/// documents go before, until the broker is warm.
/// Its memory is looked at meanwhile, behind the first fifth of the documents, and what was read is held against what was planted.
///
/// Then pages are read, as many at a time as there are processors: by Tesseract, one process for each, and through the program's
/// readers, which start Tesseract with the same settings.
///
/// Last, one patient after the other is given a growing number of documents.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    stage: StageOptions,
    /// Documents for S and P [default: 20000]
    #[arg(long)]
    documents: Option<u64>,
    /// Pages to be read by OCR [default: 60]
    #[arg(long)]
    pages: Option<u64>,
    /// Documents of the patient who has most [default: 5000]
    #[arg(long)]
    most: Option<u64>,
    /// Worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Memory budget
    #[arg(long, default_value_t = 256)]
    memory_mib: usize,
}

pub fn run(options: &Options) -> Result<()> {
    let size = &options.stage;
    let documents = size.size(options.documents, 20_000, 400);
    let pages = size.size(options.pages, 60, 4);
    let most = size.size(options.most, 5_000, 200);
    if documents < DOCUMENTS_OF_A_PATIENT || pages == 0 || most < 10 {
        return Err(format!("--documents must be {DOCUMENTS_OF_A_PATIENT} or more, --pages 1, --most 10").into());
    }
    let stage = Stage::new(size)?;
    let program = Program::new(
        ProgramSettings {
            bootstrap: stage.broker.bootstrap.clone(),
            flow: "patient_documents",
            section: "quiet_seconds = 1\n",
            application: "bench".to_owned(),
            workers: options.workers,
            partitions: PARTITIONS,
            memory_mib: options.memory_mib,
            commit_interval_ms: None,
        },
        &stage.folder,
    )?;
    let count = documents / DOCUMENTS_OF_A_PATIENT;
    let patients = |first: u64| -> Vec<Patient> {
        (first..first + count).map(|number| Patient { number, documents: DOCUMENTS_OF_A_PATIENT }).collect()
    };
    // A broker that has just been started compiles itself with half a processor: for as many documents it is not measured.
    rate::pass(&stage, &program, &patients(0))?;
    let passed = rate::pass(&stage, &program, &patients(count))?;
    let p = rate::bare(&program, passed.documents)?;
    println!(
        "{} documents of {} patients, {} workers, budget {} MiB",
        passed.documents, passed.patients, options.workers, options.memory_mib
    );
    passed.print(p);

    let ocr = ocr::measure(pages as usize, &stage.folder)?;
    if let Some(ocr) = &ocr {
        ocr.print();
    }

    // A tenth, a fifth, half, and all of them.
    let sizes = [most / 10, most / 5, most / 2, most];
    let one_patient = one_patient::measure(&stage, &program, 2 * count, &sizes)?;
    one_patient.print();
    if size.json {
        let figures = json!({
            "rate": passed.to_json(p), "ocr": ocr.map(|ocr| ocr.to_json()), "one_patient": one_patient.to_json(),
            "budget_mib": options.memory_mib,
        });
        println!("{figures}");
    }
    Ok(())
}
