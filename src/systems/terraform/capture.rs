//! Before and after a command: the state of a workspace, and before it also all that is needed to make things again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::bound::Bound;
use super::cli::Cli;
use super::place::{self, Backend, Place};
use super::snapshot::{Resource, Snapshot};
use super::state::{Kept, RootState};
use super::what::{self, What};
use super::{config, data, saved};
use crate::error::{Error, Result};
use crate::model::{
    Bytes, Capture, Effect, Locator, Missing, ObjectId, ObjectKind, ObjectSource, StateRef, SystemId,
};
use crate::systems::CaptureCx;

/// The most bytes of a state that are read.
const MOST: u64 = 256 << 20;

/// Stores what an effect is about to change.
///
/// # Errors
/// Where nothing of it can be found or read.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let Some(locator) = &effect.locator else { return Ok(Vec::new()) };
    if let Some(why) = locator.opts.get(super::NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let what = What::of(locator);
    let earlier = match locator.opts.get(super::STATE_ID).and_then(Bytes::as_str) {
        Some(id) => Some(RootState::by_id(&parsed(id)?, cx.source)?),
        None => None,
    };
    let place = Place::find(locator)?;
    let mut state = RootState::of(&place);
    match &earlier {
        Some(earlier) => {
            (state.env, state.vars) = (earlier.env.clone(), earlier.vars.clone());
            // What an undo makes for real it makes by this configuration, and a redo removes it by the same.
            (state.files, state.fetched) = (earlier.files.clone(), earlier.fetched.clone());
            state.commit.clone_from(&earlier.commit);
        }
        None => carried(locator, &mut state),
    }
    let mut missing = Vec::new();
    let look = Look { place: &place, what: &what, cx };
    let bytes = look.directory(&mut state, earlier.as_ref())?;
    match look.state(&mut state, earlier.as_ref()) {
        Ok(()) => {}
        // An undo writes over nothing that it could not read.
        Err(e) if earlier.is_some() => return Err(e),
        Err(e) => {
            state.unread = true;
            missing.push(Missing { what: state.resource(), why: e.to_string() });
        }
    }
    let mut bytes = bytes + state.state.as_ref().map_or(0, |_| look.size(&state));
    if cx.contents && earlier.is_none() {
        bytes += config::keep(&mut state, locator, cx, &mut missing)?;
    }
    let destroyed = look.saved_plan(&mut state, locator, earlier.is_none(), &mut missing);
    if what.is_infra() {
        let in_danger = |r: &&Resource| destroyed.as_ref().is_none_or(|named| named.contains(&r.address));
        let lost = state.resources().iter().filter(|r| data::holds_data(r)).filter(in_danger);
        missing.extend(lost.map(content_of));
    }
    let items = (state.resources().len() + state.files.len() + state.others.len()) as u64;
    let stored = state.store(&what, cx.sink)?;
    let mut locator = Locator { unsaid: BTreeMap::new(), ..locator.clone() };
    // Another workspace may be selected when it is looked at again, by the same line even.
    if what.has_state() || what.has(super::what::LOCK) {
        let name = || Bytes::from(place.workspace.as_str());
        locator.opts.entry(super::WORKSPACE.to_owned()).or_insert_with(name);
    }
    if let Some(id) = stored.object {
        locator.opts.insert(super::STATE_ID.to_owned(), Bytes::from(id.to_string()));
    }
    let resource = state.resource();
    Ok(vec![Capture {
        system: SystemId::new(super::ID),
        resource,
        locator,
        items,
        bytes,
        state: stored,
        missing,
    }])
}

/// The state now of what a capture covers.
///
/// # Errors
/// Where it cannot be read: what is not known is not compared.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let before = RootState::load(&captured.state, cx.source)?;
    let what = What::of(&captured.locator);
    let place = Place::find(&captured.locator)?;
    let mut state = RootState::of(&place);
    state.env.clone_from(&before.env);
    let look = Look { place: &place, what: &what, cx };
    look.directory(&mut state, Some(&before))?;
    if !before.unread {
        look.state(&mut state, Some(&before))?;
    }
    state.unread = before.unread;
    state.store(&what, cx.sink)
}

/// The content of a resource is nowhere in the state.
fn content_of(resource: &Resource) -> Missing {
    let hints = data::hints(resource);
    let id = resource.id.as_deref().map(|id| format!(" (id {id})")).unwrap_or_default();
    let told = if hints.is_empty() { String::new() } else { format!("; the state says {hints}") };
    Missing {
        what: Bytes::from(format!("data in {}{id}", resource.address)),
        why: format!("a state holds settings, not what is stored in a {}{told}", resource.kind),
    }
}

