//! Ids that stand in JSON on the command line: `--cli-input-json '{"InstanceIds": ["i-1"]}'`.

use serde_json::Value;

use super::Reader;

/// Options whose value holds all parameters.
pub const ALL: &[&str] = &["--cli-input-json", "--cli-input-yaml"];

/// The ids in a document of parameters, most telling first; `None` where the words do not show it.
pub fn ids(out: &Reader<'_>, noun: &str) -> Option<Vec<String>> {
    let text = ALL.iter().find_map(|name| out.words.text(name))?;
    let document: Value = serde_json::from_str(&text).ok()?;
    let fields = document.as_object()?;
    let noun: String =
        noun.chars().filter(|c| *c != '-').collect::<String>().trim_end_matches('s').to_lowercase();
    let looks = |name: &str| {
        ["Id", "Ids", "Identifier", "Name", "Names", "Arn", "Url"].iter().any(|end| name.ends_with(end))
            || matches!(name, "name" | "id" | "arn")
    };
    let telling = fields.iter().find(|(name, _)| looks(name) && name.to_lowercase().contains(&noun));
    let (_, value) = telling.or_else(|| fields.iter().find(|(name, _)| looks(name)))?;
    let texts = match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    };
    (!texts.is_empty()).then_some(texts)
}
