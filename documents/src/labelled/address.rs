//! Addresses: a label with lines behind or below it, and labelled parts that follow.

use std::ops::Range;

use concord_schemas::patient_documents::fields;

use super::labels::LabelAt;
use super::{LABELLED, Reader, before_gap};
use crate::found::{AddressParts, Spot};
use crate::values::postcode;
use crate::words::{Line, together};

/// Lines of an address.
const MOST_LINES: usize = 7;

/// An address whose lines are still coming.
pub(super) struct OpenAddress {
    pub parts: AddressParts,
    pub spot: Spot,
    /// How far its label is indented: its other lines are further.
    pub indent: usize,
    /// Nothing stood behind the label: its lines may stand below it.
    pub is_below: bool,
    /// Only labelled parts may still come, such as its town.
    pub is_broken: bool,
}

impl Reader<'_> {
    pub(super) fn open_address(&mut self, line: &Line, at: &LabelAt, value: Range<usize>) {
        let written = &line.text[value.clone()];
        let spot = line.spot(value, LABELLED);
        let is_below = written.is_empty();
        let mut parts = AddressParts::default();
        if !is_below {
            parts.lines.push(written.trim_end_matches(',').to_owned());
        }
        self.address = Some(OpenAddress { parts, spot, indent: at.start, is_below, is_broken: false });
        if postcode::at_end_of(written).is_some() {
            self.end_address();
        }
    }

    /// Takes a line without a label that belongs to the address; any other ends it.
    pub(super) fn address_line(&mut self, line: &Line, indent: usize) -> bool {
        let Some(address) = &mut self.address else { return false };
        let belongs = (address.is_below || indent > address.indent + 1) && !address.is_broken;
        if !belongs || address.parts.lines.len() >= MOST_LINES {
            self.end_address();
            return false;
        }
        let written = line.text.trim();
        let spot = line.spot(indent..line.text.len(), LABELLED);
        address.spot = if address.parts.lines.is_empty() { spot } else { together(&address.spot, &spot) };
        address.parts.lines.push(written.trim_end_matches(',').to_owned());
        if postcode::at_end_of(written).is_some() {
            self.end_address();
        }
        true
    }

    /// A postcode belongs to the address before it.
    pub(super) fn postcode(&mut self, written: &str, spot: &Spot) {
        let code = postcode::from_text(before_gap(written));
        match self.address.take() {
            Some(mut address) if !address.parts.lines.is_empty() && address.parts.postcode.is_empty() => {
                // Its confidence may be another than that of the lines, so it is an observation of its own.
                let (text, usage) = (address.parts.lines.join(", "), address.parts.usage);
                address.parts = AddressParts { lines: vec![text], postcode: code, usage, is_former: false };
                address.spot = together(&address.spot, spot);
                self.found.address(&address.parts, &address.spot);
            }
            _ => self.found.field(fields::POSTCODE, &code, spot),
        }
    }

    /// A part that is labelled, such as the town, of the address before it.
    pub(super) fn address_part(&mut self, written: &str, spot: &Spot) {
        let Some(address) = self.address.as_mut().filter(|address| !address.parts.lines.is_empty()) else { return };
        let written = before_gap(written);
        if written.contains(char::is_alphanumeric) && address.parts.lines.len() < MOST_LINES {
            address.parts.lines.push(written.to_owned());
            address.spot = together(&address.spot, spot);
        }
        address.is_broken = true;
    }

    pub(super) fn break_address(&mut self) {
        if let Some(address) = &mut self.address {
            address.is_broken = true;
        }
    }

    pub(super) fn end_address(&mut self) {
        if let Some(OpenAddress { parts, spot, .. }) = self.address.take() {
            self.found.address(&parts, &spot);
        }
    }
}
