//! AL1: allergies.

use concord_schemas::patient_documents::ObservedAllergy;

use super::medication::{best_code, text_of};
use super::message::Segment;
use super::spot;
use crate::found::Found;
use crate::values::{code_system, joined};

pub(super) fn read(segment: &Segment<'_>, found: &mut Found) {
    let substance = best_code(&segment.field(3));
    if code_system::denies_allergies(&substance.code, &substance.text) {
        return;
    }
    let reactions = joined(segment.repetitions(5).map(|(_, reaction)| text_of(&reaction)), ", ");
    let observed = ObservedAllergy {
        code_system: substance.system.into(),
        code: substance.code.into(),
        substance: substance.text.into(),
        reaction: reactions.into(),
        ..ObservedAllergy::default()
    };
    found.allergy(observed, &spot(segment, 3, 0));
}
