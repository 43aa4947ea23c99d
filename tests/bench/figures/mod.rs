//! What is made of measurements: spreads, straight lines, tables and pictures.

pub mod chart;
pub mod line;
pub mod spread;
pub mod table;
