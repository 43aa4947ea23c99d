//! Practices with their patients and what PDS knows of them, and what changes over a day.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use concord_connectors::synthetic::{SyntheticPractice, SyntheticSettings};
use concord_schemas::list_reconciliation::JobCounts;

use crate::Result;
use crate::program::Program;

/// Practices whose PDS records are in one file on their way to the broker.
const PRACTICES_OF_A_FILE: u64 = 25;
/// What changes is as of another seed: another person with the same NHS number.
const SEED: u64 = 1;
const SEED_OF_CHANGES: u64 = 2;
/// One patient in so many changes over a day.
const CHANGES_ONE_IN: u64 = 100;

/// Practices of the same size.
#[derive(Debug, Clone, Copy)]
pub struct Practices {
    pub count: u64,
    /// Of each.
    pub patients: u64,
    /// When their extracts are processed.
    pub now: jiff::Timestamp,
}

impl Practices {
    /// Publishes what PDS knows of everyone, in pieces, so that never more than a piece is on the disk.
    pub fn publish_pds(&self, program: &Program, folder: &Path) -> Result<()> {
        self.publish_pieces(program, folder, |number, feed| {
            for line in self.practice(number, SEED)?.pds() {
                feed.write_all(line.as_bytes())?;
            }
            Ok(())
        })
    }

    /// Publishes what has changed on PDS after a day.
    pub fn publish_pds_changes(&self, program: &Program, folder: &Path) -> Result<()> {
        self.publish_pieces(program, folder, |number, feed| {
            for place in self.changed(number)? {
                for line in self.patient(number, place, SEED_OF_CHANGES)?.pds() {
                    feed.write_all(line.as_bytes())?;
                }
            }
            Ok(())
        })
    }

    fn publish_pieces(
        &self,
        program: &Program,
        folder: &Path,
        write: impl Fn(u64, &mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        let path = folder.join("pds.ndjson");
        let mut number = 0;
        while number < self.count {
            let mut feed = BufWriter::new(fs::File::create(&path)?);
            for _ in 0..PRACTICES_OF_A_FILE.min(self.count - number) {
                write(number, &mut feed)?;
                number += 1;
            }
            feed.flush()?;
            drop(feed);
            program.produce("pds", std::slice::from_ref(&path))?;
        }
        Ok(fs::remove_file(&path)?)
    }

    /// Writes the extract of each practice.
    pub fn write_extracts(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        self.write_files(folder, |practice, _, file| {
            for piece in practice.extract() {
                file.write_all(piece.as_bytes())?;
            }
            Ok(())
        })
    }

    /// Writes the extracts of the day after: whole lists again, in which some patients have changed.
    pub fn write_changed_extracts(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        self.write_files(folder, |practice, number, file| {
            let changed = self.changed(number)?;
            let later = self.practice(number, SEED_OF_CHANGES)?;
            // Before the patients stands the header, the same in both.
            let places = std::iter::once(None).chain((0..self.patients).map(Some));
            for ((before, after), place) in practice.extract().zip(later.extract()).zip(places) {
                let is_changed = place.is_some_and(|place| changed.binary_search(&place).is_ok());
                file.write_all(if is_changed { after.as_bytes() } else { before.as_bytes() })?;
            }
            Ok(())
        })
    }

    fn write_files(
        &self,
        folder: &Path,
        write: impl Fn(&SyntheticPractice, u64, &mut dyn Write) -> Result<()>,
    ) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for number in 0..self.count {
            let practice = self.practice(number, SEED)?;
            let path = folder.join(practice.extract_file_name());
            let mut file = BufWriter::new(fs::File::create(&path)?);
            write(&practice, number, &mut file)?;
            file.flush()?;
            files.push(path);
        }
        Ok(files)
    }

    /// What all jobs together must count.
    pub fn truth(&self) -> Result<JobCounts> {
        let mut sum = JobCounts::default();
        for number in 0..self.count {
            add(&mut sum, &self.practice(number, SEED)?.truth().counts, 1);
        }
        Ok(sum)
    }

    /// The same after a day, from what it was before.
    pub fn truth_of_changes(&self, before: &JobCounts) -> Result<JobCounts> {
        let mut sum = *before;
        for number in 0..self.count {
            for place in self.changed(number)? {
                add(&mut sum, &self.patient(number, place, SEED)?.truth().counts, -1);
                add(&mut sum, &self.patient(number, place, SEED_OF_CHANGES)?.truth().counts, 1);
            }
        }
        Ok(sum)
    }

    /// The places in the extract of a practice of those who change, in order. Not of those who would become unknown to
    /// PDS, of whom its answers say nothing.
    fn changed(&self, number: u64) -> Result<Vec<u64>> {
        let mut changed = Vec::new();
        for place in (0..self.patients).skip(CHANGES_ONE_IN as usize / 2).step_by(CHANGES_ONE_IN as usize) {
            if self.patient(number, place, SEED_OF_CHANGES)?.truth().counts.unmatched == 0 {
                changed.push(place);
            }
        }
        Ok(changed)
    }

    fn practice(&self, number: u64, seed: u64) -> Result<SyntheticPractice> {
        let practice = |first_person| {
            SyntheticPractice::generate(SyntheticSettings {
                practice: format!("Y{:05}", number + 1),
                patients: self.patients,
                seed,
                first_person,
                now: self.now,
            })
        };
        let people = practice(0)?.people();
        Ok(practice(number * people)?)
    }

    /// One patient as a practice of its own.
    fn patient(&self, number: u64, place: u64, seed: u64) -> Result<SyntheticPractice> {
        let people = self.practice(number, seed)?.people();
        Ok(SyntheticPractice::generate(SyntheticSettings {
            practice: format!("Y{:05}", number + 1),
            patients: 1,
            seed,
            first_person: number * people + place,
            now: self.now,
        })?)
    }
}

/// Adds, or takes away.
pub fn add(sum: &mut JobCounts, counts: &JobCounts, sign: i64) {
    sum.records += sign * counts.records;
    sum.matched += sign * counts.matched;
    sum.partnership_mismatch += sign * counts.partnership_mismatch;
    sum.deducted += sign * counts.deducted;
    sum.unmatched += sign * counts.unmatched;
    sum.sensitive += sign * counts.sensitive;
    sum.only_on_gp += sign * counts.only_on_gp;
    sum.only_on_pds += sign * counts.only_on_pds;
    sum.differences += sign * counts.differences;
    sum.patients_with_differences += sign * counts.patients_with_differences;
    sum.work_items += sign * counts.work_items;
    sum.duplicates += sign * counts.duplicates;
    sum.pds_updates += sign * counts.pds_updates;
    sum.gp_updates += sign * counts.gp_updates;
    sum.validations += sign * counts.validations;
    sum.lookup_failed += sign * counts.lookup_failed;
}
