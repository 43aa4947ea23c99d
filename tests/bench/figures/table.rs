//! Rows of figures: for readers in columns, for programs as CSV.

use std::path::Path;

use crate::Result;

/// Columns with names, and rows of figures.
#[derive(Debug, Default)]
pub struct Table {
    names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Table {
    pub fn of(names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// As many figures as there are columns.
    pub fn add(&mut self, row: &[f64]) {
        debug_assert_eq!(row.len(), self.names.len());
        self.rows.push(row.to_vec());
    }

    pub fn print(&self) {
        let width = |place: usize| {
            let figures = self.rows.iter().map(|row| short(row[place]).len());
            figures.chain([self.names[place].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.names.len()).map(width).collect();
        let line = |cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            println!("  {}", cells.join("  "));
        };
        line(self.names.clone());
        for row in &self.rows {
            line(row.iter().map(|figure| short(*figure)).collect());
        }
    }

    /// A list of rows, each by the names of the columns.
    pub fn to_json(&self) -> serde_json::Value {
        let row = |row: &Vec<f64>| -> serde_json::Map<String, serde_json::Value> {
            self.names.iter().cloned().zip(row.iter().map(|figure| (*figure).into())).collect()
        };
        self.rows.iter().map(row).collect()
    }

    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut csv = csv::Writer::from_path(path)?;
        csv.write_record(&self.names)?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|figure| format!("{figure:.4}")))?;
        }
        Ok(csv.flush()?)
    }
}

/// Three or four figures that count.
pub fn short(figure: f64) -> String {
    match figure.abs() {
        f if f >= 100.0 || f == 0.0 => format!("{figure:.0}"),
        f if f >= 10.0 => format!("{figure:.1}"),
        f if f >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    }
}
