//! The resources of a document, and which of them others refer to.

use std::collections::HashMap;

use serde_json::Value;

use super::element::{list_of, text_of};
use crate::{Problem, ReadFailure};

/// A resource and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'a> {
    pub kind: &'a str,
    pub value: &'a Value,
    place: Stands<'a>,
}

#[derive(Debug, Clone, Copy)]
struct Stands<'a> {
    /// Which of several documents behind each other, when there are several.
    document: Option<usize>,
    /// The entry of a bundle.
    entry: Option<usize>,
    /// Where the bundle's entry says it is to be found.
    full_url: &'a str,
    /// The resource it is contained in, and where.
    container: Option<(&'a Value, usize)>,
}

impl Resource<'_> {
    /// The path of one of its elements, such as `entry[3].resource.birthDate`.
    pub fn path(&self, element: &str) -> String {
        let Stands { document, entry, container, .. } = self.place;
        let mut parts: Vec<String> = Vec::new();
        parts.extend(document.map(|place| format!("[{place}]")));
        parts.extend(entry.map(|place| format!("entry[{place}].resource")));
        parts.extend(container.map(|(_, place)| format!("contained[{place}]")));
        if parts.is_empty() {
            parts.push(self.kind.to_owned());
        }
        parts.push(element.to_owned());
        parts.join(".")
    }

    fn id(&self) -> &str {
        text_of(self.value, "id").unwrap_or_default()
    }

    fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.value, other.value)
    }
}

/// All resources of a document: of bundles their entries, of each resource what it contains.
#[derive(Default)]
pub(super) struct Resources<'a> {
    all: Vec<Resource<'a>>,
    /// Places in `all`, the first one for each: by the URL of the entry, by kind and id, and by container and id.
    by_url: HashMap<&'a str, usize>,
    by_id: HashMap<(&'a str, &'a str), usize>,
    contained: HashMap<(*const Value, &'a str), usize>,
}

/// The patient of a document, as far as it is among its resources.
pub(super) struct Subject<'a>(Vec<Resource<'a>>);

impl Subject<'_> {
    /// Whether the patient is this resource.
    pub fn is(&self, patient: &Resource<'_>) -> bool {
        self.0.iter().any(|one| one.is_same(patient))
    }
}

impl<'a> Resources<'a> {
    /// Of one document, of an array of them, or of several.
    pub fn of(documents: &'a [Value]) -> Self {
        let mut resources = Self::default();
        match documents {
            [Value::Array(several)] => several.iter().enumerate().for_each(|(at, one)| resources.add(one, Some(at))),
            [one] => resources.add(one, None),
            several => several.iter().enumerate().for_each(|(at, one)| resources.add(one, Some(at))),
        }
        resources
    }

    fn add(&mut self, value: &'a Value, document: Option<usize>) {
        let Some(kind) = text_of(value, "resourceType") else { return };
        let place = Stands { document, entry: None, full_url: "", container: None };
        if kind != "Bundle" {
            self.add_with_contained(Resource { kind, value, place });
            return;
        }
        self.push(Resource { kind, value, place });
        for (entry, element) in list_of(value, "entry").iter().enumerate() {
            let Some(resource) = element.get("resource") else { continue };
            let Some(kind) = text_of(resource, "resourceType") else { continue };
            let full_url = text_of(element, "fullUrl").unwrap_or_default();
            let place = Stands { document, entry: Some(entry), full_url, container: None };
            self.add_with_contained(Resource { kind, value: resource, place });
        }
    }

    fn add_with_contained(&mut self, resource: Resource<'a>) {
        self.push(resource);
        for (at, contained) in list_of(resource.value, "contained").iter().enumerate() {
            let Some(kind) = text_of(contained, "resourceType") else { continue };
            let place = Stands { container: Some((resource.value, at)), ..resource.place };
            self.push(Resource { kind, value: contained, place });
        }
    }

