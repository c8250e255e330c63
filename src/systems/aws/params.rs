//! The parameters of a command, as far as its words and the documents that they name tell them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::kinds::{Kind, Parameter};
use super::snapshot::Key;
use super::words::{Words, is_short_for};
use crate::model::{Bytes, Word};

/// The most bytes of a document that is read.
const MOST: u64 = 4 << 20;

/// The parameters of an operation.
pub struct Params {
    /// `iam`
    pub service: String,
    /// `delete-role`
    pub op: String,
    /// Options with their values, documents in the place of `file://`.
    pub options: Vec<(String, Vec<String>)>,
    /// `--cli-input-json`
    document: Map<String, Value>,
}

impl Params {
    /// Reads a command's own arguments, seen from the directory that it runs in.
    pub fn of(args: &[String], cwd: &Bytes) -> Params {
        let args: Vec<Word> = args.iter().map(|text| Word::literal(text.as_str())).collect();
        let words = Words::split(&args);
        let text = |word: &Word| {
            let text = word.text.lossy().into_owned();
            match text.strip_prefix("file://") {
                Some(path) => read(&cwd.join(path.as_bytes())).unwrap_or(text),
                None => text,
            }
        };
        let options: Vec<(String, Vec<String>)> = words
            .options
            .iter()
            .map(|(name, values)| (name.clone(), values.iter().map(text).collect()))
            .collect();
        let all = options
            .iter()
            .find(|(name, _)| name == "--cli-input-json")
            .and_then(|(_, values)| values.first());
        let document = all.and_then(|text| serde_json::from_str::<Value>(text).ok());
        Params {
            service: words.operand(0).to_owned(),
            op: words.operand(1).to_owned(),
            options,
            document: document.and_then(|d| d.as_object().cloned()).unwrap_or_default(),
        }
    }

    /// The texts that a parameter has.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let option = self.option(name).map(|(_, values)| values.clone()).unwrap_or_default();
        if let [one] = option.as_slice()
            && let Ok(Value::Array(list)) = serde_json::from_str(one)
        {
            return list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        if !option.is_empty() {
            return option;
        }
        match self.document.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::Null) | None => Vec::new(),
            Some(other) => vec![other.to_string()],
        }
    }

    /// A parameter that is a document: JSON, or the shorthand of the command line.
    pub fn value(&self, name: &str) -> Option<Value> {
        match self.option(name) {
            Some((_, values)) => {
                let text = values.join(" ");
                document(&text)
            }
            None => self.document.get(name).cloned(),
        }
    }

    fn option(&self, name: &str) -> Option<&(String, Vec<String>)> {
        let plain = |text: &str| text.chars().filter(|c| *c != '-').collect::<String>().to_lowercase();
        let wanted = plain(name);
        let exact = self.options.iter().rev().find(|(option, _)| plain(option) == wanted);
        let option = format!("--{wanted}");
        exact.or_else(|| {
            self.options.iter().rev().find(|(o, _)| is_short_for(&format!("--{}", plain(o)), &option))
        })
    }

    /// The things of a kind that the parameters name.
    pub fn keys(&self, kind: &Kind) -> Vec<Key> {
        let mut lists: Vec<Vec<String>> = Vec::new();
        for parameter in kind.parameters() {
            let texts = self.of_parameter(&parameter);
            match (texts.is_empty(), parameter.is_optional) {
                (true, true) => lists.push(vec![String::new()]),
                (true, false) => return Vec::new(),
                (false, _) => lists.push(texts),
            }
        }
        let mut all: Vec<Vec<String>> = vec![Vec::new()];
        for list in lists {
            let with = |front: &Vec<String>| {
                list.iter()
                    .map(|id| front.iter().cloned().chain([id.clone()]).collect())
                    .collect::<Vec<Vec<String>>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        all.into_iter().map(|ids| Key { kind: kind.id(), ids }).collect()
    }

    fn of_parameter(&self, parameter: &Parameter<'_>) -> Vec<String> {
        for name in &parameter.names {
            if parameter.is_json {
                if let Some(value) = self.value(name) {
                    return vec![value.to_string()];
                }
                continue;
            }
            // `SubscriptionArn<`: what it belongs to is what stands before its last colon.
            let (name, is_within) = name.strip_suffix('<').map_or((*name, false), |name| (name, true));
            let mut texts = self.texts(name);
            if is_within {
                let owner =
                    |text: &String| text.rsplit_once(':').map_or_else(|| text.clone(), |(o, _)| o.to_owned());
                texts = texts.iter().map(owner).collect();
            }
            if !texts.is_empty() {
                return texts;
            }
        }
        Vec::new()
    }

    /// True where the operation removes something.
    pub fn removes(&self) -> bool {
        const VERBS: &[&str] =
            &["delete-", "terminate-", "deregister-", "release-", "remove-", "batch-delete-", "schedule-"];
        VERBS.iter().any(|verb| self.op.starts_with(verb))
    }

    /// The options that most likely name something, with their values: for operations that are not known.
    pub fn naming(&self) -> BTreeMap<String, Vec<String>> {
        const ENDS: &[&str] = &["-id", "-ids", "-identifier", "-name", "-names", "-arn", "-arns", "-url"];
        const WHOLE: &[&str] =
            &["--name", "--id", "--arn", "--names", "--ids", "--cluster", "--service", "--rule"];
        let names = |n: &str| WHOLE.contains(&n) || ENDS.iter().any(|end| n.ends_with(end));
        self.options.iter().filter(|(name, values)| names(name) && !values.is_empty()).cloned().collect()
    }
}

fn read(path: &Bytes) -> Option<String> {
    let path: PathBuf = path.as_path().to_path_buf();
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A value that is a document: JSON, or the shorthand of the command line.
pub fn document(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| shorthand(text))
}

/// The command line's shorthand: `Objects=[{Key=a},{Key=b}],Quiet=true`.
fn shorthand(text: &str) -> Option<Value> {
    let mut at = Shorthand { rest: text };
    let value = at.fields(None)?;
    at.rest.is_empty().then_some(value)
}

struct Shorthand<'t> {
    rest: &'t str,
}

