//! Why a difference is published or taken back.

use concord_schemas::list_reconciliation::PdsRecord;

use crate::list_reconciliation::registration::is_sensitive;

/// See the module. Of several that hold at once, the first one here is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A list of the practice was compared.
    List,
    /// PDS has no record of the person any more.
    PdsRemoved,
    /// PDS began, or ceased, to withhold the person.
    PdsSensitive,
    /// PDS has learned of the person's death.
    PdsDied,
    /// The person is registered elsewhere than before.
    PdsMoved,
    /// Something else of the record changed, or there is one for the first time.
    PdsChanged,
}

impl Cause {
    /// What a PDS record that takes the place of another means.
    pub fn of_change(old: Option<&PdsRecord<'_>>, new: Option<&PdsRecord<'_>>) -> Self {
        let Some(new) = new else { return Self::PdsRemoved };
        let Some(old) = old else { return Self::PdsChanged };
        if is_sensitive(old) != is_sensitive(new) {
            return Self::PdsSensitive;
        }
        if old.date_of_death.is_empty() && !new.date_of_death.is_empty() {
            return Self::PdsDied;
        }
        if old.gp_practice != new.gp_practice {
            return Self::PdsMoved;
        }
        Self::PdsChanged
    }

    /// As topics and headers say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "LIST",
            Self::PdsRemoved => "PDS_REMOVED",
            Self::PdsSensitive => "PDS_SENSITIVE",
            Self::PdsDied => "PDS_DIED",
            Self::PdsMoved => "PDS_MOVED",
            Self::PdsChanged => "PDS_CHANGED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: PdsRecord<'static> = PdsRecord {
        nhs_number: "9990000018",
        version: "1",
        sensitivity: "U",
        surname: "Wren",
        forenames: Vec::new(),
        titles: Vec::new(),
        gender: "female",
        date_of_birth: "1980-02-29",
        address: Vec::new(),
        postcode: "AB1 2CD",
        gp_practice: "Y12345",
        gp_registered_date: "",
        date_of_death: "",
    };

    #[test]
    fn the_gravest_change_names_the_cause() {
        let elsewhere = PdsRecord { gp_practice: "Y54321", ..HERE };
        let dead = PdsRecord { date_of_death: "2021-08-01", gp_practice: "", ..HERE };
        let withheld = PdsRecord { sensitivity: "R", gp_practice: "", date_of_death: "2021-08-01", ..HERE };
        let renamed = PdsRecord { surname: "Lark", ..HERE };
        let still_dead = PdsRecord { surname: "Lark", ..dead.clone() };
        let table = [
            (Some(&HERE), Some(&renamed), "PDS_CHANGED"),
            (Some(&HERE), Some(&HERE), "PDS_CHANGED"),
            (None, Some(&HERE), "PDS_CHANGED"),
            (Some(&HERE), Some(&elsewhere), "PDS_MOVED"),
            (Some(&HERE), Some(&dead), "PDS_DIED"),
            (Some(&dead), Some(&still_dead), "PDS_CHANGED"),
            (Some(&HERE), Some(&withheld), "PDS_SENSITIVE"),
            (Some(&withheld), Some(&HERE), "PDS_SENSITIVE"),
            (Some(&HERE), None, "PDS_REMOVED"),
            (None, None, "PDS_REMOVED"),
        ];
        for (old, new, expected) in table {
            assert_eq!(Cause::of_change(old, new).as_str(), expected, "{old:?} to {new:?}");
        }
    }
}
