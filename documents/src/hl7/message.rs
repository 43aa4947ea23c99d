//! Messages, segments, fields, components: cut at the separators that the message names itself, escapes undone.

use std::collections::HashMap;

use crate::values::squeezed;
use crate::{Limits, Problem, ReadFailure};

/// What separates parts, as MSH names it.
#[derive(Debug, Clone, Copy)]
struct Separators {
    field: char,
    component: char,
    repetition: char,
    escape: char,
    subcomponent: char,
}

/// A message: its segments in order.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub segments: Vec<Segment<'a>>,
}

/// A segment.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    fields: Vec<&'a str>,
    separators: Separators,
    /// Which of the segments of this name in the document it is, from 1.
    pub occurrence: usize,
}

/// One repetition of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repetition<'a> {
    text: &'a str,
    separators: Separators,
}

/// Cuts a document into messages. Segments end with CR; with LF too, since many programs write that.
pub(super) fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Message<'a>>, ReadFailure> {
    let mut messages: Vec<Message<'a>> = Vec::new();
    let mut separators = None;
    let mut occurrences: HashMap<&str, usize> = HashMap::new();
    let framing = |one: char| matches!(one, '\u{b}' | '\u{1c}' | ' ' | '\t' | '\u{feff}');
    let lines = text.split(['\r', '\n']).map(|line| line.trim_matches(framing)).filter(|line| !line.is_empty());
    for (number, line) in lines.enumerate() {
        if number >= limits.elements {
            return Err(ReadFailure::new(Problem::TooMany, format!("more than {} segments", limits.elements)));
        }
        let name = line.get(..3).unwrap_or_default();
        if matches!(name, "MSH" | "FHS" | "BHS") {
            separators = Separators::of_header(line);
            if separators.is_none() {
                return Err(ReadFailure::damaged(format!("segment {}: {name} names no separators", number + 1)));
            }
        }
        let Some(separators) = separators else {
            return Err(ReadFailure::damaged("a message begins with MSH"));
        };
        if name == "MSH" {
            messages.push(Message { segments: Vec::new() });
        }
        let occurrence = occurrences.entry(name).or_default();
        *occurrence += 1;
        if let Some(message) = messages.last_mut() {
            let fields = line.split(separators.field).collect();
            message.segments.push(Segment { fields, separators, occurrence: *occurrence });
        }
    }
    if messages.is_empty() { Err(ReadFailure::damaged("no MSH segment")) } else { Ok(messages) }
}

impl Separators {
    /// Of `MSH|^~\&|...`. What MSH-2 leaves out is as usual; escape and subcomponent may be missing in old messages.
    fn of_header(line: &str) -> Option<Self> {
        let mut rest = line.get(3..)?.chars();
        let field = rest.next().filter(|one| !one.is_alphanumeric())?;
        let mut named = rest.take_while(|one| *one != field);
        let component = named.next()?;
        let separators = Self {
            field,
            component,
            repetition: named.next().unwrap_or('~'),
            escape: named.next().unwrap_or('\\'),
            subcomponent: named.next().unwrap_or('&'),
        };
        let all = [field, component, separators.repetition, separators.escape, separators.subcomponent];
        let are_distinct = all.iter().enumerate().all(|(at, one)| !all[..at].contains(one) && !one.is_alphanumeric());
        are_distinct.then_some(separators)
    }
}

impl<'a> Segment<'a> {
    /// Three letters; empty of a line that is no segment.
    pub fn name(&self) -> &'a str {
        self.fields.first().copied().unwrap_or_default()
    }

    /// The repetitions of a field that say something, with their places from 0. Fields are counted from 1 (not for MSH).
    pub fn repetitions(&self, field: usize) -> impl Iterator<Item = (usize, Repetition<'a>)> {
        let text = self.fields.get(field).copied().unwrap_or_default();
        let separators = self.separators;
        let repetitions = text.split(separators.repetition).enumerate();
        repetitions.filter(|(_, text)| !text.is_empty()).map(move |(at, text)| (at, Repetition { text, separators }))
    }

    /// The first repetition of a field; empty when there is none.
    pub fn field(&self, field: usize) -> Repetition<'a> {
        let empty = Repetition { text: "", separators: self.separators };
        self.repetitions(field).next().map_or(empty, |(_, repetition)| repetition)
    }
}

impl Repetition<'_> {
    /// The text of a component, from 1: its first subcomponent, escapes undone. Empty when there is none, or when it is the
    /// null of HL7, `""`.
    pub fn component(&self, number: usize) -> String {
        self.subcomponent(number, 1)
    }

    /// The text of a subcomponent of a component, both from 1.
    pub fn subcomponent(&self, component: usize, number: usize) -> String {
        let component = self.text.split(self.separators.component).nth(component - 1).unwrap_or_default();
        let text = component.split(self.separators.subcomponent).nth(number - 1).unwrap_or_default();
        if text == "\"\"" { String::new() } else { squeezed(&unescaped(text, self.separators)) }
    }
}

/// Undoes escapes: `\F\ \S\ \T\ \R\ \E\` are separators, `\Xdd..\` characters by number, `\.br\` and its like breaks. Highlighting and
/// escapes that nobody defined say nothing. An escape character without its second one stands for itself.
fn unescaped(text: &str, separators: Separators) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(separators.escape) {
        read.push_str(before);
        let Some((sequence, behind)) = behind.split_once(separators.escape) else {
            read.push(separators.escape);
            rest = behind;
            continue;
        };
        match sequence {
            "F" => read.push(separators.field),
            "S" => read.push(separators.component),
            "T" => read.push(separators.subcomponent),
            "R" => read.push(separators.repetition),
            "E" => read.push(separators.escape),
            "H" | "N" => {}
            _ if sequence.starts_with('.') => read.push(' '),
            _ if sequence.starts_with('X') => read.push_str(&of_hexadecimal(&sequence[1..])),
            // What is no escape at all, such as in C:\temp\letters: it stands as it is.
            _ if sequence.len() > 8 || sequence.contains(' ') => {
                read.push(separators.escape);
                rest = &rest[before.len() + separators.escape.len_utf8()..];
                continue;
            }
            _ => {}
        }
        rest = behind;
    }
    read.push_str(rest);
    read
}

fn of_hexadecimal(digits: &str) -> String {
    let pairs = digits.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    crate::encoding::windows_1252(&bytes.unwrap_or_default())
}
