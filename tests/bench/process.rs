//! What the system tells about processes.

use std::fs;
use std::path::Path;

use crate::Result;

const TICKS_A_SECOND: f64 = 100.0;

/// User and system seconds of a process, those of its ended children left out.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name in brackets, which may hold anything.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / TICKS_A_SECOND)
}

/// Seconds in which the processors of the machine did anything, for whomever.
pub fn busy_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let mut busy = 0.0;
    for (place, field) in line.split_whitespace().skip(1).enumerate() {
        // Idle and waiting for disks; behind the eighth stands time that is counted already.
        if place != 3 && place != 4 && place < 8 {
            busy += field.parse::<f64>()?;
        }
    }
    Ok(busy / TICKS_A_SECOND)
}

/// The most memory that was ever resident, MiB.
pub fn peak_memory_mib(pid: u32) -> Result<f64> {
    memory_mib(pid, "VmHWM")
}

/// The memory that is resident now, MiB.
pub fn resident_memory_mib(pid: u32) -> Result<f64> {
    memory_mib(pid, "VmRSS")
}

/// The processes that a process has started and that have not ended.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// Files, sockets and the like that a process has open.
pub fn open_files(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// Bytes of the files below a folder whose names are wanted. What vanishes meanwhile counts nothing.
pub fn bytes_in(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut bytes = 0;
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            bytes += bytes_in(&entry.path(), wanted);
        } else if wanted(&entry.file_name().to_string_lossy()) {
            bytes += metadata.len();
        }
    }
    bytes
}

/// A line of the process's status in MiB.
fn memory_mib(pid: u32, name: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|l| l.starts_with(name)).and_then(|l| l.split_whitespace().nth(1));
    Ok(line.ok_or_else(|| format!("the system tells no {name} of process {pid}"))?.parse::<f64>()? / 1024.0)
}
