//! Finds the sections of medicines and allergies, however deep they are.

use super::types::Narrative;
use crate::xml::Element;

/// What a section is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SectionKind {
    Medications,
    Allergies,
}

/// A section, and where it stands.
pub(super) struct Section<'a> {
    pub kind: SectionKind,
    pub element: &'a Element,
    pub narrative: Narrative<'a>,
    pub path: String,
}

/// LOINC codes of sections.
const LOINC: [(&str, SectionKind); 8] = [
    ("10160-0", SectionKind::Medications),
    ("10183-2", SectionKind::Medications),
    ("75311-1", SectionKind::Medications),
    ("42346-7", SectionKind::Medications),
    ("29549-3", SectionKind::Medications),
    ("57828-6", SectionKind::Medications),
    ("48765-2", SectionKind::Allergies),
    ("8658-8", SectionKind::Allergies),
];
/// Words in the title of a section whose code says nothing.
const TITLES: [(&str, SectionKind); 4] = [
    ("medication", SectionKind::Medications),
    ("medicine", SectionKind::Medications),
    ("allerg", SectionKind::Allergies),
    ("adverse reaction", SectionKind::Allergies),
];

/// In the order of the document.
pub(super) fn of(document: &Element) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    if let Some(body) = document.at(&["component", "structuredBody"]) {
        collect(body, "/ClinicalDocument/component/structuredBody", &mut sections);
    }
    sections
}

fn collect<'a>(parent: &'a Element, base: &str, sections: &mut Vec<Section<'a>>) {
    for (at, component) in parent.all("component") {
        let Some(element) = component.child("section") else { continue };
        let path = format!("{base}/component[{at}]/section");
        if let Some(kind) = kind_of(element) {
            sections.push(Section { kind, element, narrative: Narrative::of(element), path: path.clone() });
        }
        collect(element, &path, sections);
    }
}

fn kind_of(section: &Element) -> Option<SectionKind> {
    let code = section.child("code").and_then(|code| code.attribute("code")).unwrap_or_default();
    if let Some((_, kind)) = LOINC.iter().find(|(known, _)| *known == code) {
        return Some(*kind);
    }
    let title = section.child("title").map(|title| title.text().to_lowercase()).unwrap_or_default();
    // Such as "Allergies and medications": which of them an entry is, its own kind says.
    TITLES.iter().find(|(word, _)| title.contains(word)).map(|(_, kind)| *kind)
}