fn parsed(id: &str) -> Result<ObjectId> {
    id.parse().map_err(|_| Error::corrupt("a capture of terraform that does not say what it holds"))
}

/// What the command carries that the record must not show.
fn carried(locator: &Locator, state: &mut RootState) {
    let list = |name: &str| {
        let text = locator.unsaid.get(name).map(Bytes::as_slice).unwrap_or_default();
        text.split(|b| *b == 0).filter(|one| !one.is_empty()).map(Bytes::from).collect::<Vec<_>>()
    };
    state.vars = list(super::VARS);
    for pair in list(super::ENV) {
        if let Some(at) = pair.as_slice().iter().position(|b| *b == b'=') {
            let (name, value) = pair.as_slice().split_at(at);
            let value = Bytes::from(value.get(1..).unwrap_or_default());
            state.env.insert(String::from_utf8_lossy(name).into_owned(), value);
        }
    }
    // Which configuration is in force must be known later; secrets among these are in the store only.
    for (name, value) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TF_VAR_"))
    {
        let name = name.to_string_lossy().into_owned();
        state.env.entry(name).or_insert_with(|| Bytes::from(value.as_os_str()));
    }
}

/// One look at a root module.
struct Look<'a> {
    place: &'a Place,
    what: &'a What,
    cx: &'a CaptureCx<'a>,
}

