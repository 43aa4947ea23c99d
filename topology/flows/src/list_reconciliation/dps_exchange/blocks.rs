//! Between the blocks of an answer and the records that rules and outputs work on.

use std::borrow::Cow;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::lines::{GpBlock, PdsBlock};

impl<'a> From<&GpRecord<'a>> for GpBlock<'a> {
    fn from(gp: &GpRecord<'a>) -> Self {
        let address = [gp.address_line_1, gp.address_line_2, gp.address_line_3, gp.address_line_4, gp.address_line_5];
        Self {
            nhs_number: gp.nhs_number.map(Cow::Borrowed),
            surname: gp.surname.map(Cow::Borrowed),
            forenames: gp.forenames.map(Cow::Borrowed),
            previous_surname: gp.previous_surname.map(Cow::Borrowed),
            title: gp.title.map(Cow::Borrowed),
            sex: gp.sex,
            date_of_birth: gp.date_of_birth.map(Cow::Borrowed),
            address: address.map(|line| line.map(Cow::Borrowed)),
            postcode: gp.postcode.map(Cow::Borrowed),
        }
    }
}

impl GpBlock<'_> {
    /// The record, as far as an answer carries it.
    #[must_use]
    pub fn as_record(&self) -> GpRecord<'_> {
        let [line_1, line_2, line_3, line_4, line_5] = &self.address;
        GpRecord {
            nhs_number: self.nhs_number.as_deref(),
            surname: self.surname.as_deref(),
            forenames: self.forenames.as_deref(),
            previous_surname: self.previous_surname.as_deref(),
            title: self.title.as_deref(),
            sex: self.sex,
            date_of_birth: self.date_of_birth.as_deref(),
            address_line_1: line_1.as_deref(),
            address_line_2: line_2.as_deref(),
            address_line_3: line_3.as_deref(),
            address_line_4: line_4.as_deref(),
            address_line_5: line_5.as_deref(),
            postcode: self.postcode.as_deref(),
            ..GpRecord::default()
        }
    }
}

impl<'a> From<&PdsRecord<'a>> for PdsBlock<'a> {
    fn from(pds: &PdsRecord<'a>) -> Self {
        let list = |texts: &[&'a str]| texts.iter().copied().map(Cow::Borrowed).collect();
        Self {
            nhs_number: Cow::Borrowed(pds.nhs_number),
            scn: Cow::Borrowed(pds.version),
            security: Cow::Borrowed(pds.sensitivity),
            surname: Cow::Borrowed(pds.surname),
            forenames: list(&pds.forenames),
            titles: list(&pds.titles),
            gender: Cow::Borrowed(pds.gender),
            date_of_birth: Cow::Borrowed(pds.date_of_birth),
            address: list(&pds.address),
            postcode: Cow::Borrowed(pds.postcode),
            gp_practice: Cow::Borrowed(pds.gp_practice),
            registered_from: Cow::Borrowed(pds.gp_registered_date),
        }
    }
}

impl PdsBlock<'_> {
    /// The record.
    #[must_use]
    pub fn as_record(&self) -> PdsRecord<'_> {
        PdsRecord {
            nhs_number: &self.nhs_number,
            version: &self.scn,
            sensitivity: &self.security,
            surname: &self.surname,
            forenames: self.forenames.iter().map(|text| &**text).collect(),
            titles: self.titles.iter().map(|text| &**text).collect(),
            gender: &self.gender,
            date_of_birth: &self.date_of_birth,
            address: self.address.iter().map(|text| &**text).collect(),
            postcode: &self.postcode,
            gp_practice: &self.gp_practice,
            gp_registered_date: &self.registered_from,
            // No output has it, so no answer does.
            date_of_death: "",
        }
    }
}
