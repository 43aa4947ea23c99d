//! Segments into interchanges and messages: what begins, what ends, and what is wrong with it.

use jiff::Timestamp;

use super::defect::{Defect, Problem};
use super::fields::{digits, number, text};
use super::hashing::{ContentHash, SegmentHash};
use super::lexer::{Lexed, Lexer};
use super::message::{Message, MessageInProgress, MessageKind, at};
use super::segment::Segment;
use super::{LARGEST_REFERENCE, uk_time};

/// What `UNB` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterchangeHeader {
    /// Link code of the sender; empty where it is missing.
    pub sender: String,
    /// Link code of the recipient; empty where it is missing.
    pub recipient: String,
    /// When it was prepared.
    pub prepared_at: Option<Timestamp>,
    /// Its number (SIS); `None` where it is unusable.
    pub number: Option<u64>,
    /// The application reference: `RECEP`, `FHSREG`.
    pub application: Option<String>,
}

/// How an interchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterchangeEnd {
    /// Whether its `UNZ` is there.
    pub is_complete: bool,
    /// How many messages its `UNZ` says it has.
    pub stated_messages: Option<u64>,
    /// How many it has.
    pub messages: u64,
    /// Hash of its segments.
    pub content: u64,
}

/// What the reader finds, in the order of the source.
#[derive(Debug)]
pub enum Event {
    /// An interchange begins.
    Begins(InterchangeHeader),
    /// A message of it, read to its end.
    Message(Message),
    /// Something is wrong. Said where it is noticed: a wrong count behind all that was counted.
    Defect(Defect),
    /// The interchange ends.
    Ends(InterchangeEnd),
}

struct OpenInterchange {
    number: Option<u64>,
    reference: Vec<u8>,
    announces_receipts: bool,
    messages: u64,
    last_message: Option<u64>,
    content: ContentHash,
}

/// Reads interchanges, one after the other, from pieces of a source cut anywhere. It keeps one segment and one message.
///
/// ```
/// use concord_edifact::{EnvelopeReader, Event};
///
/// let mut reader = EnvelopeReader::new();
/// let mut senders = Vec::new();
/// let mut on = |event| {
///     if let Event::Begins(header) = event {
///         senders.push(header.sender);
///     }
/// };
/// reader.push(b"UNB+UNOA:2+TES5+XX11+200610:1438+00000001'", &mut on);
/// reader.finish(&mut on);
/// assert_eq!(senders, ["TES5"]);
/// ```
#[derive(Default)]
pub struct EnvelopeReader {
    lexer: Lexer,
    progress: Progress,
}

impl EnvelopeReader {
    /// Starts at the beginning of a source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next piece of the source.
    pub fn push(&mut self, bytes: &[u8], on: &mut impl FnMut(Event)) {
        let progress = &mut self.progress;
        self.lexer.push(bytes, &mut |found| progress.take(found, on));
    }

    /// Ends the source: what is not finished is given as far as it came.
    pub fn finish(&mut self, on: &mut impl FnMut(Event)) {
        let mut progress = std::mem::take(&mut self.progress);
        self.lexer.finish(&mut |found| progress.take(found, on));
        progress.finish(on);
    }
}

#[derive(Default)]
struct Progress {
    interchange: Option<OpenInterchange>,
    message: Option<MessageInProgress>,
    /// The last segment was out of place, and that was said.
    is_astray: bool,
    has_begun: bool,
    last_number: u64,
    last_offset: u64,
}

impl Progress {
    fn take(&mut self, found: Lexed<'_>, on: &mut impl FnMut(Event)) {
        let (Lexed::Segment(segment)
        | Lexed::Unterminated(segment)
        | Lexed::TooLong(segment)
        | Lexed::UnusableAdvice(segment)) = found;
        (self.last_number, self.last_offset) = (segment.number, segment.offset);
        match found {
            Lexed::Segment(_) => self.read(&segment, on),
            Lexed::Unterminated(_) => {
                // It belongs to the interchange that this segment ends or begins; outside of one it is out of place anyway.
                let ends = self.interchange.is_some();
                if ends {
                    on(Event::Defect(at(&segment, Problem::Unterminated)));
                }
                self.read(&segment, on);
                if !ends && self.interchange.is_some() {
                    on(Event::Defect(at(&segment, Problem::Unterminated)));
                }
            }
            Lexed::TooLong(_) => {
                self.add_to_message(&segment, on);
                on(Event::Defect(at(&segment, Problem::SegmentTooLong)));
            }
            Lexed::UnusableAdvice(_) => on(Event::Defect(at(&segment, Problem::Advice))),
        }
    }

    fn read(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        match segment.tag() {
            b"UNB" => self.begin_interchange(segment, on),
            b"UNZ" if self.interchange.is_some() => self.end_interchange(segment, on),
            b"UNH" if self.interchange.is_some() => self.begin_message(segment, on),
            b"UNT" if self.message.is_some() => self.end_message(segment, on),
            _ if self.message.is_some() => self.add_to_message(segment, on),
            _ => {
                if !self.is_astray {
                    on(Event::Defect(at(segment, Problem::OutOfPlace)));
                }
                self.is_astray = true;
                return;
            }
        }
        self.is_astray = false;
    }

