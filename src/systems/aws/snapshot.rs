//! The recorded state of some things of an account: a document that names each, and its JSON as received.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ExitCode, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// How a document begins: tells it from the documents of other systems.
const FRONT: &[u8] = b"{\"aws\":";
const VERSION: u32 = 1;

/// Which account, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number; empty where it was not told.
    pub id: String,
    /// Who asked.
    pub arn: String,
    /// The region that counted.
    pub region: String,
}

/// The name of a thing: its kind and its ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `iam:role`
    pub kind: String,
    /// In the order of its kind.
    pub ids: Vec<String>,
}

impl Key {
    /// Of a kind, by ids.
    pub fn new(kind: &str, ids: &[&str]) -> Key {
        Key { kind: kind.to_owned(), ids: ids.iter().map(|id| (*id).to_owned()).collect() }
    }

    /// An id; empty where there is none.
    pub fn id(&self, at: usize) -> &str {
        self.ids.get(at).map_or("", String::as_str)
    }

    /// As a list of texts, since ids may hold anything.
    pub fn encode(&self) -> String {
        let all: Vec<&str> = std::iter::once(&self.kind).chain(&self.ids).map(String::as_str).collect();
        serde_json::to_string(&all).unwrap_or_default()
    }

    /// Reads it back.
    pub fn decode(text: &str) -> Option<Key> {
        let mut all: Vec<String> = serde_json::from_str(text).ok()?;
        (!all.is_empty()).then(|| Key { kind: all.remove(0), ids: all })
    }

    /// For people: `aws:iam:role:ops`.
    pub fn shown(&self) -> String {
        let name =
            super::kinds::by_id(&self.kind).map(|kind| kind.shown.clone()).filter(|shown| !shown.is_empty());
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).filter(|id| !id.is_empty()).collect();
        let (name, ids) = (name.unwrap_or_else(|| self.kind.clone()), ids.join("/"));
        if let Some(rest) = self.kind.strip_prefix(super::read::ANY) {
            return format!("aws:what {rest} tells");
        }
        if name.contains("{}") {
            format!("aws:{}", name.replace("{}", &ids))
        } else {
            format!("aws:{name}:{ids}")
        }
    }
}

/// One thing that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The identity of its normal form.
    pub digest: ObjectId,
    /// Its JSON as received.
    pub json: ObjectId,
    /// An object of S3, as listings tell of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Listed>,
    /// Its content in pieces, where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Vec<ObjectId>>,
}

/// An object of S3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its entity tag.
    pub etag: String,
    /// Its size.
    pub size: u64,
    /// Its version; empty or `null` where the bucket keeps none.
    pub version: String,
    /// The size of its parts, where it was written in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u64>,
    /// When it was written, as the service says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modified: String,
    /// It was written so shortly before it was looked at that a later write may have the same time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
}

/// A state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    aws: u32,
    /// Whose.
    pub account: Account,
    /// The operation before which it was taken: `iam delete-role`.
    pub operation: String,
    /// What was looked at, by name; `None` where it was not there.
    parts: BTreeMap<String, Option<Part>>,
}

impl Snapshot {
    /// Nothing looked at yet.
    pub fn new(account: Account, operation: &str) -> Snapshot {
        Snapshot { aws: VERSION, account, operation: operation.to_owned(), parts: BTreeMap::new() }
    }

    /// Notes what was found, or that it is not there.
    pub fn set(&mut self, key: &Key, part: Option<Part>) {
        self.parts.insert(key.encode(), part);
    }

    /// One of them, where it was there.
    pub fn part(&self, key: &Key) -> Option<&Part> {
        self.parts.get(&key.encode()).and_then(Option::as_ref)
    }

    /// It was looked at.
    pub fn covers(&self, key: &Key) -> bool {
        self.parts.contains_key(&key.encode())
    }

    /// What was looked at, and what was there.
    pub fn parts(&self) -> impl Iterator<Item = (Key, Option<&Part>)> {
        self.parts.iter().filter_map(|(text, part)| Some((Key::decode(text)?, part.as_ref())))
    }

    /// How many were there.
    pub fn count(&self) -> u64 {
        self.parts.values().flatten().count() as u64
    }

    /// Nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What its equality is: the normal forms of what is there.
    fn digest(&self) -> ObjectId {
        let mut text = String::new();
        for (name, part) in &self.parts {
            if let Some(part) = part {
                text.push_str(&format!("{name} {}\n", part.digest));
            }
        }
        ObjectId::of(ObjectKind::State, text.as_bytes())
    }

    /// Stores the document.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::failure(format!("cannot encode the state of an account: {e}")))?;
        Ok(StateRef { digest: self.digest(), object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads it back.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Snapshot> {
        let id = state.object.ok_or_else(|| Error::corrupt("a capture of an account without its state"))?;
        Snapshot::decode(&id, &source.get(&id)?)
    }

    fn decode(id: &ObjectId, text: &[u8]) -> Result<Snapshot> {
        let snapshot: Snapshot = serde_json::from_slice(text)
            .map_err(|e| Error::corrupt(format!("object {} is no state of an account: {e}", id.short())))?;
        if snapshot.aws > VERSION {
            let what = format!("the account's state has format {}, this fr knows {VERSION}", snapshot.aws);
            return Err(Error::new(ExitCode::NewerStore, what));
        }
        Ok(snapshot)
    }

    /// The objects that a document names; nothing where it is another system's.
    pub fn references(content: &[u8]) -> Result<Vec<ObjectId>> {
        if !content.starts_with(FRONT) {
            return Ok(Vec::new());
        }
        let snapshot = Snapshot::decode(&ObjectId::of(ObjectKind::State, content), content)?;
        let of = |part: &Part| std::iter::once(part.json).chain(part.body.clone().unwrap_or_default());
        Ok(snapshot.parts.values().flatten().flat_map(of).collect())
    }

    /// The JSON of a part.
    pub fn value(part: &Part, source: &dyn ObjectSource) -> Result<Value> {
        let bytes = source.get(&part.json)?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::corrupt(format!("object {} is no JSON: {e}", part.json.short())))
    }
}
