//! Whole interchanges, strictly or leniently.

use super::defect::Defect;
use super::envelope::{EnvelopeReader, Event, InterchangeEnd, InterchangeHeader};
use super::message::Message;

/// What happens to an interchange with defects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// It is given, with its defects.
    #[default]
    Lenient,
    /// It is refused, with its defects.
    Strict,
}

/// One interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    /// What `UNB` says.
    pub header: InterchangeHeader,
    /// Its messages, in order.
    pub messages: Vec<Message>,
    /// How it ended.
    pub end: InterchangeEnd,
    /// What is wrong with it.
    pub defects: Vec<Defect>,
}

/// An interchange that was refused, or bytes that are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedInterchange {
    /// What `UNB` says, if there is one.
    pub header: Option<InterchangeHeader>,
    /// Why; never empty.
    pub defects: Vec<Defect>,
}

/// Reads whole interchanges from pieces of a source cut anywhere.
///
/// Lenient reading refuses only bytes outside any interchange; these are given together with the refusals.
#[derive(Default)]
pub struct InterchangeReader {
    strictness: Strictness,
    reader: EnvelopeReader,
    collection: Collection,
}

#[derive(Default)]
struct Collection {
    header: Option<InterchangeHeader>,
    messages: Vec<Message>,
    defects: Vec<Defect>,
}

impl InterchangeReader {
    /// Starts at the beginning of a source.
    #[must_use]
    pub fn new(strictness: Strictness) -> Self {
        Self { strictness, ..Self::default() }
    }

    /// Reads the next piece of the source.
    pub fn push(&mut self, bytes: &[u8], on: &mut impl FnMut(Result<Interchange, RefusedInterchange>)) {
        let Self { strictness, reader, collection } = self;
        reader.push(bytes, &mut |event| collection.take(event, *strictness, on));
    }

    /// Ends the source.
    pub fn finish(&mut self, on: &mut impl FnMut(Result<Interchange, RefusedInterchange>)) {
        let Self { strictness, reader, collection } = self;
        reader.finish(&mut |event| collection.take(event, *strictness, on));
        collection.refuse_strays(on);
    }
}

impl Collection {
    fn take(
        &mut self,
        event: Event,
        strictness: Strictness,
        on: &mut impl FnMut(Result<Interchange, RefusedInterchange>),
    ) {
        match event {
            Event::Begins(header) => {
                self.refuse_strays(on);
                self.header = Some(header);
            }
            Event::Message(message) => self.messages.push(message),
            Event::Defect(defect) => self.defects.push(defect),
            Event::Ends(end) => {
                let Some(header) = self.header.take() else { return };
                let (messages, defects) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.defects));
                if strictness == Strictness::Strict && !defects.is_empty() {
                    on(Err(RefusedInterchange { header: Some(header), defects }));
                } else {
                    on(Ok(Interchange { header, messages, end, defects }));
                }
            }
        }
    }

    /// Gives what is wrong outside any interchange.
    fn refuse_strays(&mut self, on: &mut impl FnMut(Result<Interchange, RefusedInterchange>)) {
        if self.header.is_none() && !self.defects.is_empty() {
            on(Err(RefusedInterchange { header: None, defects: std::mem::take(&mut self.defects) }));
        }
    }
}

/// Reads a source that is there as a whole.
///
/// ```
/// use concord_edifact::{Strictness, read_interchanges};
///
/// let source = b"UNB+UNOA:2+TES5+XX11+200610:1438+00000007'\n\
///                UNH+00000009+FHSREG:0:1:FH:FHS001'RFF+950:G1'RFF+TN:5'UNT+4+00000009'\n\
///                UNZ+2+00000007'";
/// let read = read_interchanges(source, Strictness::Lenient);
/// let interchange = read[0].as_ref().expect("an interchange");
/// assert_eq!(interchange.header.number, Some(7));
/// assert_eq!(interchange.messages[0].transactions[0].number, Some(5));
/// assert_eq!(
///     interchange.defects[0].to_string(),
///     "CONCORD-EF-0001 segment 6 (byte 113): UNZ says 2 messages, the interchange has 1"
/// );
/// assert!(read_interchanges(source, Strictness::Strict)[0].is_err());
/// ```
#[must_use]
pub fn read_interchanges(source: &[u8], strictness: Strictness) -> Vec<Result<Interchange, RefusedInterchange>> {
    let mut reader = InterchangeReader::new(strictness);
    let mut read = Vec::new();
    reader.push(source, &mut |interchange| read.push(interchange));
    reader.finish(&mut |interchange| read.push(interchange));
    read
}