    fn begin_interchange(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        self.abandon(segment, on);
        self.has_begun = true;
        let element = |place| segment.element(place).unwrap_or_default().trim_ascii();
        let reference = element(5);
        let sis = number(reference, LARGEST_REFERENCE);
        let prepared_at = prepared_at(segment);
        let code = |place| text(segment.component(place, 0));
        let (sender, recipient) = (code(2), code(3));
        let header = InterchangeHeader {
            sender: sender.unwrap_or_default(),
            recipient: recipient.unwrap_or_default(),
            prepared_at,
            number: sis,
            application: code(7),
        };
        let announces_receipts = header.application.as_deref() == Some("RECEP");
        let problems = [
            header.sender.is_empty().then_some(Problem::Missing("the sender")),
            header.recipient.is_empty().then_some(Problem::Missing("the recipient")),
            (!header.sender.is_empty() && header.sender == header.recipient).then_some(Problem::SenderIsRecipient),
            prepared_at.is_none().then_some(Problem::Date("the interchange")),
            sis.is_none().then_some(Problem::Number("the interchange")),
        ];
        let mut content = ContentHash::default();
        content.add(SegmentHash::of(segment.bytes));
        self.interchange = Some(OpenInterchange {
            number: sis,
            reference: reference.to_vec(),
            announces_receipts,
            messages: 0,
            last_message: None,
            content,
        });
        on(Event::Begins(header));
        for problem in problems.into_iter().flatten() {
            on(Event::Defect(at(segment, problem)));
        }
    }

    fn begin_message(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        self.abandon_message(segment, on);
        self.message = Some(MessageInProgress::begin(segment, &mut |defect| on(Event::Defect(defect))));
        self.add_to_message(segment, on);
    }

    fn add_to_message(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        let (Some(interchange), Some(message)) = (&mut self.interchange, &mut self.message) else { return };
        let hash = SegmentHash::of(segment.bytes);
        interchange.content.add(hash);
        message.add(segment, hash, &mut |defect| on(Event::Defect(defect)));
    }

    fn end_message(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        self.add_to_message(segment, on);
        let Some(message) = self.message.take() else { return };
        let mut report = |problem| on(Event::Defect(at(segment, problem)));
        match segment.element(1).and_then(digits) {
            None => report(Problem::Number("the segment count")),
            Some(stated) if stated != message.segments() => {
                report(Problem::SegmentCount { stated, counted: message.segments() });
            }
            Some(_) => {}
        }
        if !message.has_reference(segment.element(2).unwrap_or_default()) {
            report(Problem::MessageReference);
        }
        self.give(message, segment, on);
    }

    /// Gives a message that was read to its end, or as far as it came.
    fn give(&mut self, message: MessageInProgress, last: &Segment<'_>, on: &mut impl FnMut(Event)) {
        let message = message.finish(last, &mut |defect| on(Event::Defect(defect)));
        let Some(interchange) = &mut self.interchange else { return };
        interchange.messages += 1;
        let mut report = |problem| on(Event::Defect(at(last, problem)));
        if interchange.announces_receipts != (message.kind == MessageKind::Receipt) {
            report(Problem::TypesDiffer);
        }
        if let (Some(before), Some(here)) = (interchange.last_message, message.number)
            && here != before % LARGEST_REFERENCE + 1
        {
            report(Problem::MessageSequence { before, here });
        }
        interchange.last_message = message.number.or(interchange.last_message);
        on(Event::Message(message));
    }

    fn end_interchange(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        self.abandon_message(segment, on);
        let Some(mut interchange) = self.interchange.take() else { return };
        interchange.content.add(SegmentHash::of(segment.bytes));
        let stated_messages = segment.element(1).and_then(digits);
        let counted = interchange.messages;
        let mut report = |problem| on(Event::Defect(at(segment, problem)));
        match stated_messages {
            None => report(Problem::Number("the message count")),
            Some(stated) if stated != counted => report(Problem::MessageCount { stated, counted }),
            Some(_) => {}
        }
        let trailer = segment.element(2).unwrap_or_default().trim_ascii();
        let same_number = interchange.number.is_some() && number(trailer, u64::MAX) == interchange.number;
        if trailer != interchange.reference && !same_number {
            report(Problem::InterchangeReference);
        }
        let content = interchange.content.value();
        on(Event::Ends(InterchangeEnd { is_complete: true, stated_messages, messages: counted, content }));
    }

    /// Ends what has no trailer, since something else begins or the source ends.
    fn abandon(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        self.abandon_message(segment, on);
        if let Some(interchange) = self.interchange.take() {
            on(Event::Defect(at(segment, Problem::InterchangeUnfinished)));
            let (messages, content) = (interchange.messages, interchange.content.value());
            on(Event::Ends(InterchangeEnd { is_complete: false, stated_messages: None, messages, content }));
        }
    }

    fn abandon_message(&mut self, segment: &Segment<'_>, on: &mut impl FnMut(Event)) {
        if let Some(message) = self.message.take() {
            on(Event::Defect(at(segment, Problem::MessageUnfinished)));
            self.give(message, segment, on);
        }
    }

    fn finish(mut self, on: &mut impl FnMut(Event)) {
        let last = Segment {
            bytes: &[],
            separators: super::Separators::default(),
            number: self.last_number,
            offset: self.last_offset,
        };
        self.abandon(&last, on);
        if !self.has_begun {
            on(Event::Defect(at(&last, Problem::NoInterchange)));
        }
    }
}

/// `yyMMdd:HHmm`, two components of one element.
fn prepared_at(segment: &Segment<'_>) -> Option<Timestamp> {
    let mut components = segment.components(4);
    let (date, time) = (components.next()?, components.next()?);
    uk_time::instant_of_header(date.trim_ascii(), time.trim_ascii())
}
