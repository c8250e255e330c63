//! What installing or uninstalling would do, as a value: one change per file, with the file before and after.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::agents::{self, AGENTS, JsonShape, Shape, Spec};
use super::edit::{Edit, Kind, spec_of, without_us};
use super::record::Record;
use super::world::{Scope, World};
use super::{block, codex, file, gitconfig, line, version};
use crate::error::Result;
use crate::intake::shells::Shell;
use crate::model::Bytes;

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// These agents.
    pub agents: Vec<&'static str>,
    /// These shells.
    pub shells: Vec<Shell>,
    /// git's trace of itself.
    pub git: bool,
    /// In this project's files instead of the user's.
    pub project: bool,
    /// Write Codex's trusted hashes too.
    pub trust: bool,
}

/// A plan, and later the report of what became of it.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// `install` or `uninstall`.
    pub verb: &'static str,
    /// One for each file.
    pub changes: Vec<Change>,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Change,
    /// It is deleted: we made it, and nothing else is in it.
    Delete,
    /// It is as it should be.
    Nothing,
    /// It is left alone, for a reason.
    Refused,
}

/// One file's part of a plan.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Whom it serves: agents' names, or a shell's.
    pub agents: Vec<String>,
    /// The file; where a link stands in its place, the file that the link leads to.
    pub file: Bytes,
    /// What becomes of it.
    pub action: Action,
    /// The change as a unified diff.
    pub diff: Option<String>,
    /// What people should know about it.
    pub notes: Vec<String>,
    /// Why it is left alone, or what went wrong when it was done.
    pub error: Option<String>,
    /// What to do about that.
    pub hints: Vec<String>,
    /// It has been done.
    pub done: bool,
    /// What applying needs to know.
    #[serde(skip)]
    pub(super) work: Option<Work>,
}

/// The change itself.
#[derive(Debug)]
pub(super) struct Work {
    pub before: Option<Vec<u8>>,
    pub after: Option<Vec<u8>>,
    /// What the record will say; `None` where there will be none.
    pub record: Option<Record>,
    /// The path that the present record goes by. A link may have taken its place since.
    pub known_as: PathBuf,
}

impl Plan {
    /// The changes that would write something.
    pub fn writes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|c| !matches!(c.action, Action::Nothing | Action::Refused))
    }

    /// True where a file was left alone that should have been changed.
    pub fn has_failures(&self) -> bool {
        self.changes.iter().any(|change| change.error.is_some())
    }
}

/// The agents that are on this machine, Aider left out: it has no hooks.
pub fn present(world: &World) -> Vec<&'static str> {
    AGENTS.iter().filter(|spec| world.presence(spec).is_there()).map(|spec| spec.name).collect()
}

/// What has to be done so that everything wanted is recorded.
pub fn install(world: &World, wishes: &Wishes) -> Result<Plan> {
    let scope = if wishes.project { Scope::Project } else { Scope::User };
    let mut changes: Vec<Change> = Vec::new();
    for spec in AGENTS.iter().filter(|spec| wishes.agents.contains(&spec.name)) {
        let path = world.file(spec, scope);
        // Copilot CLI and VS Code share a file.
        if let Some(shared) = changes.iter_mut().find(|c| c.serves_same_file(spec)) {
            shared.add_agent(spec.name);
            continue;
        }
        let mut change = put(world, spec.name, &path, edit_for(world, spec, scope));
        note(&mut change, world, spec, scope, wishes.trust);
        let trust = (wishes.trust && spec.name == "codex").then(|| trust(world, &path, &change));
        changes.push(change);
        changes.extend(trust.flatten());
    }
    for shell in &wishes.shells {
        let text = block::block(*shell, &world.fr).map(Edit::Block);
        changes.push(put(world, shell.name(), &world.startup_file(*shell), text));
    }
    if wishes.git {
        changes.push(put(world, gitconfig::NAME, &gitconfig::file(world), gitconfig::edit(world)));
    }
    Ok(Plan { verb: "install", changes })
}

/// What has to be done so that nothing of `fr install` is left, for these agents and shells; for all where none is
/// named.
pub fn uninstall(world: &World, wishes: &Wishes) -> Result<Plan> {
    let all = wishes.agents.is_empty() && wishes.shells.is_empty() && !wishes.git;
    let wanted = |names: &[String]| {
        all || names.iter().any(|name| {
            wishes.agents.contains(&name.as_str())
                || wishes.shells.iter().any(|s| s.name() == name)
                || (wishes.git && name == gitconfig::NAME)
        })
    };
    let mut changes: Vec<Change> = Vec::new();
    let mut records = Record::all(&world.state)?;
    // A record whose place a link has taken comes after that of the file which the link leads to.
    records.sort_by_key(|record| record.file.is_symlink());
    for record in records.iter().filter(|record| wanted(&record.agents)) {
        let change = take(record.kind, spec_of(record), &record.file, &record.agents, Some(record));
        if changes.iter().all(|other| other.file != change.file) {
            changes.push(change);
        }
    }
    // Files that have no record: another FR_HOME wrote it, or it was lost.
    for (kind, spec, path, name) in known_files(world) {
        let real = path.canonicalize().unwrap_or(path);
        if !wanted(&[name.to_string()]) || changes.iter().any(|c: &Change| c.file.as_path() == real) {
            continue;
        }
        let change = take(kind, spec, &real, &[name.to_string()], None);
        if change.action != Action::Nothing {
            changes.push(change);
        }
    }
    Ok(Plan { verb: "uninstall", changes })
}

