//! YAML, by `serde-saphyr`: what people read and write. What it holds may come from anybody, so documents are bounded:
//! aliases that multiply, deep nesting and endless lists are errors.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The most values in one text, aliases followed.
const NODES: usize = 50_000;
/// The most aliases.
const ALIASES: usize = 1_000;
/// The most values in one text that is no more than our own settings or a manifest's names.
const DOCUMENTS: usize = 1_024;

/// A value as text for people: block style, texts of several lines as they are, quotes wherever some reader could take a
/// text for something else (`y`, `012`, `12:30`).
///
/// # Errors
/// Where it is no data.
pub fn text<T: Serialize>(value: &T) -> Result<String> {
    // A folded text cannot be compared by eye.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: 1_000_000, compact_list_indent: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|e| Error::failure(format!("this cannot be written as YAML: {e}")))
}

/// The documents of a text; empty ones are passed over.
///
/// # Errors
/// Where it is not YAML, of another shape, or over the bounds.
pub fn documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>> {
    let mut budget = serde_saphyr::Budget::default();
    (budget.max_nodes, budget.max_aliases, budget.max_documents) = (NODES, ALIASES, DOCUMENTS);
    let options = serde_saphyr::options! { budget: Some(budget) };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|e| {
        let said = e.to_string();
        Error::failure(said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_readable_unambiguous_and_the_same_when_it_is_read() {
        let value = json!({
            "apiVersion": "apps/v1", "num": 3, "no": "yes", "y": "n", "empty": {}, "t": "12", "time": "12:30:00",
            "list": [{"a": [1, 2], "b": "x y"}, "s"], "text": "one\n two\n", "cr": "a\r\nb\n", "esc": "\u{1b}[31m",
        });
        let text = text(&value).unwrap();
        for line in
            ["\"y\": \"n\"", "\"no\": \"yes\"", "t: \"12\"", "text: |\n  one\n   two\n", "esc: \"\\e[31m\""]
        {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert_eq!(documents::<Value>(&text).unwrap(), [value]);
    }

    #[test]
    fn bombs_and_nonsense_are_errors_and_take_no_time() {
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (name, of) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
            bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(",")));
        }
        let deep = "[".repeat(100_000);
        let begun = std::time::Instant::now();
        for text in [bomb.as_str(), deep.as_str(), "a: [", "\t- x: *nowhere", "a: b: c"] {
            assert!(documents::<Value>(text).is_err(), "{text:.60}");
        }
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        assert_eq!(
            documents::<Value>("---\n---\na: 1\n---\nb: 2\n").unwrap(),
            [json!({"a": 1}), json!({"b": 2})]
        );
    }
}
