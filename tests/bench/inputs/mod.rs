//! The inputs of the comparison, and what a right program makes of them: the generator knows, since it put it there.

pub mod feed;
pub mod random;
pub mod values;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use concord_engine::value::Value;
use concord_schemas::Schemas;
use concord_schemas::codec::Encoder;

use crate::Result;
use random::Random;
use values::{
    Difference, Finding, FindingKind, Findings, Message, MessageKind, Messages, Outcome, Outcomes, Person, Persons,
    Status,
};

/// Number and content of records, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Content {
    pub records: u64,
    hash: u64,
}

impl Content {
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.records += 1;
        self.hash = self.hash.wrapping_add(hash(key).rotate_left(32) ^ hash(value));
    }

    pub fn plus(self, other: Self) -> Self {
        Self { records: self.records + other.records, hash: self.hash.wrapping_add(other.hash) }
    }
}

/// Fast, and good enough to tell contents apart that nobody made to collide.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9fb2_1c65_1e98_df25;
    let mut state = bytes.len() as u64 ^ 0x2545_f491_4f6c_dd1d;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
    }
    for byte in tail {
        state = (state ^ u64::from(*byte)).wrapping_mul(FACTOR).rotate_left(29);
    }
    state ^ (state >> 32)
}

/// A record to be published; the buffers are used again for the next.
#[derive(Default)]
pub struct Made {
    pub key: String,
    pub value: Vec<u8>,
}

/// How the senders of W0 and W1 share the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    /// 1,000 senders, each as busy as another.
    Uniform,
    /// 100,000 senders, the i-th in proportion to `i^-0.99`.
    Zipf,
}

const ZIPF_EXPONENT: f64 = 0.99;
/// Share of a sender's numbers that do not come when they should.
const SKIPPED: f64 = 0.01;
/// Share of those that come later.
const COMES_LATER: f64 = 0.5;
/// Messages of the sender after which they have come at the latest.
const LATEST: u64 = 20;

/// Messages in the order of their numbers, but for those left out: an endless source.
pub struct MessageSource {
    random: Random,
    /// Cumulative shares, or none when all are the same.
    shares: Vec<f64>,
    senders: Vec<Sender>,
    late: HashMap<usize, BinaryHeap<Reverse<(u64, i32)>>>,
    encoder: Encoder,
    payload: String,
    expected: Vec<u8>,
    /// What W0 writes, which is what it reads.
    pub copies: Content,
    /// What W1 finds.
    pub findings: Content,
    /// The gaps among them.
    pub gaps: Content,
}

#[derive(Default, Clone)]
struct Sender {
    sent: u64,
    highest: i32,
}

impl MessageSource {
    pub fn new(senders: Senders, seed: u64) -> Self {
        let (count, shares) = match senders {
            Senders::Uniform => (1_000, Vec::new()),
            Senders::Zipf => {
                let mut sum = 0.0;
                let mut shares: Vec<f64> = (1..=100_000)
                    .map(|rank| {
                        sum += f64::from(rank).powf(-ZIPF_EXPONENT);
                        sum
                    })
                    .collect();
                for share in &mut shares {
                    *share /= sum;
                }
                (100_000, shares)
            }
        };
        Self {
            random: Random::seeded(seed),
            shares,
            senders: vec![Sender::default(); count],
            late: HashMap::new(),
            encoder: Schemas::bundled().encoder(),
            payload: String::new(),
            expected: Vec::new(),
            copies: Content::default(),
            findings: Content::default(),
            gaps: Content::default(),
        }
    }