impl Shorthand<'_> {
    fn take(&mut self, c: char) -> bool {
        self.rest.strip_prefix(c).map(|rest| self.rest = rest).is_some()
    }

    fn fields(&mut self, end: Option<char>) -> Option<Value> {
        let mut fields = Map::new();
        loop {
            let (name, rest) = self.rest.split_once('=')?;
            self.rest = rest;
            let value = self.value(end)?;
            fields.insert(name.trim().to_owned(), value);
            match end {
                Some(end) if self.take(end) => return Some(Value::Object(fields)),
                None if self.rest.is_empty() => return Some(Value::Object(fields)),
                _ if self.take(',') => {}
                _ => return None,
            }
        }
    }

    fn value(&mut self, end: Option<char>) -> Option<Value> {
        if self.take('{') {
            return self.fields(Some('}'));
        }
        if self.take('[') {
            let mut list = Vec::new();
            while !self.take(']') {
                list.push(if self.take('{') { self.fields(Some('}'))? } else { self.text(Some(']'))? });
                self.take(',');
            }
            return Some(Value::Array(list));
        }
        self.text(end)
    }

    fn text(&mut self, end: Option<char>) -> Option<Value> {
        for quote in ['\'', '"'] {
            if self.take(quote) {
                let (text, rest) = self.rest.split_once(quote)?;
                self.rest = rest;
                return Some(Value::from(text));
            }
        }
        let stop = |c: char| c == ',' || Some(c) == end;
        let at = self.rest.find(stop).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(at);
        self.rest = rest;
        Some(match text {
            "true" => Value::from(true),
            "false" => Value::from(false),
            text => Value::from(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(line: &str) -> Params {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Params::of(&args, &Bytes::from("/"))
    }

    #[test]
    fn names_come_from_options_abbreviations_and_documents() {
        let kind = Kind {
            service: "ec2".into(),
            name: "instance".into(),
            ids: vec!["InstanceId|InstanceIds".into()],
            ..Kind::default()
        };
        let ids =
            |line: &str| params(line).keys(&kind).into_iter().map(|key| key.ids.concat()).collect::<Vec<_>>();
        assert_eq!(ids("ec2 terminate-instances --instance-ids i-1 i-2"), ["i-1", "i-2"]);
        assert_eq!(ids("ec2 terminate-instances --instance-id i-1"), ["i-1"]);
        assert_eq!(ids(r#"ec2 terminate-instances --instance-ids ["i-1","i-2"]"#), ["i-1", "i-2"]);
        assert_eq!(ids(r#"ec2 terminate-instances --cli-input-json {"InstanceIds":["i-3"]}"#), ["i-3"]);
        assert!(ids("ec2 terminate-instances --region x").is_empty());
    }

    #[test]
    fn shorthand_is_read() {
        let value =
            params("s3api delete-objects --delete Objects=[{Key=a},{Key=b/c,VersionId=v}],Quiet=true")
                .value("Delete");
        assert_eq!(
            value,
            Some(json!({"Objects": [{"Key": "a"}, {"Key": "b/c", "VersionId": "v"}], "Quiet": true}))
        );
    }
}