    fn push(&mut self, resource: Resource<'a>) {
        let (at, id) = (self.all.len(), text_of(resource.value, "id").unwrap_or_default());
        if let Some((container, _)) = resource.place.container {
            self.contained.entry((std::ptr::from_ref(container), id)).or_insert(at);
        } else {
            self.by_url.entry(resource.place.full_url).or_insert(at);
            self.by_id.entry((resource.kind, id)).or_insert(at);
        }
        self.all.push(resource);
    }

    /// In the order of the document.
    pub fn all(&self) -> impl Iterator<Item = &Resource<'a>> {
        self.all.iter()
    }

    /// What an element of a resource refers to: `#id` in the same resource, otherwise by URL, or by kind and id.
    pub fn referred(&self, from: &Resource<'a>, element: &Value) -> Option<&Resource<'a>> {
        let reference = text_of(element, "reference")?;
        let place = if let Some(id) = reference.strip_prefix('#') {
            let container = from.place.container.map_or(from.value, |(container, _)| container);
            self.contained.get(&(std::ptr::from_ref(container), id))
        } else {
            self.by_url.get(reference).or_else(|| self.by_id.get(&kind_and_id(reference)?))
        };
        self.all.get(*place?)
    }

    /// The patient of the document.
    ///
    /// # Errors
    /// [`Problem::SeveralPatients`] when there are several and not exactly one of them is spoken of.
    pub fn subject(&self) -> Result<Subject<'a>, ReadFailure> {
        let mut present: Vec<Resource<'a>> = Vec::new();
        let mut absent: Vec<&str> = Vec::new();
        for resource in self.all() {
            let element = match resource.kind {
                "MedicationStatement" | "MedicationRequest" => resource.value.get("subject"),
                "AllergyIntolerance" => resource.value.get("patient"),
                _ => None,
            };
            let Some(element) = element else { continue };
            // Two are too many already: how many they are does not matter.
            if present.len() > 1 {
                break;
            }
            match self.referred(resource, element) {
                Some(patient) if !present.iter().any(|one| self.are_one(one, patient)) => present.push(*patient),
                Some(_) => {}
                None => {
                    absent.extend(text_of(element, "reference").map(|one| kind_and_id(one).map_or(one, |(_, id)| id)))
                }
            }
        }
        absent.sort_unstable();
        absent.dedup();
        let patients: Vec<Resource<'a>> = self.all().filter(|one| one.kind == "Patient").copied().collect();
        let is_one =
            |subject: &Resource<'a>| patients.iter().filter(|one| self.are_one(one, subject)).copied().collect();
        match (&present[..], &absent[..]) {
            ([], []) if patients.iter().all(|one| self.are_one(one, &patients[0])) => Ok(Subject(patients)),
            // Whom they speak of is not among them: then what they say may well be of the one who is.
            ([], [_]) if patients.len() < 2 => Ok(Subject(patients)),
            ([subject], []) => Ok(Subject(is_one(subject))),
            _ => Err(ReadFailure::new(Problem::SeveralPatients, "several patients, or references to several")),
        }
    }

    /// The same patient may be there several times: as an entry, and contained in resources of other systems.
    fn are_one(&self, one: &Resource<'a>, other: &Resource<'a>) -> bool {
        one.is_same(other) || (!one.id().is_empty() && one.id() == other.id()) || share_an_identifier(one, other)
    }
}

fn share_an_identifier(one: &Resource<'_>, other: &Resource<'_>) -> bool {
    let identifiers = |resource: &Resource<'_>| -> Vec<(String, String)> {
        let of = list_of(resource.value, "identifier").iter();
        of.filter_map(|one| Some((text_of(one, "system")?.to_owned(), text_of(one, "value")?.to_owned()))).collect()
    };
    let of_other = identifiers(other);
    identifiers(one).iter().any(|identifier| of_other.contains(identifier))
}

/// `Patient` and `1` of `Patient/1`, `https://example.org/fhir/Patient/1` and `Patient/1/_history/2`.
fn kind_and_id(reference: &str) -> Option<(&str, &str)> {
    let reference = reference.split_once("/_history/").map_or(reference, |(reference, _)| reference);
    let (rest, id) = reference.rsplit_once('/')?;
    let kind = rest.rsplit('/').next()?;
    Some((kind, id))
}
