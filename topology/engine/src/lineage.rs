//! Where an output came from: headers that name the inputs, the rule and the program that made it.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::LazyLock;

use bytes::Bytes;

use crate::log::{Header, LogRecord, Offset};

/// Header that names the input records, as `topic/partition/offset`, and behind them the program's version, as `v1.2.3`, all
/// separated by spaces. They share a header because each one costs client and broker some 0.4 microseconds a record.
pub const LINEAGE: &str = "concord-lineage";
/// Header that names the rule.
pub const RULE: &str = "concord-rule";
/// Header that names what the record was published, or taken back, for.
pub const CAUSE: &str = "concord-cause";
/// Header that names the dead letter a record was replayed from, as `topic/partition/offset`.
pub const REPLAYED_FROM: &str = "concord-replayed-from";

static LINEAGE_NAME: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(LINEAGE));
static RULE_NAME: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(RULE));
static CAUSE_NAME: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(CAUSE));

/// What stands behind the inputs.
const VERSION: &str = concat!(" v", env!("CARGO_PKG_VERSION"));

/// The coordinates of an input record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: Offset,
}

impl std::fmt::Display for Coordinates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// Reads the inputs in the value of a lineage header; parts that are not coordinates are left out.
pub fn parse(header: &[u8]) -> Vec<Coordinates> {
    let Ok(text) = std::str::from_utf8(header) else { return Vec::new() };
    let mut found = Vec::new();
    for part in text.split(' ') {
        let mut pieces = part.rsplitn(3, '/');
        let (Some(offset), Some(partition), Some(topic)) = (pieces.next(), pieces.next(), pieces.next()) else {
            continue;
        };
        let (Ok(offset), Ok(partition)) = (offset.parse(), partition.parse()) else { continue };
        found.push(Coordinates { topic: Arc::from(topic), partition, offset });
    }
    found
}

/// The version in the value of a lineage header.
pub(crate) fn version(header: &str) -> Option<&str> {
    header.rsplit(' ').next()?.strip_prefix('v').filter(|version| !version.contains('/'))
}

/// The text of a header. The last one of that name counts: ours stand behind those that a record came with.
pub(crate) fn header_text(record: &LogRecord, name: &str) -> Option<String> {
    let header = record.headers.iter().rfind(|header| &*header.name == name)?;
    Some(String::from_utf8_lossy(&header.value).into_owned())
}

/// The header of what these inputs cause, which are given as the header names them.
pub fn header(inputs: &[u8]) -> Header {
    Header { name: LINEAGE_NAME.clone(), value: Bytes::from([inputs, VERSION.as_bytes()].concat()) }
}

/// Why an output is made, for its headers. Tombstones carry nothing else that could say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Because<'t> {
    /// The rule that made it.
    pub rule: Option<&'t str>,
    /// What it is published, or taken back, for.
    pub cause: Option<&'t str>,
}

impl Because<'_> {
    pub(crate) fn headers(&self) -> Vec<Header> {
        let header = |name: &LazyLock<Arc<str>>, text: &str| Header {
            name: Arc::clone(name),
            value: Bytes::copy_from_slice(text.as_bytes()),
        };
        let rule = self.rule.map(|rule| header(&RULE_NAME, rule));
        rule.into_iter().chain(self.cause.map(|cause| header(&CAUSE_NAME, cause))).collect()
    }
}

/// Where the outputs of one call come from. The header is made when it is first asked for: most records of some flows cause no
/// output.
#[derive(Clone)]
pub(crate) struct Lineage {
    record: Option<Coordinates>,
    header: OnceCell<Header>,
}

impl Lineage {
    /// One input record.
    pub fn of(record: Coordinates) -> Self {
        Self { record: Some(record), header: OnceCell::new() }
    }

    /// A lineage that was written down before.
    pub fn known(inputs: Bytes) -> Self {
        Self { record: None, header: OnceCell::from(header(&inputs)) }
    }

    /// The inputs, as the header names them.
    pub fn inputs(&self) -> Bytes {
        let value = &self.header().value;
        value.slice(..value.len() - VERSION.len())
    }

    /// The header of what the call causes.
    pub fn header(&self) -> &Header {
        self.header.get_or_init(|| match &self.record {
            Some(record) => header(&coordinates(&record.topic, record.partition, record.offset)),
            None => header(&[]),
        })
    }
}

/// Writes the coordinates of one record.
pub(crate) fn coordinates(topic: &str, partition: i32, offset: Offset) -> Bytes {
    let (mut partition_digits, mut offset_digits) = (itoa::Buffer::new(), itoa::Buffer::new());
    Bytes::from([topic, partition_digits.format(partition), offset_digits.format(offset)].join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_as_they_were_written() {
        let mut header = coordinates("gp.extract", 3, 77).to_vec();
        header.push(b' ');
        header.extend_from_slice(&coordinates("a/odd.topic", 0, 0));
        let read: Vec<String> = parse(&header).iter().map(ToString::to_string).collect();
        assert_eq!(read, ["gp.extract/3/77", "a/odd.topic/0/0"]);
        assert_eq!(parse(&super::header(&header).value), parse(&header), "with the version behind them");
    }

    #[test]
    fn what_is_not_coordinates_is_left_out() {
        assert!(parse(b"nothing here/x/1 \xff").is_empty());
        assert!(parse(b"topic/1").is_empty());
        assert!(parse(b"topic/1 v0.1.0").is_empty());
    }

    #[test]
    fn the_version_stands_behind_the_inputs() {
        let this = Some(env!("CARGO_PKG_VERSION"));
        for inputs in ["", "gp.extract/3/77", "a/0/1 v/0/2"] {
            let value = header(inputs.as_bytes()).value;
            assert_eq!(version(std::str::from_utf8(&value).unwrap()), this, "{inputs}");
            assert_eq!(Lineage::known(Bytes::from(inputs)).inputs(), inputs);
        }
        assert_eq!(version("v/0/1"), None);
        assert_eq!(version("gp.extract/3/77"), None);
    }
}
