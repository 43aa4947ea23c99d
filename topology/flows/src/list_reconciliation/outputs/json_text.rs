//! JSON text with every character beyond printable ASCII escaped, as the readers of work items know it.

use std::fmt::Write;

/// Appends a text in quotes.
pub(super) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => push_escaped(out, character),
        }
    }
    out.push('"');
}

/// Appends `"key": `.
pub(super) fn push_key(out: &mut String, key: &str) {
    push_text(out, key);
    out.push_str(": ");
}

/// Appends a list of texts.
pub(super) fn push_list(out: &mut String, texts: &[&str]) {
    out.push('[');
    for (position, text) in texts.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        push_text(out, text);
    }
    out.push(']');
}

fn push_escaped(out: &mut String, character: char) {
    let mut units = [0_u16; 2];
    for unit in character.encode_utf16(&mut units) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_beyond_printable_ascii_is_escaped() {
        let mut out = String::new();
        push_text(&mut out, "A\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}É€😀~");
        assert_eq!(out, r#""A\"\\\n\r\t\b\f\u0001\u007f\u00c9\u20ac\ud83d\ude00~""#);
    }

    #[test]
    fn lists_and_keys_have_a_space_behind_their_separators() {
        let mut out = String::new();
        push_key(&mut out, "k");
        push_list(&mut out, &["a", "b"]);
        push_list(&mut out, &[]);
        assert_eq!(out, r#""k": ["a", "b"][]"#);
    }
}