    pub fn next(&mut self, at: i64, made: &mut Made) -> Result<()> {
        let number = if self.shares.is_empty() {
            self.random.below(self.senders.len() as u64) as usize
        } else {
            let place = self.random.share();
            self.shares.partition_point(|share| *share <= place).min(self.senders.len() - 1)
        };
        made.key.clear();
        // Scattered, so that busy senders are not neighbours in a store.
        std::fmt::Write::write_fmt(&mut made.key, format_args!("SENDER-{:08}", (number as u64 * 48_271) % 99_999_989))?;
        let sender = &mut self.senders[number];
        sender.sent += 1;
        let mut found = None;
        let late = self.late.get_mut(&number).and_then(|late| {
            let due = matches!(late.peek(), Some(Reverse((when, _))) if *when <= sender.sent);
            if due { late.pop() } else { None }
        });
        let sequence = match late {
            Some(Reverse((_, missing))) => {
                found = Some((FindingKind::Resolved, missing));
                missing
            }
            None => {
                sender.highest += 1;
                if sender.highest > 1 && self.random.share() < SKIPPED {
                    let skipped = sender.highest;
                    sender.highest += 1;
                    found = Some((FindingKind::Gap, skipped));
                    if self.random.share() < COMES_LATER {
                        let when = sender.sent + 1 + self.random.below(LATEST);
                        self.late.entry(number).or_default().push(Reverse((when, skipped)));
                    }
                }
                sender.highest
            }
        };
        let kinds = [MessageKind::Admission, MessageKind::Transfer, MessageKind::Discharge, MessageKind::Result];
        let kind = kinds[self.random.below(4) as usize];
        let length = 140 + self.random.below(41) as usize;
        self.payload.clear();
        self.random.letters(length, &mut self.payload);
        let message = Message { sender: &made.key, sequence, kind, at, payload: &self.payload };
        made.value.clear();
        self.encoder.encode(Messages::schema(), &message, &mut made.value)?;
        self.copies.add(made.key.as_bytes(), &made.value);
        if let Some((kind, number)) = found {
            let finding = Finding { sender: &made.key, kind, first: number, last: number, at };
            self.expected.clear();
            self.encoder.encode(Findings::schema(), &finding, &mut self.expected)?;
            self.findings.add(made.key.as_bytes(), &self.expected);
            if kind == FindingKind::Gap {
                self.gaps.add(made.key.as_bytes(), &self.expected);
            }
        }
        Ok(())
    }
}

/// The persons of W2. Person `i` is the same in the reference and in the extract, unless the extract changes it.
pub struct PersonSource {
    seed: u64,
    persons: u64,
    encoder: Encoder,
    texts: [String; 13],
    changed: [String; 13],
    expected: Vec<u8>,
    /// What was made.
    pub copies: Content,
    /// What W2 writes for the extract made so far.
    pub findings: Content,
}

const MISSING: f64 = 0.02;
const DIFFERENT: f64 = 0.03;

impl PersonSource {
    pub fn new(persons: u64, seed: u64) -> Self {
        Self {
            seed,
            persons,
            encoder: Schemas::bundled().encoder(),
            texts: Default::default(),
            changed: Default::default(),
            expected: Vec::new(),
            copies: Content::default(),
            findings: Content::default(),
        }
    }

    /// The `i`-th record of the reference, `i` below the number of persons.
    pub fn reference(&mut self, i: u64, made: &mut Made) -> Result<()> {
        self.person(i);
        write(&self.texts, &mut self.encoder, made)?;
        self.copies.add(made.key.as_bytes(), &made.value);
        Ok(())
    }

    /// The same person with a longer address, so that the record has about as many bytes; never shorter than it is.
    pub fn reference_of_size(&mut self, i: u64, bytes: usize, made: &mut Made) -> Result<()> {
        const ADDRESS_5: usize = 10;
        self.person(i);
        let so_far: usize = self.texts.iter().map(String::len).sum();
        let mut random = Random::seeded(self.seed ^ i);
        random.letters(bytes.saturating_sub(so_far), &mut self.texts[ADDRESS_5]);
        write(&self.texts, &mut self.encoder, made)
    }

