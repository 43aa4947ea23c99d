//! XML as a tree, within limits: no document type, no entities but the five of XML and characters by number, nothing from
//! outside.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::{Limits, Problem, ReadFailure};

/// An element. Names are local: documents choose prefixes as they like.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    /// The text in it before its first child.
    text: String,
    /// The text behind it, in the element around it.
    tail: String,
}

impl Element {
    /// The value of an attribute, by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The text in it, of elements within it too, with blanks between these so that words of cells do not run together.
    pub fn text(&self) -> String {
        let mut text = self.text.clone();
        for child in &self.children {
            text.push(' ');
            text.push_str(&child.text());
            text.push(' ');
            text.push_str(&child.tail);
        }
        text
    }

    /// The first element of this name in it.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All elements of this name in it, with their place among them, from 1.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (usize, &'a Element)> {
        self.children.iter().filter(move |child| child.name == name).enumerate().map(|(at, child)| (at + 1, child))
    }

    /// The first element along a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// Whether it says that nothing is known.
    pub fn is_null(&self) -> bool {
        self.attribute("nullFlavor").is_some()
    }
}

/// The outermost element.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Element, ReadFailure> {
    let mut reader = Reader::from_str(text);
    let mut tree = Tree { open: Vec::new(), root: None, elements: 0, limits };
    loop {
        let event = reader.read_event().map_err(|_| broken(&reader))?;
        match event {
            Event::Start(start) => {
                let element = tree.element(&start).ok_or_else(|| broken(&reader))?;
                tree.start(element)?;
            }
            Event::Empty(start) => {
                let element = tree.element(&start).ok_or_else(|| broken(&reader))?;
                tree.start(element)?;
                tree.end();
            }
            Event::End(_) => tree.end(),
            Event::Text(text) => tree.text(&text.decode().map_err(|_| broken(&reader))?),
            Event::CData(text) => tree.text(&text.decode().map_err(|_| broken(&reader))?),
            Event::GeneralRef(reference) => {
                let character = character_of(&reference).ok_or_else(|| entities("an entity of its own"))?;
                tree.text(character.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(entities("a document type")),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    if !tree.open.is_empty() {
        return Err(ReadFailure::damaged("XML that ends within an element"));
    }
    tree.root.ok_or_else(|| ReadFailure::damaged("XML without an element"))
}

fn broken(reader: &Reader<&[u8]>) -> ReadFailure {
    ReadFailure::damaged(format!("no XML at byte {}", reader.error_position()))
}

fn entities(what: &str) -> ReadFailure {
    ReadFailure::new(Problem::Entities, what)
}

/// `None` for an entity that only a document type can define.
fn character_of(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &*reference.decode().ok()? {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

struct Tree<'l> {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    limits: &'l Limits,
}

impl Tree<'_> {
    fn element(&mut self, start: &BytesStart<'_>) -> Option<Element> {
        let mut element = Element { name: local(start.local_name().as_ref())?, ..Element::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let name = local(attribute.key.local_name().as_ref())?;
            // Namespaces are declared in attributes; none of them is looked at.
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            self.elements += 1;
            let written = std::str::from_utf8(&attribute.value).ok()?;
            let value = quick_xml::escape::unescape(written).ok()?.into_owned();
            element.attributes.push((name, value));
        }
        Some(element)
    }

    fn start(&mut self, element: Element) -> Result<(), ReadFailure> {
        let Limits { depth, elements, .. } = *self.limits;
        self.elements += 1;
        if self.elements > elements {
            return Err(ReadFailure::new(Problem::TooMany, format!("XML with more than {elements} elements")));
        }
        if self.open.len() >= depth {
            return Err(ReadFailure::new(Problem::TooDeep, format!("XML nested deeper than {depth}")));
        }
        if self.root.is_some() {
            return Err(ReadFailure::damaged("XML with two outermost elements"));
        }
        self.open.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let Some(element) = self.open.last_mut() else { return };
        match element.children.last_mut() {
            Some(before) => before.tail.push_str(text),
            None => element.text.push_str(text),
        }
    }

    fn end(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }
}

fn local(name: &[u8]) -> Option<String> {
    std::str::from_utf8(name).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn problem_of(text: &str) -> Problem {
        parse(text, &Limits { depth: 3, elements: 20, ..Limits::default() }).unwrap_err().problem
    }

    #[test]
    fn elements_attributes_and_text_are_read_by_local_names() {
        let text = "<?xml version=\"1.0\"?><a:x xmlns:a=\"urn:a\"><b c=' 1 &amp; 2 '>O&#39;T<![CDATA[<oo>]]>le &lt;</b><b/></a:x>";
        let root = parse(text, &Limits::default()).unwrap();
        assert_eq!(root.name, "x");
        let first = root.child("b").unwrap();
        assert_eq!(first.attribute("c"), Some("1 & 2"));
        assert_eq!(first.text(), "O'T<oo>le <");
        assert_eq!(root.all("b").count(), 2);
        assert!(root.at(&["b", "c"]).is_none());
    }

    #[test]
    fn a_document_type_or_an_entity_is_refused_before_anything_of_it_is_read() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>";
        assert_eq!(problem_of(bomb), Problem::Entities);
        assert_eq!(problem_of("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"), Problem::Entities);
        assert_eq!(problem_of("<a>&c;</a>"), Problem::Entities);
        assert_eq!(problem_of("<a b=\"&c;\"/>"), Problem::Damaged);
    }

    #[test]
    fn depth_and_number_of_elements_are_limited() {
        assert_eq!(problem_of("<a><a><a><a/></a></a></a>"), Problem::TooDeep);
        assert_eq!(problem_of(&format!("<a>{}</a>", "<b/>".repeat(30))), Problem::TooMany);
        assert_eq!(
            problem_of(&format!("<a {}/>", (0..30).map(|n| format!("a{n}='' ")).collect::<String>())),
            Problem::TooMany
        );
    }

    #[test]
    fn what_is_no_xml_is_damaged() {
        for text in ["<a>", "<a></b>", "<a/><a/>", "<a b=1/>", "", "<a", "</a>", "<a b='1' b='2'/>"] {
            assert_eq!(problem_of(text), Problem::Damaged, "{text}");
        }
    }
}
