//! Stored and published bytes as JSON, for people who have asked for a record.

use std::fmt;

use bytes::Bytes;
use concord_schemas::Schemas;
use concord_schemas::codec::{ALL, CodecError, Decoder, STORED, TopicSchema, WriterId};
use concord_state::PendingCall;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// Turns bytes into JSON.
pub struct ReadableValues {
    schemas: Schemas,
    decoder: Decoder,
}

impl ReadableValues {
    /// Reads with these schemas.
    pub fn new(schemas: Schemas) -> Self {
        Self { decoder: schemas.decoder(), schemas }
    }

    /// `{"format": ..., "value": ...}`: `avro:<schema>` for framed Avro, `pending-call` for a stored call, else `json`, `text`, or `hex`, and `empty`.
    /// `expected` is the schema of the topic that the bytes stand on, to fetch other versions of it from the registry.
    pub fn value(&mut self, bytes: &[u8], expected: Option<&'static TopicSchema>) -> Value {
        if bytes.is_empty() {
            return json!({ "format": "empty", "value": null });
        }
        if let Some(call) = PendingCall::from_bytes(Bytes::new(), 0, &Bytes::copy_from_slice(bytes)) {
            return json!({ "format": "pending-call", "value": pending_call(&call) });
        }
        if let Some((schema, value)) = self.avro(bytes, expected) {
            return json!({ "format": format!("avro:{schema}"), "value": value });
        }
        let structured = matches!(bytes[0], b'{' | b'[');
        if structured && let Ok(value) = serde_json::from_slice::<Value>(bytes) {
            return json!({ "format": "json", "value": value });
        }
        match printable(bytes) {
            Some(text) => json!({ "format": "text", "value": text }),
            None => json!({ "format": "hex", "value": hex(bytes) }),
        }
    }

    fn avro(&mut self, bytes: &[u8], expected: Option<&'static TopicSchema>) -> Option<(&'static str, Value)> {
        for schema in ALL.into_iter().chain(STORED) {
            if let Ok(Shown(value)) = self.decoder.decode::<Shown>(schema, bytes) {
                return Some((schema.name(), value));
            }
        }
        let schema = expected?;
        let Err(CodecError::UnknownWriterSchema { id: id @ WriterId::Registry(_), .. }) =
            self.decoder.decode::<Shown>(schema, bytes)
        else {
            return None;
        };
        self.decoder.learn(id, self.schemas.writer_schema(schema, id).ok()?);
        let Shown(value) = self.decoder.decode(schema, bytes).ok()?;
        Some((schema.name(), value))
    }
}

/// What waits, since when and for what; key and sequence are in the row's key.
fn pending_call(call: &PendingCall) -> Value {
    json!({
        "failed_attempts": call.failed_attempts,
        "last_failure": String::from_utf8_lossy(&call.last_failure),
        "due_ms": call.due_ms,
        "timestamp_ms": call.timestamp_ms,
        "lineage": String::from_utf8_lossy(&call.lineage),
        "request": key_text(&call.request),
    })
}

/// A key for a terminal or a URL: text as it is, other bytes as `0x` and hexadecimal digits.
pub fn key_text(key: &[u8]) -> String {
    match printable(key) {
        Some(text) if !text.starts_with("0x") => text.to_owned(),
        _ => format!("0x{}", hex(key)),
    }
}

/// The key that [`key_text`] wrote; `None` when what follows `0x` is not pairs of hexadecimal digits.
pub fn key_from_text(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else { return Some(text.as_bytes().to_vec()) };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
}

fn printable(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Any Avro value as JSON. `serde_json` itself takes no bytes.
struct Shown(Value);

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShownVisitor).map(Self)
    }
}

struct ShownVisitor;

