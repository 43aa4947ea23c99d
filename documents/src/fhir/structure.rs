//! How deep JSON is nested and how many values it has, before any of it is kept in memory.

use crate::{Limits, Problem, ReadFailure};

/// # Errors
/// [`Problem::TooDeep`] and [`Problem::TooMany`].
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), ReadFailure> {
    let (mut depth, mut values, mut is_text, mut is_escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        if is_text {
            is_text = byte != b'"' || is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => {
                depth += 1;
                values += 1;
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > limits.depth {
            return Err(ReadFailure::new(Problem::TooDeep, format!("JSON nested deeper than {}", limits.depth)));
        }
        if values > limits.elements {
            return Err(ReadFailure::new(Problem::TooMany, format!("JSON with more than {} values", limits.elements)));
        }
    }
    Ok(())
}
