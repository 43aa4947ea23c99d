//! What the whole country needs, read off the lines through what was measured: an extrapolation, and marked as one.

use serde_json::{Value, json};

use super::Measured;
use crate::figures::line::Line;

const PATIENTS_OF_ENGLAND: f64 = 62e6;
const PRACTICES_OF_ENGLAND: f64 = 6_500.0;
const MACHINES: f64 = 4.0;

/// A quantity that grows with the patients.
struct Quantity {
    name: &'static str,
    unit: &'static str,
    of: fn(&Measured) -> f64,
}

const QUANTITIES: [Quantity; 8] = [
    Quantity { name: "load PDS", unit: "s", of: |m| m.first.load_s },
    Quantity { name: "reconcile", unit: "s", of: |m| m.first.reconcile_s },
    Quantity { name: "CPU of the program", unit: "s", of: |m| m.first.cpu_s },
    Quantity { name: "state on disk", unit: "MiB", of: |m| m.first.state_mib },
    Quantity { name: "most state on disk", unit: "MiB", of: |m| m.first.state_peak_mib },
    Quantity { name: "topics on disk, one copy", unit: "MiB", of: |m| m.first.topics_mib },
    Quantity { name: "daily: load PDS changes", unit: "s", of: |m| m.daily.load_s },
    Quantity { name: "daily: reconcile", unit: "s", of: |m| m.daily.reconcile_s },
];

/// A quantity with its line.
struct Fitted {
    quantity: &'static Quantity,
    line: Line,
    /// The greatest distance of a measurement from the line, as a share.
    deviation: f64,
    /// Measurements; two lie on every line.
    points: usize,
}

/// See the module.
pub struct Needs(Vec<Fitted>);

impl Needs {
    pub fn from(measured: &[Measured]) -> Self {
        let fitted = QUANTITIES.iter().filter_map(|quantity| {
            let points: Vec<(f64, f64)> =
                measured.iter().map(|m| (m.first.gp_records as f64, (quantity.of)(m))).collect();
            let line = Line::through(&points)?;
            Some(Fitted { quantity, line, deviation: line.worst_deviation(&points), points: points.len() })
        });
        Self(fitted.collect())
    }

    pub fn print(&self, memory_mib: usize) {
        println!("\nstraight lines through that (least squares, by patients)");
        for Fitted { quantity, line, deviation, points } in &self.0 {
            let linear = match points {
                0..=2 => "two measurements lie on every line".to_owned(),
                _ => format!("at most {:.1} % off the line", deviation * 100.0),
            };
            let (name, unit) = (quantity.name, quantity.unit);
            println!(
                "  {name:<26} {:>10.2} {unit} + {:>9.3} {unit} a million; {linear}",
                line.at_zero,
                line.slope * 1e6
            );
        }
        println!(
            "\nEXTRAPOLATED, not measured: {PATIENTS_OF_ENGLAND:.0} patients in {PRACTICES_OF_ENGLAND:.0} practices \
             ({:.0} a practice)",
            PATIENTS_OF_ENGLAND / PRACTICES_OF_ENGLAND
        );
        println!("  {:<26} {:>16} {:>20}", "", "one machine", "four machines, each");
        for fitted in &self.0 {
            let name = fitted.quantity.name;
            let Some((one, four)) = fitted.extrapolated() else {
                println!("  {name:<26} {:>16}", "the sizes are too small to say");
                continue;
            };
            let unit = fitted.quantity.unit;
            println!("  {name:<26} {:>16} {:>20}", amount(one, unit), amount(four, unit));
        }
        println!(
            "  {:<26} {:>16} {:>20}",
            "memory of Concord",
            format!("{memory_mib} MiB"),
            format!("{memory_mib} MiB")
        );
        println!(
            "  One machine: as this one, Concord and the broker on it; the lines hold up to ten times what was measured."
        );
        println!(
            "  Four: each has a quarter of the partitions of every topic, of the state and of the broker's work, and does"
        );
        println!(
            "  it as fast as this one; nothing is slower for the network between them. Every copy of topics beyond one"
        );
        println!("  takes as much disk again. Memory is the budget that was set; it does not grow with the patients.");
        println!(
            "  Time to publish is not in it, but for the extracts, which are published while they are reconciled."
        );
    }

    pub fn to_json(&self) -> Value {
        let mut figures = serde_json::Map::new();
        for fitted in &self.0 {
            let (one, four) = fitted.extrapolated().unzip();
            let name = format!("{} {}", fitted.quantity.name, fitted.quantity.unit);
            figures.insert(
                name,
                json!({"one": one, "four": four, "deviation": fitted.deviation, "measurements": fitted.points}),
            );
        }
        Value::Object(figures)
    }
}

impl Fitted {
    /// On one machine, and on each of four. What a quantity has at zero patients stays on each. None where it did not grow
    /// with the patients: at small sizes it is what a start takes.
    fn extrapolated(&self) -> Option<(f64, f64)> {
        let of = |patients| self.line.at(patients);
        (self.line.slope > 0.0).then(|| (of(PATIENTS_OF_ENGLAND), of(PATIENTS_OF_ENGLAND / MACHINES)))
    }
}

/// In the unit that is read best.
fn amount(figure: f64, unit: &str) -> String {
    match unit {
        "s" if figure >= 3_600.0 => format!("{:.1} h", figure / 3_600.0),
        "s" if figure >= 120.0 => format!("{:.0} min", figure / 60.0),
        "MiB" if (1_024.0..10_240.0).contains(&figure) => format!("{:.1} GiB", figure / 1_024.0),
        "MiB" if figure >= 10_240.0 => format!("{:.0} GiB", figure / 1_024.0),
        _ => format!("{figure:.0} {unit}"),
    }
}