    /// The `j`-th record of the extract, in another order than the reference.
    pub fn extract(&mut self, j: u64, at: i64, made: &mut Made) -> Result<()> {
        let mut random = Random::seeded(self.seed ^ (j + 1).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let luck = random.share();
        let missing = luck < MISSING;
        // Behind the persons of the reference are those that it lacks.
        let i = if missing { self.persons + j } else { (j * 7_368_787 + 11) % self.persons };
        self.person(i);
        self.changed.clone_from(&self.texts);
        let mut differences = Vec::new();
        if !missing && luck < MISSING + DIFFERENT {
            for _ in 0..=random.below(3) {
                let field = 1 + random.below(12) as usize;
                self.changed[field].push('X');
            }
            for (field, (reference, extract)) in self.texts.iter().zip(&self.changed).enumerate() {
                if reference != extract {
                    differences.push(Difference { field: Person::FIELDS[field], reference, extract });
                }
            }
        }
        write(&self.changed, &mut self.encoder, made)?;
        self.copies.add(made.key.as_bytes(), &made.value);
        if missing || !differences.is_empty() {
            let status = if missing { Status::Missing } else { Status::Different };
            let outcome = Outcome { nhs_number: &made.key, status, at, differences };
            self.expected.clear();
            self.encoder.encode(Outcomes::schema(), &outcome, &mut self.expected)?;
            self.findings.add(made.key.as_bytes(), &self.expected);
        }
        Ok(())
    }

    /// A record of a person whom neither list has, so that it is found missing.
    pub fn probe(&mut self, number: u64, made: &mut Made) -> Result<()> {
        self.person(4 * self.persons + number);
        write(&self.texts, &mut self.encoder, made)
    }

    fn person(&mut self, i: u64) {
        const SURNAMES: [&str; 12] = [
            "ABARA",
            "BELL",
            "CHOWDHURY",
            "DUNN",
            "EASTWOOD",
            "FORD",
            "GILL",
            "HUSSAIN",
            "IQBAL",
            "KAUR",
            "LOWE",
            "OKAFOR",
        ];
        const FORENAMES: [&str; 10] =
            ["AISHA", "BEN", "CERYS", "DAVID", "EMILY", "FATIMA", "GRACE", "HAMZA", "IMOGEN", "JACK"];
        const TOWNS: [&str; 8] = ["BRISTOL", "CARLISLE", "DERBY", "EXETER", "LINCOLN", "NORWICH", "PRESTON", "WIGAN"];
        let mut random = Random::seeded(self.seed.wrapping_add((i + 1).wrapping_mul(0xa076_1d64_78bd_642f)));
        for text in &mut self.texts {
            text.clear();
        }
        let [number, surname, forenames, title, sex, born, a1, a2, a3, a4, a5, postcode, practice] = &mut self.texts;
        // Numbers that begin with 999 are never given to anybody. The multiplication scatters them.
        number.push_str(&(9_990_000_000 + i * 7_654_321 % 9_999_991).to_string());
        surname.push_str(random.one_of(&SURNAMES));
        surname.push('-');
        random.letters(6, surname);
        forenames.push_str(random.one_of(&FORENAMES));
        forenames.push(' ');
        forenames.push_str(random.one_of(&FORENAMES));
        title.push_str(random.one_of(&["MR", "MRS", "MS", "MISS", "DR"]));
        sex.push_str(random.one_of(&["0", "1", "2", "9"]));
        let (year, month, day) = (1930 + random.below(90), 1 + random.below(12), 1 + random.below(28));
        born.push_str(&format!("{year}{month:02}{day:02}"));
        a1.push_str("FLAT ");
        random.letters(24, a1);
        random.letters(26, a2);
        a2.push_str(" STREET");
        random.letters(22, a3);
        a4.push_str(random.one_of(&TOWNS));
        a5.push_str("COUNTY OF ");
        random.letters(24, a5);
        postcode.push_str("ZZ1 ");
        random.letters(3, postcode);
        practice.push_str(&format!("Y{:05}", random.below(6_500)));
    }
}

fn write(texts: &[String; 13], encoder: &mut Encoder, made: &mut Made) -> Result<()> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m] = texts;
    let person = Person {
        nhs_number: a,
        surname: b,
        forenames: c,
        title: d,
        sex: e,
        date_of_birth: f,
        address1: g,
        address2: h,
        address3: i,
        address4: j,
        address5: k,
        postcode: l,
        practice: m,
    };
    made.key.clear();
    made.key.push_str(a);
    made.value.clear();
    encoder.encode(Persons::schema(), &person, &mut made.value)?;
    Ok(())
}
