//! `concord patients`: consolidated patients on a cluster, and why a field has its value.

mod shown;

use concord_schemas::codec;
use concord_schemas::patient_documents::UpdateRequest;

use crate::cli::{ConflictsArgs, PatientShowArgs, PatientUpdateArgs, PatientsCommand};
use crate::config::Config;
use crate::documents::topics::{publish, standing};
use crate::failure::Failure;
use crate::output;

/// Runs one of them.
///
/// # Errors
/// The cluster cannot be reached, or nobody knows the patient.
pub fn patients(command: PatientsCommand) -> Result<(), Failure> {
    match command {
        PatientsCommand::Show(args) => show(&args),
        PatientsCommand::Conflicts(args) => conflicts(&args),
        PatientsCommand::Update(args) => update(&args),
    }
}

fn show(args: &PatientShowArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let Some(record) = standing(&config, &codec::CONSOLIDATION, &|key| key == args.id)?.remove(&args.id) else {
        return Err(Failure::Other(format!(
            "nothing is consolidated of a patient {}: `concord documents list --patient {}` shows the documents",
            args.id, args.id
        )));
    };
    let Some(field) = args.why else {
        if args.json {
            output::line(format_args!("{:#}", shown::as_json(&record)));
        } else {
            output::line(shown::whole(&record).trim_end());
        }
        return Ok(());
    };
    let beginning = format!("{}/", args.id);
    let documents = standing(&config, &codec::EXTRACTION, &|key| key.starts_with(&beginning))?;
    let why = shown::why(&record, field.name(), &documents).ok_or_else(|| {
        Failure::Other(format!("no document of the patient {} says anything of {}", args.id, field.name()))
    })?;
    if args.json {
        output::line(format_args!("{why:#}"));
    } else {
        output::line(shown::why_as_text(&why).trim_end());
    }
    Ok(())
}

fn conflicts(args: &ConflictsArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let mut conflicts = standing(&config, &codec::CONFLICT, &|_| true)?;
    conflicts.retain(|_, conflict| args.field.as_ref().is_none_or(|field| conflict["field"] == **field));
    for conflict in conflicts.values() {
        if args.json { output::line(conflict) } else { output::line(shown::conflict(conflict)) }
    }
    if !args.json {
        eprintln!("{} conflicts.", conflicts.len());
    }
    Ok(())
}

fn update(args: &PatientUpdateArgs) -> Result<(), Failure> {
    let config = Config::read(&args.config)?;
    let delay_ms = args.delay_seconds.map(|seconds| i64::from(seconds) * 1000);
    let request = UpdateRequest { patient_id: &args.id, delay_ms, by: &args.by };
    publish(&config, &codec::UPDATE_REQUEST, &[(&args.id, Some(&request))])?;
    output::line(format_args!("the patient {} is asked for", args.id));
    Ok(())
}
