//! The broker: its process, its files, its topics, and a slow way to it.

pub mod slow;
pub mod topics;

use std::path::{Path, PathBuf};

use crate::Result;

/// The broker that the script has started.
pub struct Broker {
    pub bootstrap: String,
    pub pid: u32,
    /// Folder of its topics.
    pub data: PathBuf,
}

impl Broker {
    /// `folder` is its run folder.
    pub fn of_run(folder: &Path) -> Result<Self> {
        Ok(Self {
            bootstrap: variable("KAFKA_BOOTSTRAP")?,
            pid: std::fs::read_to_string(folder.join("kafka/pid"))?.trim().parse()?,
            data: folder.join("kafka/data"),
        })
    }

    /// Bytes on its disk of the topics of which `wanted` is true.
    pub fn bytes_on_disk(&self, wanted: impl Fn(&str) -> bool) -> Result<u64> {
        let mut bytes = 0;
        for folder in std::fs::read_dir(&self.data)? {
            let folder = folder?;
            let name = folder.file_name().to_string_lossy().into_owned();
            let Some((topic, _)) = name.rsplit_once('-') else { continue };
            if wanted(topic) {
                bytes += crate::process::bytes_in(&folder.path(), &|file| file.ends_with(".log"));
            }
        }
        Ok(bytes)
    }
}

fn variable(name: &str) -> Result<String> {
    Ok(std::env::var(name).map_err(|_| format!("{name} is not set: scripts/bench.sh sets it"))?)
}
