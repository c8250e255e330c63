//! The recorded state of some objects of a cluster: a document that names each and its JSON as received.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::kinds;
use super::object::{Key, Object};
use super::release::Releases;
use crate::error::{Error, ExitCode, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// How a document begins: tells it from the documents of other systems.
const FRONT: &[u8] = b"{\"kubernetes\":";
const VERSION: u32 = 1;

/// A state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    kubernetes: u32,
    /// Which cluster.
    pub cluster: Identity,
    /// What was looked at, by name; `None` where it was not there.
    objects: BTreeMap<String, Option<Entry>>,
    /// The releases of Helm's whose objects these are: whatever carries their names belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<Releases>,
}

/// One object that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its JSON as received.
    pub object: ObjectId,
    /// The identity of its normal form.
    pub digest: ObjectId,
    /// Its own identity.
    pub uid: String,
    /// The version of its kind that it was read as.
    pub version: String,
    /// It was being deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub going: bool,
    /// A controller makes it anew: it is kept, and not restored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

impl Entry {
    /// There to stay.
    pub fn is_there(&self) -> bool {
        !self.going
    }
}

impl Snapshot {
    /// Nothing looked at yet.
    pub fn new(cluster: Identity) -> Snapshot {
        Snapshot { kubernetes: VERSION, cluster, objects: BTreeMap::new(), releases: None }
    }

    /// Stores the objects that were found and notes them. `raw` is their JSON as received.
    pub fn add(&mut self, found: &[(Object, String)], sink: &dyn ObjectSink) -> Result<u64> {
        let all: Vec<&Object> = found.iter().map(|(object, _)| object).collect();
        let services = kinds::selecting_services(&all);
        let mut bytes = 0;
        for (object, raw) in found {
            bytes += raw.len() as u64;
            let entry = Entry {
                object: sink.put(ObjectKind::Blob, raw.as_bytes())?,
                digest: object.digest(),
                uid: object.uid().to_owned(),
                version: object.version.clone(),
                going: object.is_going(),
                left: kinds::is_left(object, &services),
            };
            self.objects.insert(object.key.to_string(), Some(entry));
        }
        Ok(bytes)
    }

    /// Notes that something is not there, unless it is.
    pub fn add_absent(&mut self, key: &Key) {
        self.objects.entry(key.to_string()).or_insert(None);
    }

    /// Notes an object that is stored already.
    pub fn set(&mut self, key: &Key, entry: Option<Entry>) {
        self.objects.insert(key.to_string(), entry);
    }

    /// What was looked at, in order.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.objects.keys().filter_map(|text| Key::parse(text))
    }

    /// What was looked at, and what is known of it since (of a release that stands nowhere before it is made).
    pub fn keys_with(&self, after: Option<&Snapshot>) -> BTreeSet<Key> {
        let later = after.filter(|_| self.releases.is_some()).into_iter().flat_map(Snapshot::keys);
        self.keys().chain(later).collect()
    }

    /// What was looked at and whether it was there.
    pub fn entries(&self) -> impl Iterator<Item = (Key, Option<&Entry>)> {
        self.objects.iter().filter_map(|(text, entry)| Some((Key::parse(text)?, entry.as_ref())))
    }

    /// One object.
    pub fn entry(&self, key: &Key) -> Option<&Entry> {
        self.objects.get(&key.to_string()).and_then(Option::as_ref)
    }

    /// True where it was looked at.
    pub fn covers(&self, key: &Key) -> bool {
        self.objects.contains_key(&key.to_string())
    }

    /// How many objects are there.
    pub fn count(&self) -> u64 {
        self.objects.values().flatten().count() as u64
    }

    /// True where nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What its equality is: the normal forms of what is there to stay. What controllers make anew does not count.
    pub fn digest(&self) -> ObjectId {
        let mut text = String::new();
        for (name, entry) in &self.objects {
            if let Some(entry) = entry.as_ref().filter(|e| e.is_there() && !e.left) {
                text.push_str(&format!("{name} {}\n", entry.digest));
            }
        }
        ObjectId::of(ObjectKind::State, text.as_bytes())
    }

    /// Stores the document.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::failure(format!("cannot encode the state of a cluster: {e}")))?;
        Ok(StateRef { digest: self.digest(), object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads it back.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Snapshot> {
        let id = state.object.ok_or_else(|| Error::corrupt("a capture of a cluster without its state"))?;
        Snapshot::decode(&id, &source.get(&id)?)
    }

    /// Reads the document of this name.
    pub fn decode(id: &ObjectId, text: &[u8]) -> Result<Snapshot> {
        let snapshot: Snapshot = serde_json::from_slice(text)
            .map_err(|e| Error::corrupt(format!("object {} is no state of a cluster: {e}", id.short())))?;
        if snapshot.kubernetes > VERSION {
            let what =
                format!("the cluster's state has format {}, this fr knows {VERSION}", snapshot.kubernetes);
            return Err(Error::new(ExitCode::NewerStore, what));
        }
        Ok(snapshot)
    }

    /// The objects that a document names; nothing where it is another system's.
    pub fn references(content: &[u8]) -> Result<Vec<ObjectId>> {
        if !content.starts_with(FRONT) {
            return Ok(Vec::new());
        }
        let id = ObjectId::of(ObjectKind::State, content);
        let snapshot = Snapshot::decode(&id, content)?;
        Ok(snapshot.objects.values().flatten().map(|entry| entry.object).collect())
    }

    /// An object with all its fields.
    pub fn object(entry: &Entry, source: &dyn ObjectSource) -> Result<Object> {
        let bytes = source.get(&entry.object)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::corrupt(format!("object {} is not UTF-8", entry.object.short())))?;
        Object::parse(text)
    }
}
