//! JSON values as YAML for people: block style, strings quoted as JSON does it where they need quotes (YAML 1.2 contains JSON).

use serde_json::Value;

/// The text.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                out.push_str(&format!("{}{}:", " ".repeat(depth), scalar(name)));
                member(value, depth + 2, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for item in list {
                let mut inner = String::new();
                write(item, depth + 2, &mut inner);
                out.push_str(&format!("{}- {}", " ".repeat(depth), inner.trim_start()));
            }
        }
        plain => out.push_str(&format!("{}{}\n", " ".repeat(depth), leaf(plain))),
    }
}

fn member(value: &Value, depth: usize, out: &mut String) {
    let nested =
        value.as_object().is_some_and(|m| !m.is_empty()) || value.as_array().is_some_and(|l| !l.is_empty());
    if nested {
        out.push('\n');
        return write(value, depth, out);
    }
    match value.as_str().filter(|text| is_block(text)) {
        Some(text) => {
            out.push_str(" |\n");
            for line in text.lines() {
                let indent = if line.is_empty() { String::new() } else { " ".repeat(depth) };
                out.push_str(&format!("{indent}{line}\n"));
            }
        }
        None => out.push_str(&format!(" {}\n", leaf(value))),
    }
}

/// Several lines, of which a block scalar keeps every character.
fn is_block(text: &str) -> bool {
    let plain = |c: char| {
        c == '\n'
            || (!c.is_control() && c != '\u{feff}' && c != '\u{85}' && c != '\u{2028}' && c != '\u{2029}')
    };
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && text.len() > 1
        && !text.starts_with([' ', '\n'])
        && text.chars().all(plain)
}

fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// A string, without quotes only where no reader can take it for anything else.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let word = text.to_ascii_lowercase();
    let special = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&word.as_str());
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(safe) && !special;
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn objects_are_readable_and_unambiguous() {
        let value = json!({
            "apiVersion": "apps/v1", "num": 3, "no": "yes", "empty": {}, "t": "12",
            "list": [{"a": [1, 2], "b": "x y"}, "s"], "text": "one\n two\n",
        });
        let want = "apiVersion: apps/v1\nempty: {}\nlist:\n  - a:\n      - 1\n      - 2\n    b: \"x y\"\n  - s\n\
                    \"no\": \"yes\"\nnum: 3\nt: \"12\"\ntext: |\n  one\n   two\n";
        assert_eq!(super::text(&value), want);
    }
}
