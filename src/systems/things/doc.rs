//! The document: what was looked at, by name, and what was there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::error::{Error, ExitCode, Result};
use crate::model::{
    Bytes, Capture, Change, ChangeKind, Locator, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef,
};
use crate::systems::Held;

const VERSION: u32 = 1;
/// Option of a locator: the names of the things, one a line.
const NAMES: &str = "things";

/// A state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Things {
    things: u32,
    of: String,
    /// Where it was read: what must be the same when it is compared and written (a daemon's id, a server's name).
    pub place: BTreeMap<String, String>,
    all: BTreeMap<String, Option<Thing>>,
    /// The identities of things that were there and were not looked at: none of them was made by the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
}

/// One thing that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// The identity of its normal form.
    pub digest: ObjectId,
    /// What it is doing (`running`), where that counts for equality and comes and goes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// Its own identity, where it has one: another one of the same name and form is another thing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its description, as received.
    pub object: ObjectId,
    /// Contents beside the description.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Part>,
    /// What else its system needs. Nothing secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Thing {
    /// A thing with a description, which is its normal form too until the system says otherwise.
    pub fn new(description: &[u8], sink: &dyn ObjectSink) -> Result<Thing> {
        let object = sink.put(ObjectKind::Blob, description)?;
        Ok(Thing {
            digest: object,
            state: String::new(),
            id: String::new(),
            object,
            parts: BTreeMap::new(),
            facts: BTreeMap::new(),
        })
    }

    /// The same thing in the same form, doing the same.
    pub fn is(&self, other: &Thing) -> bool {
        self.looks_like(other) && self.id == other.id
    }

    /// Equal, perhaps with another identity.
    pub fn looks_like(&self, other: &Thing) -> bool {
        self.digest == other.digest && self.state == other.state
    }

    /// A fact; empty where it is not known.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl Things {
    /// Nothing looked at yet.
    pub fn new(of: &str, place: BTreeMap<String, String>) -> Things {
        Things { things: VERSION, of: of.to_owned(), place, all: BTreeMap::new(), known: Vec::new() }
    }

    /// Notes what was found under a name; `None`: it is not there.
    pub fn note(&mut self, name: &str, thing: Option<Thing>) {
        self.all.insert(name.to_owned(), thing);
    }

    /// Notes the identities of what was there besides.
    pub fn know(&mut self, ids: Vec<String>) {
        self.known = ids;
    }

    /// It was there, whatever it was called.
    pub fn knows(&self, thing: &Thing) -> bool {
        self.known.contains(&thing.id)
    }

    /// What was looked at, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// What was looked at and what was there.
    pub fn all(&self) -> impl Iterator<Item = (&str, Option<&Thing>)> {
        self.all.iter().map(|(name, thing)| (name.as_str(), thing.as_ref()))
    }

    /// What was there under a name.
    pub fn get(&self, name: &str) -> Option<&Thing> {
        self.all.get(name).and_then(Option::as_ref)
    }

    /// True where it was looked at.
    pub fn covers(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    /// True where nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many things were there.
    pub fn count(&self) -> u64 {
        self.all.values().flatten().count() as u64
    }

    /// The bytes of the contents beside the descriptions.
    pub fn bytes(&self) -> u64 {
        self.all.values().flatten().flat_map(|t| t.parts.values()).map(|part| part.bytes).sum()
    }

    /// Only one of them.
    pub fn only(&self, name: &str) -> Things {
        let all = self.all.iter().filter(|(n, _)| n.as_str() == name);
        Things { all: all.map(|(n, t)| (n.clone(), t.clone())).collect(), ..self.clone() }
    }

    fn digest(&self) -> ObjectId {
        let mut text = String::new();
        for (name, thing) in &self.all {
            if let Some(thing) = thing {
                text.push_str(&format!("{name}\0{}\0{}\n", thing.digest, thing.state));
            }
        }
        ObjectId::of(ObjectKind::State, text.as_bytes())
    }

    /// Stores the document.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let text =
            serde_json::to_vec(self).map_err(|e| Error::failure(format!("cannot encode a state: {e}")))?;
        Ok(StateRef { digest: self.digest(), object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads it back.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Things> {
        let id = state.object.ok_or_else(|| Error::corrupt("a capture without its state"))?;
        Things::decode(&id, &source.get(&id)?)
    }

    fn decode(id: &ObjectId, text: &[u8]) -> Result<Things> {
        let things: Things = serde_json::from_slice(text)
            .map_err(|e| Error::corrupt(format!("object {} is no state of things: {e}", id.short())))?;
        if things.things > VERSION {
            let what = format!("a state has format {}, this fr knows {VERSION}", things.things);
            return Err(Error::new(ExitCode::NewerStore, what));
        }
        Ok(things)
    }

    /// The objects that a document of this system names; nothing where it is another's.
    pub fn references(of: &str, kind: ObjectKind, content: &[u8]) -> Result<Vec<ObjectId>> {
        let own = format!("\"of\":\"{of}\",");
        let front = content.get(..64.min(content.len())).unwrap_or_default();
        let is_own = kind == ObjectKind::State
            && front.starts_with(b"{\"things\":")
            && memchr::memmem::find(front, own.as_bytes()).is_some();
        if !is_own {
            return Ok(Vec::new());
        }
        let things = Things::decode(&ObjectId::of(kind, content), content)?;
        let of = |thing: &Thing| -> Vec<ObjectId> {
            let parts = thing.parts.values().flat_map(|part| part.chunks.iter().copied());
            std::iter::once(thing.object).chain(parts).collect()
        };
        Ok(things.all.values().flatten().flat_map(of).collect())
    }
}

/// A locator that says which things are meant, at a place.
pub fn locator_of<'n>(mut place: Locator, names: impl Iterator<Item = &'n str>) -> Locator {
    let names: Vec<&str> = names.collect();
    place.opts.insert(NAMES.to_owned(), Bytes::from(names.join("\n")));
    place
}

/// The things that a locator means; `None` where it does not say.
pub fn names_of(locator: &Locator) -> Option<Vec<String>> {
    let names = locator.opts.get(NAMES)?.lossy().into_owned();
    Some(names.lines().map(str::to_owned).collect())
}

/// What an earlier capture holds of what a later one covers.
pub fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<Held> {
    let (outer, inner) = (Things::load(&outer.state, source)?, Things::load(&inner.state, source)?);
    if outer.place != inner.place || !inner.names().all(|name| outer.covers(name)) {
        return Ok(Held::Nothing);
    }
    let same = inner.all().all(|(name, thing)| match (thing, outer.get(name)) {
        (Some(inner), Some(outer)) => inner.looks_like(outer),
        (None, None) => true,
        _ => false,
    });
    Ok(if same { Held::Same } else { Held::Other })
}

/// What differs between two states, for people. `shown` makes a description fit for a terminal.
pub fn changes(
    before: &StateRef,
    after: Option<&StateRef>,
    source: &dyn ObjectSource,
    shown: &dyn Fn(&str, &[u8]) -> Option<String>,
) -> Result<Vec<Change>> {
    let old = Things::load(before, source)?;
    let new = after.map(|after| Things::load(after, source)).transpose()?;
    let text = |name: &str, thing: Option<&Thing>| -> Result<Option<Bytes>> {
        let Some(thing) = thing else { return Ok(None) };
        let mut text = source.get(&thing.object).ok().and_then(|bytes| shown(name, &bytes));
        if !thing.state.is_empty() {
            text = Some(format!("state: {}\n{}", thing.state, text.unwrap_or_default()));
        }
        Ok(text.map(Bytes::from))
    };
    let names: BTreeSet<&str> = old.names().chain(new.iter().flat_map(Things::names)).collect();
    let mut out = Vec::new();
    for name in names {
        let (b, a) = (old.get(name), new.as_ref().map(|new| new.get(name)));
        let how = match (b, a) {
            (_, None) => ChangeKind::Unknown,
            (None, Some(None)) => continue,
            (Some(b), Some(Some(a))) if b.looks_like(a) => continue,
            (None, Some(Some(_))) => ChangeKind::Added,
            (Some(_), Some(None)) => ChangeKind::Removed,
            (Some(_), Some(Some(_))) => ChangeKind::Changed,
        };
        let what = Bytes::from(format!("{}:{name}", old.of));
        out.push(Change { what, how, before: text(name, b)?, after: text(name, a.flatten())? });
    }
    Ok(out)
}
