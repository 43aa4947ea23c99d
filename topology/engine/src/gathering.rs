//! Parts on their way: gathered until their record is full, the transaction ends, or something else is sent to the same topic.

use std::any::Any;

use bytes::Bytes;

use crate::codec::Codec;
use crate::rejection::Rejection;
use crate::value::Gathered;

/// Weight of a record of gathered parts: one more part would make it heavier.
const FULL: usize = 64 * 1024;

/// The parts of one record, of a kind that only its maker knows.
trait Parts: Send {
    fn add(&mut self, part: Box<dyn Any + Send>);
    fn encode(&self, codec: &mut Codec, key: &str, out: &mut Vec<u8>) -> Result<(), Rejection>;
}

struct PartsOf<V: Gathered>(Vec<V::Part>);

impl<V: Gathered> Parts for PartsOf<V> {
    fn add(&mut self, part: Box<dyn Any + Send>) {
        // A topic has one kind of value, so that parts of another kind never meet here.
        match part.downcast::<V::Part>() {
            Ok(part) => self.0.push(*part),
            Err(_) => debug_assert!(false, "a part of another kind"),
        }
    }

    fn encode(&self, codec: &mut Codec, key: &str, out: &mut Vec<u8>) -> Result<(), Rejection> {
        codec.encode::<V>(&V::together(key, &self.0), out)
    }
}

/// A part as a processor sent it.
pub(crate) struct Part {
    part: Box<dyn Any + Send>,
    weight: usize,
    /// Makes the record that it begins.
    begin: fn() -> Box<dyn Parts>,
}

impl Part {
    pub fn of<V: Gathered>(part: V::Part) -> Self {
        Self { weight: V::weight(&part), part: Box::new(part), begin: || Box::new(PartsOf::<V>(Vec::new())) }
    }
}

/// Where a part goes and where it came from.
pub(crate) struct PartPlace<'p> {
    pub topic: usize,
    pub partition: i32,
    pub key: &'p [u8],
    pub timestamp_ms: i64,
    pub lineage: &'p Bytes,
}

/// One record under way.
pub(crate) struct Gathering {
    pub topic: usize,
    pub partition: i32,
    pub key: String,
    /// Time of the newest input.
    pub timestamp_ms: i64,
    parts: Box<dyn Parts>,
    weight: usize,
    first: Bytes,
    last: Bytes,
}

impl Gathering {
    fn begin(place: &PartPlace<'_>, key: String, part: &Part) -> Self {
        Self {
            topic: place.topic,
            partition: place.partition,
            key,
            timestamp_ms: place.timestamp_ms,
            parts: (part.begin)(),
            weight: 0,
            first: place.lineage.clone(),
            last: place.lineage.clone(),
        }
    }

    /// The wire form of the record's value.
    pub fn encode(&self, codec: &mut Codec, out: &mut Vec<u8>) -> Result<(), Rejection> {
        self.parts.encode(codec, &self.key, out)
    }

    /// What its lineage header names: the inputs of the first and the last part.
    pub fn lineage(&self) -> Bytes {
        if self.first == self.last {
            return self.first.clone();
        }
        Bytes::from([&self.first[..], b" ", &self.last[..]].concat())
    }
}

/// What a task has under way, in the order of first parts.
#[derive(Default)]
pub(crate) struct Gatherings(Vec<Gathering>);

impl Gatherings {
    /// Takes a part; answers a record that was full without it.
    pub fn add(&mut self, place: &PartPlace<'_>, part: Part) -> Option<Gathering> {
        let key = String::from_utf8_lossy(place.key);
        let found = self.0.iter().position(|g| g.topic == place.topic && g.key == key);
        let index = found.unwrap_or_else(|| {
            self.0.push(Gathering::begin(place, key.to_string(), &part));
            self.0.len() - 1
        });
        let gathering = &mut self.0[index];
        let full = if gathering.weight > 0 && gathering.weight + part.weight > FULL {
            Some(std::mem::replace(gathering, Gathering::begin(place, key.to_string(), &part)))
        } else {
            None
        };
        gathering.weight += part.weight;
        gathering.timestamp_ms = gathering.timestamp_ms.max(place.timestamp_ms);
        gathering.last.clone_from(place.lineage);
        gathering.parts.add(part.part);
        full
    }

    /// Takes out what is under way to a topic.
    pub fn take_topic(&mut self, topic: usize) -> Vec<Gathering> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|g| g.topic == topic);
        self.0 = left;
        taken
    }

    /// Takes out everything.
    pub fn take_all(&mut self) -> Vec<Gathering> {
        std::mem::take(&mut self.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
