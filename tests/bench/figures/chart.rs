//! Pictures of measurements: panels below one another, with one axis of x for all.

use std::path::Path;

use plotters::prelude::*;

use super::line::Line;
use crate::Result;

const WIDTH: u32 = 900;
const PANEL_HEIGHT: u32 = 190;
const TITLE_HEIGHT: u32 = 36;
const COLOURS: [RGBColor; 3] = [RGBColor(0, 90, 160), RGBColor(200, 80, 0), RGBColor(40, 130, 60)];
const BAND: RGBColor = RGBColor(225, 225, 225);

/// One quantity, or several of one unit.
pub struct Panel {
    /// With its unit.
    pub title: String,
    pub series: Vec<Series>,
}

pub struct Series {
    /// Shown where a panel has several.
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Line,
    /// With the straight line through them, by least squares.
    Points,
}

/// A picture of panels.
pub struct Chart {
    pub title: String,
    pub x_title: String,
    pub panels: Vec<Panel>,
    /// Stretches of x that are shaded.
    pub bands: Vec<(f64, f64)>,
}

impl Chart {
    pub fn write_svg(&self, path: &Path) -> Result<()> {
        let height = TITLE_HEIGHT + PANEL_HEIGHT * self.panels.len() as u32;
        let page = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
        page.fill(&WHITE)?;
        let page = page.titled(&self.title, ("sans-serif", 20))?;
        for (panel, area) in self.panels.iter().zip(page.split_evenly((self.panels.len(), 1))) {
            self.draw(panel, &area)?;
        }
        page.present()?;
        Ok(())
    }

    fn draw(&self, panel: &Panel, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<()> {
        let points = || self.panels.iter().flat_map(|p| &p.series).flat_map(|s| &s.points);
        let least_x = points().map(|p| p.0).fold(f64::INFINITY, f64::min).min(0.0);
        let greatest_x = points().map(|p| p.0).fold(least_x, f64::max);
        let greatest_y = panel.series.iter().flat_map(|s| &s.points).map(|p| p.1).fold(0.0, f64::max);
        // Room above the highest point; an axis needs some length even where all is nothing.
        let top = if greatest_y > 0.0 { greatest_y * 1.12 } else { 1.0 };
        let right = if greatest_x > least_x { greatest_x * 1.02 } else { least_x + 1.0 };
        let mut chart = ChartBuilder::on(area)
            .caption(&panel.title, ("sans-serif", 14))
            .margin(6)
            .margin_right(16)
            .x_label_area_size(34)
            .y_label_area_size(70)
            .build_cartesian_2d(least_x..right, 0.0..top)?;
        chart.draw_series(
            self.bands.iter().map(|(from, to)| Rectangle::new([(*from, 0.0), (*to, top)], BAND.filled())),
        )?;
        chart
            .configure_mesh()
            .light_line_style(WHITE.mix(0.0))
            .x_desc(&self.x_title)
            .x_label_formatter(&|x| tick(*x))
            .y_label_formatter(&|y| tick(*y))
            .y_labels(6)
            .draw()?;
        for (series, colour) in panel.series.iter().zip(COLOURS.iter().cycle()) {
            let drawn = match series.form {
                Form::Line => chart.draw_series(LineSeries::new(series.points.iter().copied(), colour))?,
                Form::Points => {
                    let ends = [series.points.first(), series.points.last()].into_iter().flatten();
                    if let Some(line) = Line::through(&series.points) {
                        chart.draw_series(LineSeries::new(ends.map(|end| (end.0, line.at(end.0))), colour))?;
                    }
                    chart.draw_series(series.points.iter().map(|point| Circle::new(*point, 4, colour.filled())))?
                }
            };
            if panel.series.len() > 1 {
                let colour = *colour;
                drawn
                    .label(&series.name)
                    .legend(move |(x, y)| Rectangle::new([(x, y - 2), (x + 14, y + 2)], colour.filled()));
            }
        }
        if panel.series.len() > 1 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE.mix(0.8))
                .draw()?;
        }
        Ok(())
    }
}

/// A figure on an axis.
fn tick(figure: f64) -> String {
    let text = format!("{figure:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