impl<'de> Visitor<'de> for ShownVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(key_text(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Shown(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Shown(value))) = fields.next_entry::<String, Shown>()? {
            map.insert(name, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use concord_schemas::codec::{Framing, GP_EXTRACT, PDS_REGISTRATION};
    use concord_schemas::list_reconciliation::{ExtractChunk, ExtractEvent, Registration};

    use super::*;

    fn encoded(schemas: &Schemas) -> Vec<u8> {
        let registration = Registration { nhs_number: "9990548609", gp_practice: "B85001", dispensing_flag: "" };
        let mut bytes = Vec::new();
        schemas.encoder().encode(&PDS_REGISTRATION, &registration, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn framed_avro_is_shown_by_the_schema_that_its_header_names() {
        let bytes = encoded(&Schemas::bundled());
        let shown = ReadableValues::new(Schemas::bundled()).value(&bytes, None);
        assert_eq!(shown["format"], "avro:pds.registration");
        assert_eq!(shown["value"]["gp_practice"], "B85001");
    }

    #[test]
    fn avro_by_registry_ids_is_shown_when_the_registry_gave_them() {
        let by_id = || Schemas::framed(|topic| Framing::Confluent { schema_id: topic.name().len() as u32 });
        let bytes = encoded(&by_id());
        assert_eq!(ReadableValues::new(by_id()).value(&bytes, None)["value"]["nhs_number"], "9990548609");
        let without = ReadableValues::new(Schemas::bundled()).value(&bytes, Some(&PDS_REGISTRATION));
        assert_eq!(without["format"], "hex");
    }

    #[test]
    fn bytes_inside_avro_are_shown_as_text_or_hexadecimal() {
        let mut bytes = Vec::new();
        for content in [&b"DOW~1\r\n"[..], &[0xff, 0x00]] {
            bytes.clear();
            let chunk = ExtractEvent::ExtractChunk(ExtractChunk { job_id: "j", sequence: 0, content });
            Schemas::bundled().encoder().encode(&GP_EXTRACT, &chunk, &mut bytes).unwrap();
            let shown = ReadableValues::new(Schemas::bundled()).value(&bytes, None);
            let expected = if content.len() == 2 { "0xff00" } else { "DOW~1\r\n" };
            assert_eq!(shown["value"]["content"], expected);
        }
    }

    #[test]
    fn other_bytes_are_json_text_or_hexadecimal() {
        let mut readable = ReadableValues::new(Schemas::bundled());
        let mut shown = |bytes: &[u8]| readable.value(bytes, None);
        assert_eq!(shown(b"{\"a\":1}"), json!({ "format": "json", "value": { "a": 1 } }));
        assert_eq!(shown(b"B85001"), json!({ "format": "text", "value": "B85001" }));
        assert_eq!(shown(&[1, 2]), json!({ "format": "hex", "value": "0102" }));
        assert_eq!(shown(b""), json!({ "format": "empty", "value": null }));
    }

    #[test]
    fn a_pending_call_is_shown_with_its_request() {
        let call = PendingCall {
            key: Bytes::from_static(b"k"),
            sequence: 1,
            failed_attempts: 2,
            due_ms: 30,
            timestamp_ms: 4,
            lineage: Bytes::from_static(b"topic/0/5"),
            last_failure: Bytes::from_static(b"CONCORD-EN-0008"),
            request: Bytes::from_static(&[0xff]),
        };
        let shown = ReadableValues::new(Schemas::bundled()).value(&call.to_bytes(), None);
        assert_eq!(shown["format"], "pending-call");
        let expected = json!({ "failed_attempts": 2, "last_failure": "CONCORD-EN-0008", "due_ms": 30, "timestamp_ms": 4,
            "lineage": "topic/0/5", "request": "0xff" });
        assert_eq!(shown["value"], expected);
    }

    #[test]
    fn every_key_can_be_typed_back_as_it_is_shown() {
        for key in [&b"B85001/9990548609"[..], &[0, 1, 255], b"0x12", b""] {
            assert_eq!(key_from_text(&key_text(key)).unwrap(), key);
        }
        assert_eq!(key_from_text("0x1"), None);
        assert_eq!(key_from_text("0xzz"), None);
    }
}
