//! Sections that people can read and programs cannot: tables and lists without entries.

use concord_schemas::patient_documents::ObservedMedication;

use super::sections::Section;
use crate::found::{Found, Spot};
use crate::labelled;
use crate::values::{date, joined, medicine, product, squeezed};
use crate::xml::Element;

/// A table or list says it in words: less sure than a code.
const CONFIDENCE: i32 = 80;

/// What a column of a table is, by a word in its heading. The first that fits counts.
const COLUMNS: [(&str, Column); 17] = [
    ("reaction", Column::Reaction),
    ("manifestation", Column::Reaction),
    ("medic", Column::Name),
    ("drug", Column::Name),
    ("allerg", Column::Name),
    ("substance", Column::Name),
    ("agent", Column::Name),
    ("strength", Column::Strength),
    ("form", Column::Form),
    ("dos", Column::Dose),
    ("direction", Column::Dose),
    ("instruction", Column::Dose),
    ("frequency", Column::Dose),
    ("sig", Column::Dose),
    ("route", Column::Route),
    ("start", Column::Start),
    ("end", Column::End),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Strength,
    Form,
    Dose,
    Route,
    Start,
    End,
    Reaction,
}

/// A row of a table, or an item of a list as a row of one cell.
struct Row {
    cells: Vec<(Column, String)>,
    path: String,
}

impl Row {
    fn of(&self, column: Column) -> &str {
        self.cells.iter().find(|(own, _)| *own == column).map(|(_, text)| text.as_str()).unwrap_or_default()
    }
}

pub(super) fn medications(section: &Section<'_>, found: &mut Found) {
    for row in rows_of(section) {
        let Some(read) = medicine::from_line(row.of(Column::Name)) else { continue };
        let or = |own: &str, cell: &str| if cell.is_empty() { own.to_owned() } else { cell.to_owned() };
        let date_in = |column: Column| date::from_words(row.of(column)).unwrap_or_default();
        let strength =
            product::strength(row.of(Column::Strength)).unwrap_or_else(|| row.of(Column::Strength).to_owned());
        let observed = ObservedMedication {
            code_system: read.code_system.into(),
            code: read.code.into(),
            name: read.name.into(),
            strength: or(&read.strength, &strength).into(),
            form: or(&read.form, &product::in_singular(row.of(Column::Form))).into(),
            dose: joined([read.dose.as_str(), row.of(Column::Dose)], ", ").into(),
            route: or(&read.route, &medicine::route(row.of(Column::Route))).into(),
            start: or(&read.start, &date_in(Column::Start)).into(),
            end: or(&read.end, &date_in(Column::End)).into(),
            status: if read.status.is_empty() { "unknown" } else { read.status }.into(),
            ..ObservedMedication::default()
        };
        found.medication(observed, &Spot::at_path(row.path).at_most(CONFIDENCE));
    }
}

pub(super) fn allergies(section: &Section<'_>, found: &mut Found) {
    for row in rows_of(section) {
        let observed = if row.cells.iter().any(|(column, _)| *column == Column::Reaction) {
            labelled::allergy_to(row.of(Column::Name), row.of(Column::Reaction))
        } else {
            labelled::allergy(row.of(Column::Name))
        };
        if let Some(observed) = observed {
            found.allergy(observed, &Spot::at_path(row.path).at_most(CONFIDENCE));
        }
    }
}

fn rows_of(section: &Section<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(text) = section.element.child("text") {
        collect(text, &format!("{}/text", section.path), &mut rows);
    }
    rows
}

fn collect(element: &Element, path: &str, rows: &mut Vec<Row>) {
    for (at, table) in element.all("table") {
        rows_of_table(table, &format!("{path}/table[{at}]"), rows);
    }
    for (at, list) in element.all("list") {
        for (number, item) in list.all("item") {
            let cells = vec![(Column::Name, squeezed(&item.text()))];
            rows.push(Row { cells, path: format!("{path}/list[{at}]/item[{number}]") });
        }
    }
    for (at, paragraph) in element.all("paragraph") {
        collect(paragraph, &format!("{path}/paragraph[{at}]"), rows);
    }
}

fn rows_of_table(table: &Element, path: &str, rows: &mut Vec<Row>) {
    let Some(heading) = table.at(&["thead", "tr"]) else { return };
    let columns: Vec<Option<Column>> = heading.children.iter().map(|cell| column_of(&cell.text())).collect();
    if !columns.contains(&Some(Column::Name)) {
        return;
    }
    for (body_at, body) in table.all("tbody") {
        for (at, row) in body.all("tr") {
            let cells = columns.iter().zip(&row.children);
            let cells = cells.filter_map(|(column, cell)| Some(((*column)?, squeezed(&cell.text())))).collect();
            rows.push(Row { cells, path: format!("{path}/tbody[{body_at}]/tr[{at}]") });
        }
    }
}

/// Whether the heading of a column says that there is a dose.
pub(super) fn is_dose(heading: &str) -> bool {
    column_of(heading) == Some(Column::Dose)
}

/// Whether the heading of a column says that there is a reaction.
pub(super) fn is_reaction(heading: &str) -> bool {
    column_of(heading) == Some(Column::Reaction)
}

fn column_of(heading: &str) -> Option<Column> {
    let heading = heading.to_lowercase();
    COLUMNS.iter().find(|(word, _)| heading.contains(word)).map(|(_, column)| *column)
}
