//! A straight line through points, by least squares.

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub at_zero: f64,
    pub slope: f64,
    /// Standard error of the slope; none for two points, which every line fits.
    pub slope_error: Option<f64>,
}

impl Line {
    /// None for fewer than two different places.
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let mean_x = points.iter().map(|p| p.0).sum::<f64>() / count;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
        if points.len() < 2 || spread == 0.0 {
            return None;
        }
        let slope = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum::<f64>() / spread;
        let mut line = Self { at_zero: mean_y - slope * mean_x, slope, slope_error: None };
        if points.len() > 2 {
            let left: f64 = points.iter().map(|p| (p.1 - line.at(p.0)).powi(2)).sum();
            line.slope_error = Some((left / (count - 2.0) / spread).sqrt());
        }
        Some(line)
    }

    pub fn at(&self, x: f64) -> f64 {
        self.at_zero + self.slope * x
    }

    /// The greatest distance of a point from the line, as a share of the line's value there.
    pub fn worst_deviation(&self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|p| ((p.1 - self.at(p.0)) / self.at(p.0)).abs()).fold(0.0, f64::max)
    }
}
