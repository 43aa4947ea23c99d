//! Family name and given names of a name in one line.

const TITLES: [&str; 15] = [
    "mr",
    "mrs",
    "miss",
    "ms",
    "mx",
    "master",
    "dr",
    "prof",
    "professor",
    "sir",
    "dame",
    "lord",
    "lady",
    "rev",
    "reverend",
];
/// Words in small letters that belong to the family name behind them.
const PARTICLES: [&str; 14] =
    ["de", "da", "di", "du", "van", "von", "der", "den", "la", "le", "el", "al", "bin", "ter"];

/// Family name and given names, either of which may be empty: `SMITH, John Paul`, `Mr John Paul Smith`, `John SMITH JONES`.
pub(crate) fn split(text: &str) -> (String, String) {
    let text = without_brackets(text);
    if let Some((family, given)) = text.split_once(',') {
        return (joined(&without_titles(family)), joined(&without_titles(given)));
    }
    let words = without_titles(&text);
    if words.len() < 2 {
        return (joined(&words), String::new());
    }
    let is_shouted = |word: &&str| word.chars().count() > 1 && !word.chars().any(char::is_lowercase);
    let shouted = words.iter().rev().take_while(|word| is_shouted(word)).count();
    let family = if shouted > 0 && shouted < words.len() {
        shouted
    } else {
        let before_last = words[..words.len() - 1].iter().rev();
        1 + before_last.take_while(|word| PARTICLES.contains(word)).count().min(words.len() - 2)
    };
    let (given, family) = words.split_at(words.len() - family);
    (joined(family), joined(given))
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let kept = text.chars().filter(|one| {
        match one {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    kept.collect()
}

fn without_titles(text: &str) -> Vec<&str> {
    let is_title = |word: &&str| TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str());
    let words: Vec<&str> = text.split_whitespace().collect();
    let kept: Vec<&str> = words.iter().copied().filter(|word| !is_title(word)).collect();
    // Somebody may be called Master, or Lord.
    if kept.is_empty() { words } else { kept }
}

fn joined(words: &[&str]) -> String {
    words.join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn names_in_one_line_are_told_apart() {
        for (text, family, given) in [
            ("SMITH, John Paul", "SMITH", "John Paul"),
            ("SMITH, John (Mr)", "SMITH", "John"),
            ("Mr. John Paul Smith", "Smith", "John Paul"),
            ("John SMITH JONES", "SMITH JONES", "John"),
            ("JOHN SMITH", "SMITH", "JOHN"),
            ("Anna van der Berg", "van der Berg", "Anna"),
            ("Åsa Marie O'Toole", "O'Toole", "Åsa Marie"),
            ("Smith", "Smith", ""),
            ("Lord", "Lord", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(text), (family.to_owned(), given.to_owned()), "{text}");
        }
    }
}
