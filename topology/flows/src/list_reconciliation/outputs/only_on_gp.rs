//! OnlyOnGP: patients of the file whom PDS does not register at the practice.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::csv_row::CsvRow;
use super::stored;
use crate::list_reconciliation::profile::Profile;
use crate::list_reconciliation::registration::RegistrationStatus;

/// First line of the file.
pub const ONLY_ON_GP_HEADER: &str =
    "SURNAME,FORENAMES,DOB,NHS NO.,ADD 1,ADD 2,ADD 3,ADD 4,ADD 5,POSTCODE,TITLE,SEX,STATUS,STATUS DATE";

/// Appends a patient's row: all demographics are the practice's, the status date is the start of the registration on PDS.
///
/// `pds` is `None` for a patient unknown to PDS.
pub fn write_only_on_gp_row(
    out: &mut String,
    gp: &GpRecord<'_>,
    status: RegistrationStatus,
    pds: Option<&PdsRecord<'_>>,
    profile: Profile,
) {
    let mut row = CsvRow::start(out);
    row.field(stored::text(gp.surname));
    row.field(stored::text(gp.forenames));
    row.field(stored::text(gp.date_of_birth));
    row.field(stored::text(gp.nhs_number));
    for line in stored::address(gp) {
        row.field(line);
    }
    row.field(stored::text(gp.postcode));
    row.field(stored::text(gp.title));
    row.field(&stored::sex(gp, profile));
    row.field(status.as_str());
    row.field(pds.map_or("", |pds| pds.gp_registered_date));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_reconciliation::outputs::fixtures;

    fn row(gp: &GpRecord<'_>, status: RegistrationStatus, pds: Option<&PdsRecord<'_>>) -> String {
        let mut out = String::new();
        write_only_on_gp_row(&mut out, gp, status, pds, Profile::Fixed);
        out
    }

    #[test]
    fn a_patient_unknown_to_pds_has_the_practices_values_and_no_status_date() {
        assert_eq!(
            row(&fixtures::gp(), RegistrationStatus::Unmatched, None),
            "WREN,\"ANNA,BEA\",19800229,9990000018,THE NEST,1 OAK LANE,,ELMTON,,AB1  2CD,DR,2,Unmatched,"
        );
    }

    #[test]
    fn a_patient_registered_elsewhere_has_the_start_of_that_registration() {
        let row = row(&fixtures::gp(), RegistrationStatus::PartnershipMismatch, Some(&fixtures::pds()));
        assert!(row.ends_with(",Partnership Mismatch,2019-04-01"), "{row}");
    }
}
