//! The refs of a remote as a stored document.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Bytes, Change, ChangeKind, ObjectId, ObjectKind, ObjectSink, ObjectSource, StateRef};

/// The version of [`RemoteState`]. A reader refuses what is newer. From 2 on some refs may be there in case ([`RemoteState::sure`]).
const VERSION: u32 = 2;

/// How a stored document of this kind begins.
const FRONT: &[u8] = b"{\"remote\"";

/// Some refs of a remote at one moment. The document is secret as states are: the URL may hold a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteState {
    /// Its name, or its URL, without user and password, where it was pushed to by URL. First, so that a document is known
    /// by its beginning.
    pub remote: String,
    /// Format of this document.
    pub version: u32,
    /// Where it is, as git resolved it.
    pub url: String,
    /// The push was one that forces or deletes; one that does not can be taken back too, but others may have fetched.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub forces: bool,
    /// The `-c` settings of the command that pushed: how the remote is reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, String)>,
    /// The refs that were asked for, by full name; `None`: the remote does not have it.
    pub refs: BTreeMap<String, Option<String>>,
    /// The refs that the push is known to be about; `None`: all of them. Where the line itself decides which they are, the others
    /// were asked for in case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sure: Option<BTreeSet<String>>,
    /// Of the others, those that have changed to what our side has: a push of ours did that. What somebody else pushed meanwhile
    /// our side does not know.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ours: BTreeSet<String>,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl RemoteState {
    /// A remote none of whose refs were asked for yet.
    pub fn new(remote: &str, url: &str) -> RemoteState {
        RemoteState {
            remote: without_userinfo(remote),
            version: 1,
            url: url.to_owned(),
            forces: true,
            settings: Vec::new(),
            refs: BTreeMap::new(),
            sure: None,
            ours: BTreeSet::new(),
        }
    }

    /// Stores the document. States are equal when the refs are.
    pub fn store(&self, sink: &dyn ObjectSink) -> Result<StateRef> {
        let encode = |e| Error::failure(format!("cannot encode the state of a remote: {e}"));
        let text = serde_json::to_vec(self).map_err(encode)?;
        let refs = serde_json::to_vec(&self.refs).map_err(encode)?;
        let digest = ObjectId::of(ObjectKind::State, &refs);
        Ok(StateRef { digest, object: Some(sink.put(ObjectKind::State, &text)?) })
    }

    /// Reads a stored document; `None` where it is of another kind.
    pub fn load(state: &StateRef, source: &dyn ObjectSource) -> Result<Option<RemoteState>> {
        let Some(id) = &state.object else { return Ok(None) };
        let text = source.get(id)?;
        if !text.starts_with(FRONT) {
            return Ok(None);
        }
        let parsed: RemoteState = serde_json::from_slice(&text)
            .map_err(|e| Error::corrupt(format!("object {} is no state of a remote: {e}", id.short())))?;
        if parsed.version > VERSION {
            return Err(Error::new(
                crate::error::ExitCode::NewerStore,
                format!("the remote's state has format {}, this fr knows {VERSION}", parsed.version),
            ));
        }
        Ok(Some(parsed))
    }

    /// The same, where it must be one.
    pub fn expect(state: &StateRef, source: &dyn ObjectSource) -> Result<RemoteState> {
        Self::load(state, source)?.ok_or_else(|| Error::corrupt("a capture of a remote without its state"))
    }

    /// Only these of its refs are known to be meant; the others were asked for in case.
    pub fn with_sure(self, sure: BTreeSet<String>) -> RemoteState {
        RemoteState { sure: Some(sure), version: VERSION, ..self }
    }

    /// Whether what became of a ref is the push's doing: it is known to be about it, or what the remote has there afterwards came
    /// from our side.
    pub fn is_about(&self, name: &str, later: &RemoteState) -> bool {
        self.sure.as_ref().is_none_or(|sure| sure.contains(name)) || later.ours.contains(name)
    }

    /// The value of a ref; `None` where the remote does not have it.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.refs.get(name).and_then(Option::as_deref)
    }
}

/// A URL as it may be shown, as git itself shows it: user names and passwords are of no use to a reader. A name, a path and
/// `host:path` stay.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}{path}")
}

/// What differs between two states of a remote. `after` is `None` where it is not known.
pub fn changes(before: &RemoteState, after: Option<&RemoteState>) -> Vec<Change> {
    let names: BTreeSet<&String> =
        before.refs.keys().chain(after.iter().flat_map(|a| a.refs.keys())).collect();
    let change = |name: &String| {
        if !before.is_about(name, after.unwrap_or(before)) {
            return None;
        }
        let old = before.value(name);
        let new = after.map(|a| a.value(name));
        let how = match (old, new) {
            (_, None) => ChangeKind::Unknown,
            (a, Some(b)) if a == b => return None,
            (None, _) => ChangeKind::Added,
            (_, Some(None)) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        Some(Change {
            what: Bytes::from(format!("git:{}/{name}", before.remote)),
            how,
            before: old.map(Bytes::from),
            after: new.flatten().map(Bytes::from),
        })
    };
    names.into_iter().filter_map(change).collect()
}
