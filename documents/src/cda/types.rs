//! Data types of HL7 v3 as CDA has them: names, addresses, codes, times.

use std::collections::HashMap;

use crate::values::{code_system, date, joined, squeezed};
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
    by_id: HashMap<&'a str, &'a Element>,
    /// The headings of the tables whose rows have an id.
    headings: HashMap<&'a str, &'a Element>,
}

impl<'a> Narrative<'a> {
    /// Of a section, perhaps without text.
    pub fn of(section: &'a Element) -> Self {
        let mut narrative = Self::default();
        let mut open: Vec<(&Element, Option<&Element>)> =
            section.child("text").map(|text| (text, None)).into_iter().collect();
        while let Some((element, headings)) = open.pop() {
            let headings = element.at(&["thead", "tr"]).or(headings);
            if let Some(id) = element.attribute("ID") {
                narrative.by_id.entry(id).or_insert(element);
                if let Some(headings) = headings.filter(|_| element.name == "tr") {
                    narrative.headings.entry(id).or_insert(headings);
                }
            }
            open.extend(element.children.iter().map(|child| (child, headings)));
        }
        narrative
    }

    /// What stands in an element, or where it refers to.
    pub fn text_of(&self, element: &Element) -> String {
        let text = squeezed(&element.text());
        if text.is_empty() {
            self.referred(element).map(|(_, one)| squeezed(&one.text())).unwrap_or_default()
        } else {
            text
        }
    }

    /// The same; of a row of a table only those of its cells whose heading is wanted.
    pub fn cells_of(&self, element: &Element, is_wanted: impl Fn(&str) -> bool) -> String {
        let row = self.referred(element).and_then(|(id, row)| Some((row, self.headings.get(id)?)));
        let Some((row, headings)) = row else { return self.text_of(element) };
        let cells = headings.children.iter().zip(&row.children).filter(|(heading, _)| is_wanted(&heading.text()));
        joined(cells.map(|(_, cell)| cell.text()), ", ")
    }

    fn referred(&self, element: &'a Element) -> Option<(&'a str, &'a Element)> {
        let id = element.child("reference")?.attribute("value")?.strip_prefix('#')?;
        self.by_id.get(id).map(|referred| (id, *referred))
    }
}
