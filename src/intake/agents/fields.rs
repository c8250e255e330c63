//! The fields of a payload by name. Agents that spell the same field in two ways (`sessionId`, `session_id`), or change a
//! field's type from one version to the next, are read through this: a field of a type that is not expected is a field
//! that is not there, never a reason to lose the event.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::payload::{Flag, Text, WireString, contains};
use crate::model::Bytes;

/// The top-level fields of a JSON object.
pub struct Fields<'a> {
    text: &'a Text<'a>,
    fields: BTreeMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// Those of a whole payload.
    ///
    /// # Errors
    /// Where it is no JSON object.
    pub fn of(text: &'a Text<'a>) -> serde_json::Result<Fields<'a>> {
        Ok(Fields { text, fields: text.parse()? })
    }

    /// Those of a part; none where it is no object.
    pub fn part(&self, names: &[&str]) -> Fields<'a> {
        let fields = self.raw(names).and_then(|raw| serde_json::from_str(raw.get()).ok());
        Fields { text: self.text, fields: fields.unwrap_or_default() }
    }

    /// The payload that the fields are from.
    pub fn text(&self) -> &'a Text<'a> {
        self.text
    }

    /// True where one of these fields is there and not `null`.
    pub fn has(&self, names: &[&str]) -> bool {
        self.raw(names).is_some()
    }

    /// The first of these fields that is there and not `null`, as it came.
    pub fn raw(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().filter_map(|name| self.fields.get(*name).copied()).find(|raw| raw.get() != "null")
    }

    /// The first of these fields that is a string.
    pub fn bytes(&self, names: &[&str]) -> Option<Vec<u8>> {
        let strings = names.iter().filter_map(|name| self.fields.get(*name).copied());
        strings.filter_map(|raw| self.text.part::<WireString>(Some(raw))).map(|s| self.text.bytes(s)).next()
    }

    /// The same as text, for ids and names; `None` where it is empty.
    pub fn string(&self, names: &[&str]) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes(names)?).into_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    /// The first of these fields that is a list of strings.
    pub fn list(&self, names: &[&str]) -> Option<Vec<Bytes>> {
        let lists = names.iter().filter_map(|name| self.fields.get(*name).copied());
        let list = lists.filter_map(|raw| self.text.part::<Vec<WireString>>(Some(raw))).next()?;
        Some(list.into_iter().map(|string| Bytes(self.text.bytes(string))).collect())
    }

    /// The objects in the first of these fields that is a list of objects.
    pub fn each(&self, names: &[&str]) -> Vec<Fields<'a>> {
        let list =
            |raw: &'a RawValue| serde_json::from_str::<Vec<BTreeMap<String, &'a RawValue>>>(raw.get()).ok();
        let lists = names.iter().filter_map(|name| self.fields.get(*name).copied());
        let found = lists.filter_map(list).next().unwrap_or_default();
        found.into_iter().map(|fields| Fields { text: self.text, fields }).collect()
    }

    /// True where one of these fields is a flag that is set.
    pub fn flag(&self, names: &[&str]) -> bool {
        names
            .iter()
            .filter_map(|name| self.text.part::<Flag>(self.fields.get(*name).copied()))
            .any(|flag| flag.0)
    }

    /// A directory. A relative one says nothing: relative to what?
    pub fn directory(&self, names: &[&str]) -> Bytes {
        self.bytes(names).filter(|dir| dir.starts_with(b"/")).map(Bytes).unwrap_or_default()
    }
}

/// Whether a payload may have a field of this name: one look over the bytes, before anything is parsed.
pub fn mentions(payload: &[u8], name: &str) -> bool {
    contains(payload, format!("\"{name}\"").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_not_there() {
        let text = Text::new(
            br#"{"a":3,"b":"x","c":["y",1],"d":["y"],"e":null,"f":"true","g":{"h":"z"},"cwd":"rel"}"#,
        );
        let fields = Fields::of(&text).unwrap();
        assert_eq!(fields.string(&["a", "b"]).as_deref(), Some("x"));
        assert_eq!((fields.list(&["c"]), fields.list(&["d"]).unwrap().len()), (None, 1));
        assert_eq!((fields.has(&["e"]), fields.has(&["a"]), fields.has(&["z"])), (false, true, false));
        assert!(fields.flag(&["f"]) && !fields.flag(&["a"]));
        assert_eq!(fields.part(&["g"]).string(&["h"]).as_deref(), Some("z"));
        assert!(!fields.part(&["b"]).has(&["h"]));
        assert!(fields.directory(&["cwd"]).is_empty());
    }
}
