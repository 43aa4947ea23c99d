//! How each edge of the process stands, for `/health` and the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use concord_engine::metric_names as names;

use super::error::Trouble;

/// Shared by the edges of a process and its HTTP service.
#[derive(Clone, Default)]
pub struct Standing(Arc<Mutex<BTreeMap<String, State>>>);

#[derive(Default)]
struct State {
    trouble: Option<String>,
    set_aside: usize,
    ended: bool,
}

impl Standing {
    /// An edge begins.
    pub fn begins(&self, edge: &str) {
        self.edit(edge, |state| *state = State::default());
        metrics::gauge!(names::EDGE_TROUBLED, "edge" => edge.to_string()).set(0.0);
    }

    /// A turn came to its end.
    pub fn is_well(&self, edge: &str) {
        self.edit(edge, |state| state.trouble = None);
        metrics::gauge!(names::EDGE_TROUBLED, "edge" => edge.to_string()).set(0.0);
    }

    /// A turn came to no end.
    pub fn is_troubled(&self, edge: &str, trouble: &Trouble) {
        self.edit(edge, |state| state.trouble = Some(trouble.message.clone()));
        metrics::gauge!(names::EDGE_TROUBLED, "edge" => edge.to_string()).set(1.0);
        metrics::counter!(names::EDGE_TROUBLES, "edge" => edge.to_string(), "code" => trouble.code).increment(1);
    }

    /// How many inputs are left where they arrived until the process starts again.
    pub fn has_set_aside(&self, edge: &str, inputs: usize) {
        self.edit(edge, |state| state.set_aside = inputs);
    }

    /// An edge has ended, as it was told or not.
    pub fn ends(&self, edge: &str) {
        self.edit(edge, |state| state.ended = true);
    }

    /// Whether no edge has ended.
    pub fn is_live(&self) -> bool {
        self.read(|edges| edges.values().all(|state| !state.ended))
    }

    /// `Ok` when all edges work, with what they have set aside; otherwise what is the matter with which.
    ///
    /// # Errors
    /// One line for each edge that is in trouble.
    pub fn readiness(&self) -> Result<String, String> {
        self.read(|edges| {
            let troubles: Vec<String> = edges
                .iter()
                .filter_map(|(edge, state)| state.trouble.as_ref().map(|trouble| format!("{edge}: {trouble}")))
                .collect();
            if !troubles.is_empty() {
                return Err(troubles.join("\n"));
            }
            let mut lines = vec![format!("{} edges work", edges.len())];
            for (edge, state) in edges.iter().filter(|(_, state)| state.set_aside > 0) {
                lines.push(format!("{edge}: {} inputs refused, see the topic intake.refused", state.set_aside));
            }
            Ok(lines.join("\n"))
        })
    }

    fn edit(&self, edge: &str, change: impl FnOnce(&mut State)) {
        let mut edges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(edges.entry(edge.to_owned()).or_default());
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<String, State>) -> T) -> T {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
