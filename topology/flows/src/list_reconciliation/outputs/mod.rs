//! The output files of a reconciliation and the mails about it: names, headers, rows and texts, as their readers know them.
//!
//! Rows are written without their line end, so that they can travel on a topic and be ordered before they become a file.

pub(super) mod csv_row;
mod differences;
mod file_names;
mod json_text;
pub mod mail;
mod only_on_gp;
mod only_on_pds;
mod stored;
mod work_item;

pub use differences::{DIFFERENCES_HEADER, write_differences_row, write_sensitive_row};
pub use file_names::{
    DPS_EXTRACT, differences_file_name, dps_answer_file_name, file_timestamp, only_on_gp_file_name,
    only_on_pds_file_name, work_item_file_name,
};
pub use only_on_gp::{ONLY_ON_GP_HEADER, write_only_on_gp_row};
pub use only_on_pds::{ONLY_ON_PDS_HEADER, write_only_on_pds_row};
pub use work_item::{WorkItem, write_work_item};

/// Ends every row of a CSV output, the last included.
pub const LINE_END: &str = "\n";

#[cfg(test)]
mod fixtures;
