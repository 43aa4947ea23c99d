//! Which bug is planted in this process.

use std::sync::OnceLock;

use super::PlantedBug;

/// The bug that `CONCORD_PLANTED_BUG` names. A name that nobody knows ends the process: a run with nothing planted would pass
/// for one in which nothing was noticed.
pub(super) fn bug() -> Option<PlantedBug> {
    static CHOSEN: OnceLock<Option<PlantedBug>> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("CONCORD_PLANTED_BUG").ok()?;
        let Some((bug, _, what)) = PlantedBug::ALL.iter().find(|(_, known, _)| *known == name) else {
            eprintln!("CONCORD_PLANTED_BUG={name}: no such bug is known");
            std::process::exit(64);
        };
        eprintln!("PLANTED BUG {name}: {what}");
        Some(*bug)
    })
}

pub(super) fn invariants_are_asserted() -> bool {
    static ASSERTED: OnceLock<bool> = OnceLock::new();
    *ASSERTED.get_or_init(|| std::env::var("CONCORD_INVARIANTS").map_or(true, |value| value != "off"))
}
