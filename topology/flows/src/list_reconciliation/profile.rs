//! Whether the rules are those of the earlier implementation or the corrected ones.

/// Which reading of the rules holds where the earlier implementation had a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The defects of the earlier implementation are corrected.
    #[default]
    Fixed,
    /// What the earlier implementation did, letter by letter; where it crashed, a stated error.
    Compatible,
}
