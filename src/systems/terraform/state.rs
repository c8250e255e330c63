//! A root module at one moment as a stored document. It and the objects that it names hold secrets: they are in the store
//! and nowhere else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cli::Cli;
use super::place::Place;
use super::snapshot::{Resource, Snapshot};
use super::what::What;
use crate::error::{Error, ExitCode, Result};
use crate::model::{Bytes, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// The version of [`RootState`]. A reader refuses what is newer.
const VERSION: u32 = 1;

/// How a stored document of this kind begins.
const FRONT: &[u8] = b"{\"terraform\"";

/// A root module, one of its workspaces, and what its data directory says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootState {
    /// The directory of the root module. First, so that a document is known by its beginning.
    pub terraform: Bytes,
    /// Format of this document.
    pub version: u32,
    /// `terraform` or `tofu`.
    pub program: String,
    /// The workspace.
    pub workspace: String,
    /// The data directory.
    pub data_dir: Bytes,
    /// The backend's type.
    pub backend: String,
    /// The state of the workspace; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Kept>,
    /// The state could not be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Where a local backend keeps the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Bytes>,
    /// The workspace is there; `None` where that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Which workspace is selected.
    pub selected: String,
    /// What the data directory says of the backend; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<ObjectId>,
    /// The lock file of providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locks: Option<ObjectId>,
    /// What the command carried: variables of its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Bytes>,
    /// Its `-var` and `-var-file`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vars: Vec<Bytes>,
    /// The files of the configuration, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, ObjectId>,
    /// Of the modules that were fetched, the files that say what becomes of addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetched: Vec<Fetched>,
    /// Files that belong to it and are no configuration: terraform's own backup of the state, a saved plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, ObjectId>,
    /// The commit of the repository around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// A file of a fetched module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The names of the calls that lead to its module, with dots between them.
    pub module: String,
    /// Where it lay.
    pub path: String,
    /// What was in it.
    pub object: ObjectId,
}

/// A state that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its bytes, as they were received.
    pub object: ObjectId,
    /// Its serial.
    pub serial: u64,
    /// Its lineage.
    pub lineage: String,
    /// Equal where two states say the same; `None`: it says nothing.
    pub content: Option<ObjectId>,
    /// What is in it.
    pub resources: Vec<Resource>,
}

impl Kept {
    /// A state of these bytes, stored as this object.
    pub fn new(object: ObjectId, snapshot: Snapshot) -> Kept {
        let Snapshot { serial, lineage, content, resources, .. } = snapshot;
        Kept { object, serial, lineage, content, resources }
    }
}

impl RootState {
    /// A root module of which nothing was read yet.
    pub fn of(place: &Place) -> RootState {
        RootState {
            terraform: Bytes::from(place.root.as_path()),
            version: VERSION,
            program: place.program.clone(),
            workspace: place.workspace.clone(),
            data_dir: Bytes::from(place.data_dir.as_path()),
            selected: place.selected.clone(),
            ..RootState::default()
        }
    }

    /// Stores the document. What counts for equality is what the command may change.
    pub fn store(&self, what: &What, sink: &dyn ObjectSink) -> Result<StateRef> {
        let encode = |e| Error::failure(format!("cannot encode the state of a root module: {e}"));
        let text = serde_json::to_vec(self).map_err(encode)?;
        let mut parts = BTreeMap::new();
        let mut add = |name: &str, value: serde_json::Value| drop(parts.insert(name.to_owned(), value));
        if what.has_state() {
            add("state", json!([self.content(), self.unread]));
        }
        if what.has(super::what::WORKSPACE) {
            add("exists", json!(self.exists));
        }
        if what.has(super::what::SELECTED) {
            add("selected", json!(self.selected));
        }
        if what.has(super::what::DIR) {
            add("dir", json!([self.binding, self.locks]));
        }
        if what.has(super::what::LOCK) {
            add("lock", json!(self.others));
        }
        let digest = ObjectId::of(ObjectKind::State, &serde_json::to_vec(&parts).map_err(encode)?);
        Ok(StateRef { digest, object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads a stored document.
    ///
    /// # Errors
    /// Where it is of another kind, damaged or newer than this `fr`.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<RootState> {
        let id = state.object.ok_or_else(|| Error::corrupt("a capture of terraform without its state"))?;
        RootState::by_id(&id, source)
    }

    /// The same, by its id.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn by_id(id: &ObjectId, source: &dyn ObjectSource) -> Result<RootState> {
        let parsed: RootState = serde_json::from_slice(&source.get(id)?)
            .map_err(|e| Error::corrupt(format!("object {} is no state of terraform: {e}", id.short())))?;
        if parsed.version > VERSION {
            return Err(Error::new(
                ExitCode::NewerStore,
                format!("terraform's state has format {}, this fr knows {VERSION}", parsed.version),
            ));
        }
        Ok(parsed)
    }

    /// The objects that a document names; none where it is not of this kind.
    ///
    /// # Errors
    /// Where it begins as one and cannot be read.
    pub fn references(content: &[u8]) -> Result<Vec<ObjectId>> {
        if !content.starts_with(FRONT) {
            return Ok(Vec::new());
        }
        let parsed: RootState = serde_json::from_slice(content)
            .map_err(|e| Error::corrupt(format!("a state of terraform cannot be read: {e}")))?;
        let kept = parsed.state.iter().map(|kept| kept.object);
        let fetched = parsed.fetched.iter().map(|file| file.object);
        let files = parsed.files.values().chain(parsed.others.values()).copied().chain(fetched);
        Ok(kept.chain(files).chain(parsed.binding).chain(parsed.locks).collect())
    }

    /// What the state says; `None`: nothing.
    pub fn content(&self) -> Option<ObjectId> {
        self.state.as_ref().and_then(|kept| kept.content)
    }

    /// What is in the state.
    pub fn resources(&self) -> &[Resource] {
        self.state.as_ref().map(|kept| kept.resources.as_slice()).unwrap_or_default()
    }

    /// `serial 7 of lineage 1a2b3c4d`, or that there is none.
    pub fn shown(&self) -> String {
        match &self.state {
            Some(kept) => format!("serial {}", kept.serial),
            None if self.unread => "not known".to_owned(),
            None => "none".to_owned(),
        }
    }

    /// The directory of the root module.
    pub fn root(&self) -> PathBuf {
        self.terraform.as_path().to_path_buf()
    }

    /// The terraform to ask about it.
    pub fn cli(&self) -> Cli {
        Cli {
            program: self.program.clone(),
            root: self.root(),
            data_dir: self.data_dir.as_path().to_path_buf(),
            workspace: self.workspace.clone(),
            env: self.env.clone(),
            until: None,
        }
    }

    /// Its name for people and in steps.
    pub fn resource(&self) -> Bytes {
        Place::shown(self.terraform.as_path(), &self.workspace)
    }
}
