//! The edges: readers of the files that other systems hand over, and a generator of such files.

mod csv_rows;
mod lines;
pub mod pds;
pub mod registrations;
pub mod rejected;
pub mod synthetic;

#[cfg(test)]
mod test_rows;
