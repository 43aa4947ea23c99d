//! Whether drugs are dispensed to the patient: PDS, the practice's marker, and whether the practice dispenses at all.

use super::{Decision, FieldRule, Finding, Item, Patient};

pub(super) static RULES: [FieldRule; 4] = [
    FieldRule { id: "BR-DD-01", find: |patient| find(patient, PDS_ONLY, false, Decision::UpdatePds) },
    FieldRule { id: "BR-DD-02", find: |patient| find(patient, PDS_ONLY, true, Decision::UpdatePds) },
    FieldRule { id: "BR-DD-03", find: |patient| find(patient, GP_ONLY, false, Decision::UpdateGp) },
    FieldRule { id: "BR-DD-04", find: |patient| find(patient, GP_ONLY, true, Decision::UpdatePds) },
];

/// On PDS, on the practice's record.
type Markers = (bool, bool);
const PDS_ONLY: Markers = (true, false);
const GP_ONLY: Markers = (false, true);

/// What the flag of a registration says; `None` when it says neither yes (`1`) nor no (`0`).
#[must_use]
pub fn dispensing_flag(flag: &str) -> Option<bool> {
    match flag {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn find(patient: &Patient<'_>, markers: Markers, practice_dispenses: bool, decision: Decision) -> Finding {
    let Some(on_pds) = patient.pds_dispensing else {
        return Err("it is not known what PDS says");
    };
    let on_gp = patient.gp.drugs_dispensed_marker == Some("Y");
    if on_pds == on_gp {
        return Err("PDS and the practice say the same");
    }
    if (on_pds, on_gp) != markers {
        return Err("it is the other side that says yes");
    }
    match patient.practice_dispenses {
        None => Err("it is not configured whether the practice dispenses"),
        Some(dispenses) if dispenses == practice_dispenses => Ok((decision, Item::DrugsDispensedMarker)),
        Some(true) => Err("the practice dispenses"),
        Some(false) => Err("the practice does not dispense"),
    }
}
