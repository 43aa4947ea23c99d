//! The metrics of a program, as Prometheus reads them.

use std::io::{Read, Write};
use std::net::TcpStream;

/// One reading of all metrics.
#[derive(Debug, Clone)]
pub struct MetricsPage(String);

impl MetricsPage {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// From `concord run`, listening on `port`; none while it does not answer.
    pub fn of_port(port: u16) -> Option<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut page = String::new();
        stream.read_to_string(&mut page).ok()?;
        Some(Self(page))
    }

    /// Labels and values of a metric.
    pub fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            // Not a metric whose name only begins alike.
            (labels.is_empty() || labels.starts_with('{')).then_some((labels, value.parse().ok()?))
        })
    }

    /// The sum over all labels; 0 for a metric that has not counted yet.
    pub fn sum(&self, name: &str) -> f64 {
        self.series(name).fold(0.0, |sum, (_, value)| sum + value)
    }

    /// The greatest value of those whose labels have `label`, such as `phase="join"`.
    pub fn greatest(&self, name: &str, label: &str) -> Option<f64> {
        self.series(name).filter(|(labels, _)| labels.contains(label)).map(|(_, value)| value).max_by(f64::total_cmp)
    }
}
