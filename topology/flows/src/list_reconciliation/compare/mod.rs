//! The rules that find demographic differences between a matched patient's GP and PDS records.

pub(super) mod birth_date;
pub(super) mod sex;
pub(super) mod words;

use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};

use super::profile::Profile;

/// What is to be done about a difference: on every row and in every work item.
pub const GUIDANCE: &str = "Manual Validation";

/// Stands in the place of a rule id on the one row that a sensitive person has.
pub const SENSITIVE: &str = "sensitive";

/// A rule: what it compares, and whether two records differ in it.
#[derive(Debug)]
pub struct Rule {
    /// Such as `MN-BR-SN-01`.
    pub id: &'static str,
    differs: fn(&GpRecord<'_>, &PdsRecord<'_>, Profile) -> bool,
}

impl Rule {
    /// Whether the two records of one person differ in what the rule compares.
    #[must_use]
    pub fn differs(&self, gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> bool {
        (self.differs)(gp, pds, profile)
    }
}

/// All rules, in the order of evaluation.
///
/// Text is compared word by word without regard to case, so neither spacing nor the way an address is split into lines
/// makes a difference; punctuation and accents do.
pub static RULES: [Rule; 7] = [
    Rule { id: "MN-BR-AD-01", differs: address_differs },
    Rule { id: "MN-BR-DB-01", differs: birth_date_differs },
    Rule { id: "MN-BR-FN-01", differs: forenames_differ },
    Rule { id: "MN-BR-SX-01", differs: sex_differs },
    Rule { id: "MN-BR-AD-02", differs: postcode_differs },
    Rule { id: "MN-BR-SN-01", differs: surname_differs },
    Rule { id: "MN-BR-TL-01", differs: title_differs },
];

/// The rules in which a matched patient's two records differ, in the order of evaluation.
///
/// Call it for patients registered at the practice on PDS only; nobody else is compared.
///
/// ```
/// use concord_flows::list_reconciliation::{compare, profile::Profile};
/// use concord_schemas::list_reconciliation::{GpRecord, PdsRecord};
///
/// let gp = GpRecord { surname: Some("O'HARA  SMITH"), title: Some("MR"), ..GpRecord::default() };
/// let pds = PdsRecord { surname: "O'Hara Smith", titles: vec!["Dr"], ..PdsRecord::default() };
/// let ids: Vec<&str> = compare::differences(&gp, &pds, Profile::Fixed).map(|rule| rule.id).collect();
/// assert_eq!(ids, ["MN-BR-TL-01"]);
/// ```
pub fn differences(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.differs(gp, pds, profile))
}

/// The lines of the practice's address, absent ones empty.
pub(super) fn address_lines<'text>(gp: &GpRecord<'text>) -> [&'text str; 5] {
    [
        gp.address_line_1.unwrap_or_default(),
        gp.address_line_2.unwrap_or_default(),
        gp.address_line_3.unwrap_or_default(),
        gp.address_line_4.unwrap_or_default(),
        gp.address_line_5.unwrap_or_default(),
    ]
}

fn address_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> bool {
    !words::same(&address_lines(gp), list_as_compared(&pds.address, profile))
}

fn birth_date_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, _profile: Profile) -> bool {
    !birth_date::same(gp.date_of_birth.unwrap_or_default(), pds.date_of_birth)
}

fn forenames_differ(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> bool {
    let forenames = [gp.forenames.unwrap_or_default()];
    !words::same(&forenames, list_as_compared(&pds.forenames, profile))
}

fn sex_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, _profile: Profile) -> bool {
    !sex::same(gp.sex, pds.gender)
}

fn postcode_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, _profile: Profile) -> bool {
    !words::same(&[gp.postcode.unwrap_or_default()], &[pds.postcode])
}

fn surname_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, _profile: Profile) -> bool {
    !words::same(&[gp.surname.unwrap_or_default()], &[pds.surname])
}

fn title_differs(gp: &GpRecord<'_>, pds: &PdsRecord<'_>, profile: Profile) -> bool {
    let title = [gp.title.unwrap_or_default()];
    !words::same(&title, list_as_compared(&pds.titles, profile))
}

/// The earlier implementation compared an empty list by its printed form, so that two absent values came out different.
pub(super) fn list_as_compared<'list, 'text>(list: &'list [&'text str], profile: Profile) -> &'list [&'text str] {
    if list.is_empty() && profile == Profile::Compatible {
        return &["[]"];
    }
    list
}

#[cfg(test)]
mod tests;
