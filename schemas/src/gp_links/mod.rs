//! The words of GP Links that every part of the program shares: the sides of a link, its codes, its transaction types.

mod history;
mod interchange;
mod state_document;

use serde::{Deserialize, Serialize};

pub use history::HistoryDocument;
pub use interchange::InterchangePiece;
pub use state_document::{DocumentReceipt, DocumentWorkflow, StateDocument};

/// MESH's workflow id of registrations.
pub const NHAIS_REG: &str = "NHAIS_REG";
/// MESH's workflow id of receipts.
pub const NHAIS_RECEP: &str = "NHAIS_RECEP";

/// Whether a workflow id of MESH is one of GP Links. The earlier adaptor reads them in any case.
///
/// ```
/// use concord_schemas::gp_links::is_workflow;
///
/// assert!(is_workflow("NHAIS_REG") && is_workflow("nhais_recep"));
/// assert!(!is_workflow("GPEXTRACT"));
/// ```
#[must_use]
pub fn is_workflow(id: &str) -> bool {
    [NHAIS_REG, NHAIS_RECEP].iter().any(|known| known.eq_ignore_ascii_case(id))
}

/// On which side of a link somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The GP system of a practice.
    Gp,
    /// The Health Authority.
    HealthAuthority,
}

/// One transaction type.
#[derive(Debug, PartialEq, Eq)]
pub struct TransactionType {
    /// Who sends it.
    pub sender: Side,
    /// As `RFF+950` has it.
    pub code: &'static str,
    /// As the earlier adaptor keeps it.
    pub abbreviation: &'static str,
    /// In words.
    pub name: &'static str,
    /// Its transaction number is that of the transaction it answers: one of the recipient, not of the sender.
    pub echoes_number: bool,
}

const fn of(sender: Side, code: &'static str, abbreviation: &'static str, name: &'static str) -> TransactionType {
    TransactionType { sender, code, abbreviation, name, echoes_number: false }
}

const fn answer(code: &'static str, abbreviation: &'static str, name: &'static str) -> TransactionType {
    TransactionType { sender: Side::HealthAuthority, code, abbreviation, name, echoes_number: true }
}

static TYPES: [TransactionType; 12] = [
    of(Side::Gp, "G1", "ACG", "acceptance"),
    of(Side::Gp, "G2", "AMG", "amendment"),
    of(Side::Gp, "G3", "REG", "removal"),
    of(Side::Gp, "G5", "DER", "deduction request"),
    of(Side::HealthAuthority, "F1", "AMF", "amendment"),
    of(Side::HealthAuthority, "F2", "DEF", "deduction"),
    answer("F3", "REF", "rejection"),
    answer("F4", "APF", "approval"),
    of(Side::HealthAuthority, "F8", "CQN", "close quarter notification"),
    of(Side::HealthAuthority, "F9", "FPN", "FP69 prior notification"),
    of(Side::HealthAuthority, "F10", "FFR", "FP69 flag removal"),
    of(Side::HealthAuthority, "F11", "DRR", "deduction rejection"),
];

impl TransactionType {
    /// All types that are known.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &TYPES
    }

    /// The type of a code.
    ///
    /// ```
    /// use concord_schemas::gp_links::TransactionType;
    ///
    /// assert_eq!(TransactionType::of_code("F4").map(|of| of.abbreviation), Some("APF"));
    /// assert_eq!(TransactionType::of_code("F5"), None);
    /// ```
    #[must_use]
    pub fn of_code(code: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.code == code)
    }

    /// The type that the earlier adaptor abbreviates so.
    #[must_use]
    pub fn of_abbreviation(abbreviation: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.abbreviation == abbreviation)
    }
}

/// The link code of a Health Authority, four characters as in `UNB`, from its cipher, as in `NAD+FHS` and `NHS`: `SO` is
/// `SO01`, `XX1` is `XX11`.
///
/// ```
/// use concord_schemas::gp_links::link_code_of_cipher;
///
/// assert_eq!(link_code_of_cipher("SO"), "SO01");
/// assert_eq!(link_code_of_cipher("SHE"), "SHE1");
/// ```
#[must_use]
pub fn link_code_of_cipher(cipher: &str) -> String {
    let suffix = if cipher.chars().count() == 2 { "01" } else { "1" };
    format!("{cipher}{suffix}")
}
