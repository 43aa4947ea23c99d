//! Whom a job has named so far: a set in memory, and durable in blocks.
//!
//! One entry for each patient would cost the flow more than comparing the patient does, and as much again to forget it.
//! So NHS numbers are stored in blocks. The block under way is written again with each number; since the engine keeps
//! the last value of a key, each commit writes it once.

use std::collections::HashMap;

use bytes::Bytes;
use concord_engine::topology::StoreHandle;
use concord_engine::{Context, ProcessError};
use hashbrown::HashSet;

use super::ids;

/// Numbers in a full block: small enough that writing the block again with each number costs little.
const BLOCK: usize = 32;

/// The patients of one job on one task.
#[derive(Default)]
pub(super) struct NamedPatients {
    /// NHS numbers of ten digits.
    numbers: HashSet<u64>,
    /// Older forms.
    others: HashSet<String>,
    /// How often those that came again had been named before.
    repeated: HashMap<String, u32>,
    /// Number of the block under way, and what it holds: NHS numbers, each with a line end.
    block: u32,
    content: Vec<u8>,
    in_block: usize,
}

impl NamedPatients {
    /// Reads what is stored of a job.
    pub fn load(ctx: &Context<'_>, store: StoreHandle<()>, job_id: &str) -> Result<Self, ProcessError> {
        let mut named = Self::default();
        let mut blocks: Vec<Vec<u8>> = Vec::new();
        ctx.scan_prefix(store, ids::member_key(job_id, "").as_bytes(), &mut |_, block| {
            blocks.push(block.to_vec());
            true
        })?;
        for content in blocks {
            named.begin_block_if_full();
            for number in content.split(|byte| *byte == b'\n').filter(|number| !number.is_empty()) {
                named.remember(&String::from_utf8_lossy(number));
            }
        }
        Ok(named)
    }

    /// Adds a patient; answers how often the job had named it before.
    pub fn add(
        &mut self,
        ctx: &mut Context<'_>,
        store: StoreHandle<()>,
        job_id: &str,
        nhs: &str,
    ) -> Result<u32, ProcessError> {
        self.begin_block_if_full();
        let earlier = self.remember(nhs);
        let key = ids::member_key(job_id, &format!("{:08}", self.block));
        ctx.put_bytes(store, key.as_bytes(), Bytes::copy_from_slice(&self.content))?;
        Ok(earlier)
    }

    /// Whether the job has named this patient.
    pub fn contains(&self, nhs: &str) -> bool {
        match ten_digits(nhs) {
            Some(number) => self.numbers.contains(&number),
            None => self.others.contains(nhs),
        }
    }

    /// Removes what is stored of a job.
    pub fn forget(ctx: &mut Context<'_>, store: StoreHandle<()>, job_id: &str) -> Result<(), ProcessError> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        ctx.scan_prefix(store, ids::member_key(job_id, "").as_bytes(), &mut |key, _| {
            keys.push(key.to_vec());
            true
        })?;
        for key in keys {
            ctx.delete(store, &key)?;
        }
        Ok(())
    }

    fn begin_block_if_full(&mut self) {
        if self.in_block == BLOCK {
            self.block += 1;
            self.content.clear();
            self.in_block = 0;
        }
    }

    fn remember(&mut self, nhs: &str) -> u32 {
        self.content.extend_from_slice(nhs.as_bytes());
        self.content.push(b'\n');
        self.in_block += 1;
        let is_new = match ten_digits(nhs) {
            Some(number) => self.numbers.insert(number),
            None => self.others.insert(nhs.to_string()),
        };
        if is_new {
            return 0;
        }
        let earlier = self.repeated.entry(nhs.to_string()).or_insert(0);
        *earlier += 1;
        *earlier
    }
}

fn ten_digits(nhs: &str) -> Option<u64> {
    if nhs.len() == 10 && nhs.bytes().all(|byte| byte.is_ascii_digit()) { nhs.parse().ok() } else { None }
}
