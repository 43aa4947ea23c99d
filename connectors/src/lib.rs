//! The edges: readers of the files that other systems hand over, a generator of such files, clients of MESH and of a mail
//! server, and the ways between these and the log.

pub mod connect;
mod csv_rows;
mod lines;
pub mod mail;
pub mod mesh;
pub mod next_step;
pub mod nhais_state;
pub mod pds;
pub mod registrations;
pub mod rejected;
pub mod secret;
pub mod synthetic;

#[cfg(test)]
mod test_rows;

pub use concord_schemas::patience;
