//! Parts of a text that are about somebody else than the patient, and what sets parts apart.

use crate::words::Line;

/// Whether the lines that come are about somebody else.
#[derive(Debug, Default)]
pub(super) struct Others {
    until: Option<Until>,
    /// The line before was a ruler, or so long ago that only empty lines are between.
    is_behind_ruler: bool,
}

/// Where a part about somebody else ends.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// At the next empty line; how far its heading is indented.
    Blank(usize),
    /// At a line that is indented no further than the heading: its lines are.
    Indent(usize),
    /// At the next ruler. Nothing but the heading was there so far, or there was more.
    Ruler { has_content: bool },
}

impl Others {
    /// Whether lines are left out.
    pub fn is_active(&self) -> bool {
        self.until.is_some()
    }

    /// Whether what comes now is a heading because there is a ruler above it.
    pub fn stands_out(&self) -> bool {
        self.is_behind_ruler
    }

    /// After the heading of such a part.
    pub fn begin(&mut self, heading: &str) {
        let is_ruled = std::mem::take(&mut self.is_behind_ruler);
        self.until =
            Some(if is_ruled { Until::Ruler { has_content: false } } else { Until::Blank(indent_of(heading)) });
    }

    pub fn blank(&mut self) {
        // What stands below an empty line, further in than the heading, still belongs to it.
        if let Some(Until::Blank(indent)) = self.until {
            self.until = Some(Until::Indent(indent));
        }
    }

    pub fn ruler(&mut self) {
        // Between two rulers is a heading: what it is of comes below the second.
        if !matches!(self.until, Some(Until::Ruler { has_content: false })) {
            self.until = None;
        }
        self.is_behind_ruler = true;
    }

    /// A line that was not empty is read.
    pub fn passed(&mut self) {
        self.is_behind_ruler = false;
    }

    /// Takes note of a line that is not empty; says whether it may be about the patient, as far as rulers and indents show.
    pub fn is_about_patient(&mut self, line: &str) -> bool {
        match &mut self.until {
            None => return true,
            Some(Until::Ruler { has_content }) => *has_content = true,
            Some(Until::Blank(_)) => return true,
            Some(Until::Indent(indent)) if indent_of(line) > *indent => {}
            Some(Until::Indent(_)) => {
                self.until = None;
                return true;
            }
        }
        false
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Shorter rows of dashes stand for something that is not known.
const SHORTEST_RULER: usize = 5;

/// A line with a ruler in it, with blanks in its place: nothing is left, or the heading that it stands around.
pub(super) fn without_ruler(line: &Line) -> Option<Line> {
    let is_of_ruler = |one: char| matches!(one, '-' | '=' | '_' | '*' | '~' | '#');
    let text = line.text.trim();
    let before = text.find(|one| !is_of_ruler(one)).unwrap_or(text.len());
    let behind = text.len() - text.trim_end_matches(is_of_ruler).len();
    if before < SHORTEST_RULER || (before < text.len() && behind < SHORTEST_RULER) {
        return None;
    }
    let text = line.text.chars().map(|one| if is_of_ruler(one) { ' ' } else { one }).collect();
    // Every sign of a ruler is one byte, as a blank is: words stay where they are.
    let mut heading = line.clone();
    heading.text = text;
    Some(heading)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::words::lines_of_text;

    #[test]
    fn a_ruler_may_have_a_heading_in_it() {
        let without = |text: &str| without_ruler(&lines_of_text(text)[0]).map(|line| line.text);
        assert_eq!(without("------").unwrap().trim(), "");
        assert_eq!(without("----- VA ALLERGIES -----").unwrap(), "      VA ALLERGIES      ");
        for text in ["Reaction: --", "-- none --", "- Paracetamol", "----- no end", ""] {
            assert_eq!(without(text), None, "{text}");
        }
    }
}
