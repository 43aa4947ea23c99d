//! The samples of a soak: their table, their picture, and whether a quantity grows.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::figures::chart::{Chart, Form, Panel, Series};
use crate::figures::line::Line;
use crate::figures::table::{Table, short};

/// Share of the time that does not count: until most senders were heard of, and the memory that the budget allows is in use.
const WARM_UP: f64 = 0.4;

/// The first instance at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub minutes: f64,
    /// Instances that are there.
    pub members: f64,
    pub resident_mib: f64,
    pub open_files: f64,
    pub state_mib: f64,
    pub changelog_mib: f64,
    pub commit_p99_ms: f64,
    /// Records published and not committed.
    pub behind: f64,
}

struct Quantity {
    name: &'static str,
    of: fn(&Sample) -> f64,
}

const QUANTITIES: [Quantity; 6] = [
    Quantity { name: "resident memory, MiB", of: |s| s.resident_mib },
    Quantity { name: "open files", of: |s| s.open_files },
    Quantity { name: "state on disk, MiB", of: |s| s.state_mib },
    Quantity { name: "changelogs on the broker, MiB", of: |s| s.changelog_mib },
    Quantity { name: "commit p99, ms", of: |s| s.commit_p99_ms },
    Quantity { name: "records behind", of: |s| s.behind },
];

/// See the module.
pub struct Samples {
    pub lasts: Duration,
    /// Between a join and a leave.
    pub turn: Duration,
    all: Vec<Sample>,
}

/// How a quantity went on behind the warm-up.
struct Course {
    least: f64,
    mean: f64,
    greatest: f64,
    /// In an hour, by the means of whole turns; none when there are fewer than three.
    trend: Option<Line>,
}

impl Samples {
    pub fn new(lasts: Duration, turn: Duration) -> Self {
        Self { lasts, turn, all: Vec::new() }
    }

    pub fn add(&mut self, sample: Sample) {
        self.all.push(sample);
    }

    /// Minutes that do not count: to the end of a whole turn of joining and leaving.
    fn warm_up(&self) -> f64 {
        let whole_turn = 2.0 * self.turn.as_secs_f64() / 60.0;
        (self.lasts.as_secs_f64() / 60.0 * WARM_UP / whole_turn).ceil() * whole_turn
    }

    fn course(&self, of: fn(&Sample) -> f64) -> Option<Course> {
        let whole_turn = 2.0 * self.turn.as_secs_f64() / 60.0;
        let warm_up = self.warm_up();
        let counted: Vec<&Sample> = self.all.iter().filter(|s| s.minutes > warm_up).collect();
        if counted.is_empty() {
            return None;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let values: Vec<f64> = counted.iter().map(|s| of(s)).collect();
        let turns = ((self.lasts.as_secs_f64() / 60.0 - warm_up) / whole_turn) as u32;
        let mut points = Vec::new();
        for turn in 0..turns {
            let from = warm_up + f64::from(turn) * whole_turn;
            let within = counted.iter().filter(|s| s.minutes > from && s.minutes <= from + whole_turn);
            let values: Vec<f64> = within.map(|s| of(s)).collect();
            if !values.is_empty() {
                points.push(((from + whole_turn / 2.0) / 60.0, mean(&values)));
            }
        }
        let trend = Line::through(&points).filter(|line| line.slope_error.is_some());
        Some(Course {
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            mean: mean(&values),
            greatest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            trend,
        })
    }

    pub fn print(&self) {
        println!(
            "behind the warm-up of {:.1} minutes: least, mean, greatest; slope an hour with its standard error",
            self.warm_up()
        );
        for quantity in &QUANTITIES {
            let Some(course) = self.course(quantity.of) else {
                println!("  {:<30} too short a run", quantity.name);
                continue;
            };
            let trend = match course.trend {
                None => "too short for a slope".to_owned(),
                Some(line) => {
                    let error = line.slope_error.unwrap_or_default();
                    let verdict = if line.slope.abs() <= 2.0 * error { "within the noise" } else { "beyond the noise" };
                    format!("{} +- {} an hour, {verdict}", short(line.slope), short(error))
                }
            };
            let (least, mean, greatest) = (short(course.least), short(course.mean), short(course.greatest));
            println!("  {:<30} {least:>8} {mean:>8} {greatest:>8}   {trend}", quantity.name);
        }
    }

    pub fn write_csv(&self, path: &Path) -> Result<()> {
        let mut names = vec!["minutes", "members"];
        names.extend(QUANTITIES.map(|quantity| quantity.name));
        let mut table = Table::of(&names);
        for sample in &self.all {
            let mut row = vec![sample.minutes, sample.members];
            row.extend(QUANTITIES.map(|quantity| (quantity.of)(sample)));
            table.add(&row);
        }
        table.write_csv(path)
    }

    pub fn picture(&self, budget_mib: usize) -> Chart {
        let panels = QUANTITIES.iter().map(|quantity| {
            let points = self.all.iter().map(|sample| (sample.minutes, (quantity.of)(sample))).collect();
            let series = vec![Series { name: quantity.name.to_owned(), points, form: Form::Line }];
            Panel { title: quantity.name.to_owned(), series }
        });
        Chart {
            title: format!("The first instance, budget {budget_mib} MiB; shaded: two instances"),
            x_title: "minutes".to_owned(),
            panels: panels.collect(),
            bands: self.with_two(),
        }
    }

    /// When there were two instances, from and to.
    fn with_two(&self) -> Vec<(f64, f64)> {
        let mut bands: Vec<(f64, f64)> = Vec::new();
        let mut before = 0.0;
        for sample in &self.all {
            if sample.members > 1.0 {
                match bands.last_mut() {
                    Some(band) if band.1 == before => band.1 = sample.minutes,
                    _ => bands.push((before, sample.minutes)),
                }
            }
            before = sample.minutes;
        }
        bands
    }

    pub fn to_json(&self) -> Value {
        let mut figures = serde_json::Map::new();
        for quantity in &QUANTITIES {
            let course = self.course(quantity.of).map(|course| {
                json!({
                    "least": course.least, "mean": course.mean, "greatest": course.greatest,
                    "slope_an_hour": course.trend.map(|line| line.slope),
                    "slope_error": course.trend.and_then(|line| line.slope_error),
                })
            });
            figures.insert(quantity.name.to_owned(), json!(course));
        }
        Value::Object(figures)
    }
}
