//! Data types of HL7 v3 as CDA has them: names, addresses, codes, times.

use std::collections::HashMap;

use crate::values::{code_system, date, is_unsaid, joined, squeezed};
use crate::xml::Element;

/// The uses of names and addresses that say they are former.
pub(super) const FORMER: [&str; 2] = ["OLD", "BAD"];

/// The words of an attribute `use`.
pub(super) fn uses(element: &Element) -> Vec<&str> {
    element.attribute("use").unwrap_or_default().split_whitespace().collect()
}

/// A code: its system, code, and name or original text.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub system: String,
    pub code: String,
    pub text: String,
}

impl Code {
    /// The best of a code and its translations. The text is what the author wrote, where that stands here or in the narrative.
    pub fn of(element: &Element, narrative: &Narrative<'_>) -> Self {
        let candidates = std::iter::once(element).chain(element.all("translation").map(|(_, one)| one));
        let best = candidates
            .filter(|one| one.attribute("code").is_some() && !one.is_null())
            .min_by_key(|one| code_system::rank(system_of(one)));
        let original = element.child("originalText").map(|text| narrative.text_of(text)).unwrap_or_default();
        let display = best.or(Some(element)).and_then(|one| one.attribute("displayName"));
        let any_display = || element.all("translation").find_map(|(_, one)| one.attribute("displayName"));
        Self {
            system: best.map(system_of).map(code_system::named).unwrap_or_default().to_owned(),
            code: best.and_then(|one| one.attribute("code")).unwrap_or_default().to_owned(),
            text: squeezed(code_system::without_tag(display.or_else(any_display).unwrap_or(&original))),
        }
    }

    /// Whether it says anything.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.text.is_empty()
    }
}

fn system_of(element: &Element) -> &str {
    element.attribute("codeSystem").unwrap_or_default()
}

/// The date of a time.
pub(super) fn date_of(element: &Element) -> Option<String> {
    element.attribute("value").and_then(date::from_digits)
}

/// Begin and end of a time that is an interval; of a single time it is the begin.
pub(super) fn interval(element: &Element) -> (Option<String>, Option<String>) {
    let bound = |name: &str| element.child(name).and_then(date_of);
    (bound("low").or_else(|| date_of(element)), bound("high"))
}

/// The text that people read, to which entries refer by id.
#[derive(Default)]
pub(super) struct Narrative<'a> {
    by_id: HashMap<&'a str, Referred<'a>>,
}

/// An element with an id.
#[derive(Clone, Copy)]
struct Referred<'a> {
    element: &'a Element,
    cell: Option<Cell<'a>>,
}

/// Where it stands in a table with headings: in a row, perhaps in one of its columns.
#[derive(Clone, Copy)]
struct Cell<'a> {
    headings: &'a Element,
    row: &'a Element,
    column: Option<usize>,
}

impl<'a> Narrative<'a> {
    /// Of a section, perhaps without text.
    pub fn of(section: &'a Element) -> Self {
        let mut narrative = Self::default();
        if let Some(text) = section.child("text") {
            narrative.collect(text, None, None);
        }
        narrative
    }

    /// XML is no deeper than the limit, so this is not either.
    fn collect(&mut self, element: &'a Element, headings: Option<&'a Element>, cell: Option<Cell<'a>>) {
        let headings = element.at(&["thead", "tr"]).or(headings);
        let cell = match headings {
            Some(headings) if element.name == "tr" => Some(Cell { headings, row: element, column: None }),
            _ => cell,
        };
        if let Some(id) = element.attribute("ID") {
            self.by_id.entry(id).or_insert(Referred { element, cell });
        }
        for (column, child) in element.children.iter().enumerate() {
            let is_row = element.name == "tr";
            let cell = cell.map(|cell| if is_row { Cell { column: Some(column), ..cell } } else { cell });
            self.collect(child, headings, cell);
        }
    }

    /// What stands in an element, or where it refers to.
    pub fn text_of(&self, element: &Element) -> String {
        let text = squeezed(&element.text());
        match self.referred(element) {
            Some(referred) if text.is_empty() => squeezed(&referred.element.text()),
            _ => text,
        }
    }

    /// The same; but where it refers to a row of a table, or to the cell of something else in it, the cells of the row that are wanted
    /// by their headings.
    pub fn cells_of(&self, element: &Element, is_wanted: impl Fn(&str) -> bool) -> String {
        let cell = self.referred(element).and_then(|referred| referred.cell);
        let Some(Cell { headings, row, column }) = cell.filter(|_| element.text().trim().is_empty()) else {
            return self.text_of(element);
        };
        let is_wanted: Vec<bool> = headings.children.iter().map(|heading| is_wanted(&heading.text())).collect();
        let is_there = column.is_some_and(|column| is_wanted.get(column) == Some(&true));
        if is_there || (column.is_some() && !is_wanted.contains(&true)) {
            return self.text_of(element);
        }
        let cells = row.children.iter().zip(&is_wanted).filter(|(_, is_wanted)| **is_wanted);
        joined(cells.map(|(cell, _)| cell.text()).filter(|text| !is_unsaid(text)), ", ")
    }

    fn referred(&self, element: &Element) -> Option<Referred<'a>> {
        let id = element.child("reference")?.attribute("value")?.strip_prefix('#')?;
        self.by_id.get(id).copied()
    }
}