impl Look<'_> {
    /// What the data directory says; how many bytes were kept.
    fn directory(&self, state: &mut RootState, earlier: Option<&RootState>) -> Result<u64> {
        let binding = place::bytes(&self.place.data_dir.join("terraform.tfstate"), MOST)?;
        let locks = place::bytes(&self.place.root.join(".terraform.lock.hcl"), MOST)?;
        let mut sum = 0;
        for (bytes, into) in [(binding, &mut state.binding), (locks, &mut state.locks)] {
            if let Some(bytes) = bytes {
                sum += bytes.len() as u64;
                *into = Some(self.put(&bytes)?);
            }
        }
        state.backend = match &self.place.backend {
            Backend::Local { .. } => "local".to_owned(),
            Backend::Remote { kind, .. } => kind.clone(),
            Backend::Uninitialised => "not initialised".to_owned(),
        };
        if let Some(earlier) = earlier.filter(|_| !self.what.has(what::DIR)) {
            self.same_backend(earlier, state)?;
        }
        if self.what.has(what::LOCK)
            && let Backend::Local { state: file, .. } = &self.place.backend
        {
            let info = lock_info(file);
            if let Some(bytes) = place::bytes(&info, MOST)? {
                state.others.insert(info.to_string_lossy().into_owned(), self.put(&bytes)?);
            }
        }
        if self.what.has(what::WORKSPACE) {
            state.exists = Some(self.exists(state)?);
        }
        Ok(sum)
    }

    /// A state of another backend is none to compare with.
    fn same_backend(&self, earlier: &RootState, now: &RootState) -> Result<()> {
        let settings = |binding: Option<ObjectId>| -> Result<Option<serde_json::Value>> {
            let Some(id) = binding else { return Ok(None) };
            let parsed: serde_json::Value =
                serde_json::from_slice(&self.cx.source.get(&id)?).unwrap_or_default();
            Ok(parsed.get("backend").map(|b| serde_json::json!([b.get("type"), b.get("config")])))
        };
        // What was put just now is in the sink, perhaps not in the source: the same object needs no look.
        if earlier.binding == now.binding {
            return Ok(());
        }
        let file = self.place.data_dir.join("terraform.tfstate");
        let present: Option<serde_json::Value> =
            place::small(&file)?.and_then(|t| serde_json::from_str(&t).ok());
        let present = present.and_then(|p| p.get("backend").cloned());
        let present = present.map(|b| serde_json::json!([b.get("type"), b.get("config")]));
        if settings(earlier.binding)? == present {
            return Ok(());
        }
        Err(Error::failure(format!(
            "{} uses another backend now ({}, then {}): its state is another one",
            self.place.root.display(),
            now.backend,
            earlier.backend
        ))
        .hint("take back the `terraform init` that changed it first"))
    }

    /// What a saved plan destroys, once all else that it says is taken over; `None`: that is not known.
    fn saved_plan(
        &self,
        state: &mut RootState,
        locator: &Locator,
        is_first: bool,
        missing: &mut Vec<Missing>,
    ) -> Option<BTreeSet<String>> {
        let plan = locator.opts.get(super::PLAN_FILE).filter(|_| is_first && self.cx.contents)?;
        let cli = self.cli(state);
        match saved::take_over(state, plan.as_path(), &cli, self.cx.sink) {
            Ok(destroyed) => Some(destroyed),
            Err(e) => {
                let what = Bytes::from(format!("saved plan {}", plan.lossy()));
                missing.push(Missing { what, why: e.to_string() });
                None
            }
        }
    }

    fn exists(&self, state: &RootState) -> Result<bool> {
        let name = &self.place.workspace;
        match &self.place.backend {
            _ if name == "default" => Ok(true),
            Backend::Local { workspaces, .. } => Ok(workspaces.join(name).is_dir()),
            Backend::Remote { .. } => Ok(self.cli(state).workspaces()?.contains(name)),
            Backend::Uninitialised => Ok(false),
        }
    }

    /// The state's bytes, as far as the command may change them.
    fn state(&self, state: &mut RootState, earlier: Option<&RootState>) -> Result<()> {
        if !self.what.has_state() {
            return Ok(());
        }
        let bytes = match &self.place.backend {
            // The backend that was left, whichever is in use now.
            _ if self.what.has(what::MOVED) && earlier.is_some() => self.left(state, earlier)?,
            Backend::Local { state: file, .. } => {
                state.file = Some(Bytes::from(file.as_path()));
                self.local(file, state)?
            }
            Backend::Uninitialised if self.what.has(what::MOVED) => {
                let file = self.place.root.join("terraform.tfstate");
                state.file = Some(Bytes::from(file.as_path()));
                self.local(&file, state)?
            }
            // The configuration names another backend already: it is asked through a root module of our own.
            Backend::Remote { kind, config } if self.what.has(what::MOVED) => {
                Bound::to(kind, config, &self.cli(state))?.cli().pull()?
            }
            Backend::Remote { .. } => self.cli(state).pull()?,
            Backend::Uninitialised => {
                return Err(Error::failure("its backend is not initialised, terraform refuses to run"));
            }
        };
        let Some(bytes) = bytes else { return Ok(()) };
        // Before anything is said of it: a backup that is no state is none.
        let snapshot = Snapshot::read(&bytes)?;
        state.state = Some(Kept::new(self.put(&bytes)?, snapshot));
        Ok(())
    }

    /// The state in the backend that an earlier capture found in use.
    fn left(&self, state: &mut RootState, earlier: Option<&RootState>) -> Result<Option<Vec<u8>>> {
        let Some(earlier) = earlier else { return Ok(None) };
        match &earlier.file {
            Some(file) => {
                state.file = Some(file.clone());
                self.local(file.as_path(), state)
            }
            None => Bound::of(earlier, &self.cli(state), self.cx.source)?.cli().pull(),
        }
    }

    /// A state file of this machine, and terraform's own backup of it.
    fn local(&self, file: &Path, state: &mut RootState) -> Result<Option<Vec<u8>>> {
        let backup = file.with_extension("tfstate.backup");
        if self.cx.contents
            && let Ok(Some(bytes)) = place::bytes(&backup, MOST)
        {
            state.others.insert(backup.to_string_lossy().into_owned(), self.put(&bytes)?);
        }
        place::bytes(file, MOST)
    }

    fn cli(&self, state: &RootState) -> Cli {
        let now = Instant::now();
        let end = now + Duration::from_secs(self.cx.caps.backend_seconds);
        Cli { until: Some(self.cx.deadline.map_or(end, |deadline| deadline.clamp(now, end))), ..state.cli() }
    }

    fn put(&self, bytes: &[u8]) -> Result<ObjectId> {
        match self.cx.contents {
            true => self.cx.sink.put(ObjectKind::Blob, bytes),
            false => Ok(ObjectId::of(ObjectKind::Blob, bytes)),
        }
    }

    fn size(&self, state: &RootState) -> u64 {
        let file = state.file.as_ref().and_then(|file| std::fs::metadata(file.as_path()).ok());
        file.map_or(0, |meta| meta.len())
    }
}

/// Where a local backend notes who holds the lock.
fn lock_info(state: &Path) -> std::path::PathBuf {
    let name = state.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    state.with_file_name(format!(".{name}.lock.info"))
}

/// What an earlier capture holds of what a later one covers.
pub fn held(outer: &Capture, inner: &Capture, source: &dyn ObjectSource) -> Result<crate::systems::Held> {
    use crate::systems::Held;
    let (out, inn) = (What::of(&outer.locator), What::of(&inner.locator));
    if super::place_of(&outer.locator) != super::place_of(&inner.locator) || !out.covers(&inn) {
        return Ok(Held::Nothing);
    }
    let (outer, inner) = (RootState::load(&outer.state, source)?, RootState::load(&inner.state, source)?);
    let same =
        |of: &RootState| (of.content(), of.exists, of.selected.clone(), of.binding, of.locks, of.unread);
    Ok(if same(&outer) == same(&inner) { Held::Same } else { Held::Other })
}