/// Every file that `fr install` may write to here, Codex's trust aside: without a record that is the user's own.
fn known_files(world: &World) -> Vec<(Kind, Option<&'static Spec>, PathBuf, &'static str)> {
    let mut files = Vec::new();
    for spec in AGENTS {
        let kind = if matches!(spec.shape, Shape::Plugin(_)) { Kind::Plugin } else { Kind::Json };
        for scope in [Scope::User, Scope::Project] {
            files.push((kind, Some(spec), world.file(spec, scope), spec.name));
        }
    }
    for shell in Shell::ALL {
        files.push((Kind::Block, None, world.startup_file(shell), shell.name()));
    }
    files.push((Kind::Block, None, gitconfig::file(world), gitconfig::NAME));
    files
}

fn edit_for(world: &World, spec: &'static Spec, scope: Scope) -> Result<Edit> {
    // A project's file is shared with other people: no path of this machine goes into it.
    let fr = (scope == Scope::User).then_some(world.fr.as_path());
    match spec.shape {
        Shape::Json(shape) => {
            // A project's file is read by whatever version the others have.
            let blocks =
                scope == Scope::User && spec.name == "claude" && version::claude_blocks_on_failure(world);
            let element = if blocks { agents::nested_blocking } else { shape.element };
            Ok(Edit::Json(spec, JsonShape { element, ..shape }, line::hook_line(spec, fr)?))
        }
        Shape::Plugin(plugin) => {
            Ok(Edit::Plugin(plugin(fr.map(line::text).transpose()?.unwrap_or_default())))
        }
    }
}

/// The change that puts something into a file.
fn put(world: &World, name: &str, path: &Path, edit: Result<Edit>) -> Change {
    let mut change = Change::of(name, path);
    let planned = edit.and_then(|edit| plan_put(world, name, path, &edit));
    change.settle(planned);
    change
}

fn plan_put(world: &World, name: &str, path: &Path, edit: &Edit) -> Result<(PathBuf, Work)> {
    let (real, before) = file::read(path)?;
    let text = before.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| file::not_utf8())?;
    let after = edit.insert(text)?.into_bytes();
    let old = Record::load(&world.state, &real)?;
    let spec = match edit {
        Edit::Json(spec, ..) => Some(*spec),
        _ => None,
    };
    let original = match &before {
        Some(before) => without_us(edit.kind(), spec, before, old.as_ref())?,
        None => None,
    };
    let (mut agents, made) = old.map(|old| (old.agents, old.made)).unwrap_or_default();
    if !agents.iter().any(|agent| agent == name) {
        agents.push(name.to_string());
    }
    let record =
        Record { file: real.clone(), original, written: after.clone(), kind: edit.kind(), agents, made };
    if before.as_ref() != Some(&after) {
        file::writable(&real)?;
    }
    let known_as = real.clone();
    Ok((real, Work { before, after: Some(after), record: Some(record), known_as }))
}

/// The change that takes our part out of a file.
fn take(kind: Kind, spec: Option<&Spec>, path: &Path, agents: &[String], record: Option<&Record>) -> Change {
    let mut change = Change::of("", path);
    change.agents = agents.to_vec();
    let planned = file::read(path).and_then(|(real, before)| {
        let after = match &before {
            Some(before) => without_us(kind, spec, before, record)?,
            None => None,
        };
        if before != after {
            file::writable(&real)?;
        }
        let known_as = record.map_or_else(|| real.clone(), |record| record.file.clone());
        Ok((real, Work { before, after, record: None, known_as }))
    });
    change.settle(planned);
    if spec.is_some_and(|spec| spec.name == "codex") && kind == Kind::Json {
        change.note_shifted_hooks();
    }
    change
}

/// The change that makes Codex trust the hooks as they will stand in `path`.
fn trust(world: &World, path: &Path, hooks: &Change) -> Option<Change> {
    let after = hooks.after().and_then(|after| std::str::from_utf8(after).ok())?;
    let config = super::agents::find("codex").map(|spec| world.settings(spec).join("config.toml"))?;
    Some(put(world, "codex", &config, Ok(Edit::Trust(codex::wanted(path, after)))))
}

