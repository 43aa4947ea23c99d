//! Consolidated demographic differences: one row per patient and rule, with all that both sides hold.

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::csv_row::CsvRow;
use super::stored;
use crate::list_reconciliation::compare::{GUIDANCE, Rule, SENSITIVE};
use crate::list_reconciliation::profile::Profile;

/// First line of the file.
pub const DIFFERENCES_HEADER: &str = "nhsNumber,gp_birthDate,gp_gender,gp_name_given,gp_name_family,gp_name_previousFamily,gp_name_prefix,gp_address_line1,gp_address_line2,gp_address_line3,gp_address_line4,gp_address_line5,gp_postalCode,gp_generalPractitionerOds,pds_scn,pds_security,pds_birthDate,pds_gender,pds_name_given,pds_name_family,pds_name_prefix,pds_address,pds_postalCode,pds_generalPractitionerOds,ruleId,guidance";

/// Appends the row of one rule in which a patient's records differ. `practice` is the code in the file's name.
pub fn write_differences_row(
    out: &mut String,
    practice: &str,
    gp: &GpRecord<'_>,
    pds: &PdsRecord<'_>,
    rule: &Rule,
    profile: Profile,
) {
    write_row(out, practice, gp, pds, rule.id, profile);
}

/// Appends the one row that a sensitive person has, whatever differs.
pub fn write_sensitive_row(out: &mut String, practice: &str, gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) {
    write_row(out, practice, gp, pds, SENSITIVE, profile);
}

fn write_row(
    out: &mut String,
    practice: &str,
    gp: &GpRecord<'_>,
    pds: &PdsRecord<'_>,
    rule_id: &str,
    profile: Profile,
) {
    let mut row = CsvRow::start(out);
    row.field(stored::text(gp.nhs_number));
    row.field(stored::text(gp.date_of_birth));
    row.field(&stored::sex(gp, profile));
    row.field(stored::text(gp.forenames));
    row.field(stored::text(gp.surname));
    row.field(stored::text(gp.previous_surname));
    row.field(stored::text(gp.title));
    for line in stored::address(gp) {
        row.field(line);
    }
    row.field(stored::text(gp.postcode));
    row.field(practice);
    row.field(pds.version);
    row.field(pds.sensitivity);
    row.field(pds.date_of_birth);
    row.field(pds.gender);
    row.joined(&pds.forenames, " ");
    row.field(pds.surname);
    row.joined(&pds.titles, ",");
    row.joined(&pds.address, ",");
    row.field(pds.postcode);
    row.field(pds.gp_practice);
    row.field(rule_id);
    row.field(GUIDANCE);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list_reconciliation::compare::RULES;
    use crate::list_reconciliation::outputs::fixtures;

    #[test]
    fn a_row_holds_both_sides_the_rule_and_the_guidance() {
        let mut out = String::new();
        let birth_date = &RULES[1];
        write_differences_row(&mut out, "Y12345", &fixtures::gp(), &fixtures::pds(), birth_date, Profile::Fixed);
        assert_eq!(
            out,
            "9990000018,19800229,2,\"ANNA,BEA\",WREN,LARK,DR,THE NEST,1 OAK LANE,,ELMTON,,AB1  2CD,Y12345,\
             7,U,1980-02-28,female,Anna Béa,Wren,\"Dr,Prof\",\"1 Oak Lane,Elmton\",AB1 2CD,Y54321,\
             MN-BR-DB-01,Manual Validation"
        );
        assert_eq!(DIFFERENCES_HEADER.split(',').count(), 26);
    }

    #[test]
    fn a_sensitive_person_has_what_pds_gave_and_no_rule_of_comparison() {
        let pds = PdsRecord { nhs_number: "9990000018", sensitivity: "REDACTED", ..PdsRecord::default() };
        let mut out = String::new();
        write_sensitive_row(&mut out, "Y12345", &fixtures::gp(), &pds, Profile::Fixed);
        assert!(out.ends_with(",Y12345,,REDACTED,,,,,,,,,sensitive,Manual Validation"), "{out}");
    }
}