/// What people should know about an agent's file as it will be.
fn note(change: &mut Change, world: &World, spec: &Spec, scope: Scope, trust: bool) {
    if change.action == Action::Refused {
        return;
    }
    let after = change.after().and_then(|after| std::str::from_utf8(after).ok()).unwrap_or_default();
    let mut notes = Vec::new();
    if change.action != Action::Nothing {
        notes.extend(spec.remarks.iter().map(|remark| (*remark).to_string()));
    }
    if let Shape::Json(shape) = spec.shape
        && let Some((pointer, value)) = shape.off
        && super::json::value(after).is_ok_and(|v| v.pointer(pointer) == Some(&value.into()))
    {
        notes.push(format!(
            "{} is {value} in this file: {} runs no hooks",
            pointer.trim_start_matches('/').replace('/', "."),
            spec.title
        ));
    }
    if scope == Scope::Project && world.program("fr").is_none() {
        notes.push("`fr` is not on PATH: a project's hooks find it only there".to_string());
    }
    if spec.name == "codex" {
        let config = world.settings(spec).join("config.toml");
        let config = std::fs::read_to_string(config).unwrap_or_default();
        if codex::has_hooks(&config) {
            notes.push(
                "config.toml registers hooks too: Codex warns of two places at its start, and runs both"
                    .to_string(),
            );
        }
        let path = world.file(spec, scope);
        if !trust && codex::judge(&path, after, &config) != codex::Verdict::Trusted {
            notes.push(
                "Codex runs these hooks only after you accept them: start it and type /hooks \
                 (or say --trust-codex-hooks here)"
                    .to_string(),
            );
        }
    }
    change.notes.extend(notes);
}

impl Change {
    fn of(name: &str, path: &Path) -> Change {
        Change {
            agents: vec![name.to_string()],
            file: Bytes::from(path.to_path_buf()),
            action: Action::Nothing,
            diff: None,
            notes: Vec::new(),
            error: None,
            hints: Vec::new(),
            done: false,
            work: None,
        }
    }

    fn settle(&mut self, planned: Result<(PathBuf, Work)>) {
        match planned {
            Ok((real, work)) => {
                self.file = Bytes::from(real);
                self.action = match (&work.before, &work.after) {
                    (before, after) if before == after => Action::Nothing,
                    (None, _) => Action::Create,
                    (_, None) => Action::Delete,
                    _ => Action::Change,
                };
                self.diff = (self.action != Action::Nothing).then(|| self.unified(&work));
                self.work = Some(work);
            }
            Err(error) => {
                self.action = Action::Refused;
                self.fail(error);
            }
        }
    }

    /// Says what went wrong.
    pub(super) fn fail(&mut self, error: crate::error::Error) {
        self.error = Some(error.what);
        self.hints = error.hints;
    }

    fn unified(&self, work: &Work) -> String {
        let text = |side: &Option<Vec<u8>>| {
            String::from_utf8_lossy(side.as_deref().unwrap_or_default()).into_owned()
        };
        let name = |side: &Option<Vec<u8>>| match side {
            Some(_) => self.file.lossy().into_owned(),
            None => "/dev/null".to_string(),
        };
        diffy::DiffOptions::new()
            .set_original_filename(name(&work.before))
            .set_modified_filename(name(&work.after))
            .create_patch(&text(&work.before), &text(&work.after))
            .to_string()
    }

    /// The file as it will be.
    fn after(&self) -> Option<&[u8]> {
        self.work.as_ref()?.after.as_deref()
    }

    fn serves_same_file(&self, spec: &Spec) -> bool {
        let first = self.agents.iter().find_map(|name| super::agents::find(name));
        first.is_some_and(|first| {
            first.file == spec.file && first.dir.below_home == spec.dir.below_home && first.name != spec.name
        })
    }

    fn add_agent(&mut self, name: &str) {
        self.agents.push(name.to_string());
        if let Some(record) = self.work.as_mut().and_then(|work| work.record.as_mut())
            && !record.agents.iter().any(|agent| agent == name)
        {
            record.agents.push(name.to_string());
        }
    }

    /// Codex's trust goes by position: a hook that stood behind ours is another one afterwards.
    fn note_shifted_hooks(&mut self) {
        let Some(work) = &self.work else { return };
        let text = |side: &Option<Vec<u8>>| {
            String::from_utf8_lossy(side.as_deref().unwrap_or_default()).into_owned()
        };
        let value = super::json::value(&text(&work.before)).unwrap_or_default();
        let behind = super::json::positions(&text(&work.before)).iter().any(|(event, group, ..)| {
            let groups = value.pointer(&format!("/hooks/{event}")).and_then(|v| v.as_array());
            groups.is_some_and(|groups| groups.len() > group + 1)
        });
        if behind && self.action != Action::Nothing {
            self.notes.push(
                "other hooks stood behind ours: Codex counts positions, so type /hooks in it and accept them again"
                    .to_string(),
            );
        }
    }
}
