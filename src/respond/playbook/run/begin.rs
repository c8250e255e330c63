//! The beginning of a run, and going on with one.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::carry::{Carrier, Ended, filled, holds};
use super::person::{Person, Told};
use super::record::{self, Log, Said, unreadable};
use super::replay::{RunState, Standing, standing};
use crate::error::{Error, ExitCode, Result};
use crate::model::{
    Bytes, EventId, ObjectSource, PlaybookKind, PlaybookMode, PlaybookMoment, PlaybookPhase, Uid,
};
use crate::platform::home::Home;
use crate::platform::interrupt::Interrupt;
use crate::record as recorder;
use crate::respond::playbook::format::{Playbook, Secret};
use crate::respond::playbook::scope::{self, Scope};
use crate::respond::playbook::{Found, Subject, lint, markdown, parse};
use crate::store::Store;

/// What a run is given when it begins. Values may be in it, so it is an object of the store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Given {
    /// Where the playbook came from.
    pub origin: String,
    /// The variables' values.
    pub vars: BTreeMap<String, Bytes>,
    /// The facts of the event that it is about.
    pub event: BTreeMap<String, Bytes>,
    /// Facts of the run itself.
    pub run: BTreeMap<String, Bytes>,
}

/// What is to be run, and for what.
pub struct Begin<'a> {
    /// The playbook.
    pub found: &'a Found,
    /// What it is about.
    pub subject: &'a Subject,
    /// Variables as somebody said them.
    pub said: &'a BTreeMap<String, Bytes>,
    /// The event that opened the incident.
    pub incident: Option<EventId>,
    /// The store.
    pub home: &'a Home,
}

/// A run that is to be gone on with.
pub struct Resume<'a> {
    /// It.
    pub state: &'a RunState,
    /// The store.
    pub home: &'a Home,
}

/// One step as it would be carried out.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Its id.
    pub step: String,
    /// For people.
    pub title: String,
    /// Where in the work it stands.
    pub phase: PlaybookPhase,
    /// What it does.
    pub kind: PlaybookKind,
    /// Who lets it run.
    pub mode: PlaybookMode,
    /// The command, or the question, with the values that are known.
    pub does: String,
    /// It would be left out, as far as is known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// All that a run would do. Nothing is written, nothing is run.
///
/// # Errors
/// Where something is wrong with the playbook, or a variable has no value.
pub fn dry_run(begin: &Begin<'_>) -> Result<Vec<Planned>> {
    let playbook = &begin.found.playbook;
    refuse_what_is_wrong(playbook)?;
    let scope = scope_of(playbook, &given(begin, None)?);
    let planned = |step: &crate::respond::playbook::format::Step| {
        let not_so = step.when.iter().zip(markdown::conditions(step)).find(|(condition, _)| {
            // What an earlier step will tell is not known yet.
            !condition.value.contains("steps.") && !holds(condition, &scope).unwrap_or(true)
        });
        Planned {
            step: step.id.clone(),
            title: step.title.clone(),
            phase: step.phase,
            kind: step.kind().unwrap_or(PlaybookKind::Ask),
            mode: step.mode(),
            does: markdown::does(step, &|text| filled(text, &scope)),
            left_out: not_so.map(|(_, words)| format!("only where {}", words.replace('`', ""))),
        }
    };
    Ok(playbook.steps.iter().map(planned).collect())
}

/// Begins a run, and carries it as far as it goes.
///
/// # Errors
/// Where it cannot begin: something is wrong with the playbook, a variable has no value, nothing can be recorded.
pub fn begin(begin: &Begin<'_>, person: &mut dyn Person) -> Result<Ended> {
    let found = begin.found;
    refuse_what_is_wrong(&found.playbook)?;
    if begin.subject.event.is_none() && found.playbook.steps.iter().any(|step| step.undo.is_some()) {
        let what =
            format!("{} takes an event back, and none that it is for is on record", found.playbook.name);
        return Err(Error::new(ExitCode::Usage, what).hint("`--event ID` says which"));
    }
    let run = recorder::new_uid();
    let given = given(begin, Some(run))?;
    let text = serde_json::to_vec(&given)
        .map_err(|e| Error::failure(format!("cannot keep what it is given: {e}")))?;
    let (digest, object) = record::keep(&found.text, &text, begin.home)?;
    let log = Log {
        run,
        playbook: found.playbook.name.clone(),
        digest,
        incident: begin.incident,
        about: begin.subject.event.iter().map(|event| event.id).collect(),
        actor: person.actor().clone(),
        home: begin.home.clone(),
    };
    let _lock = lock(run, begin.home)?;
    let note = Some(format!("from {}", found.origin.words()));
    log.mark(PlaybookMoment::Started, None, Said { given: Some(object), note, ..Said::default() })?;
    let started = format!("run {}", short(run));
    person.tell(&Told::Note(&started))?;
    carrier(&found.playbook, &given, log, Standing::default(), BTreeMap::new(), person)?.carry()
}

/// Goes on with a run at the first step that has no end on record, by the text and the values that it began with.
///
/// # Errors
/// Where it is finished, somebody else goes on with it just now, or its text cannot be read any more.
pub fn resume(resume: &Resume<'_>, person: &mut dyn Person) -> Result<Ended> {
    let state = resume.state;
    if state.is_finished() {
        let what = format!("run {} of {} is finished", short(state.run), state.playbook);
        return Err(Error::new(ExitCode::NothingToUndo, what)
            .hint(format!("`fr playbook run {}` begins another", state.playbook)));
    }
    let _lock = lock(state.run, resume.home)?;
    let (_, first) = state.marks.first().ok_or_else(|| Error::failure("nothing of this run is on record"))?;
    let object =
        first.given.ok_or_else(|| Error::failure("the beginning of this run is not on record any more"))?;
    let store = Store::open(resume.home)?;
    let reader = store.reader();
    let text = reader.get(&first.digest)?;
    let playbook = parse(&text).map_err(|e| unreadable("the text", e))?;
    let given: Given =
        serde_json::from_slice(&reader.get(&object)?).map_err(|e| unreadable("the beginning", e))?;
    let log = Log {
        run: state.run,
        playbook: state.playbook.clone(),
        digest: first.digest,
        incident: first.incident,
        about: first.about.clone(),
        actor: person.actor().clone(),
        home: resume.home.clone(),
    };
    let standing = standing(&playbook, &state.marks);
    let mut attempts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, mark) in state.marks.iter().filter(|(_, mark)| mark.moment == PlaybookMoment::StepBegun) {
        mark.step.iter().for_each(|step| *attempts.entry(step.id.clone()).or_default() += 1);
    }
    if !standing.waits {
        log.mark(PlaybookMoment::Resumed, None, Said::default())?;
    }
    carrier(&playbook, &given, log, standing, attempts, person)?.carry()
}

fn carrier<'a>(
    playbook: &'a Playbook,
    given: &Given,
    log: Log,
    standing: Standing,
    attempts: BTreeMap<String, usize>,
    person: &'a mut dyn Person,
) -> Result<Carrier<'a>> {
    let mut scope = scope_of(playbook, given);
    scope.steps.clone_from(&standing.facts);
    let webhook_hosts = recorder::Config::load(&log.home)?.playbook.webhook_hosts;
    let (interrupt, began) = (Interrupt::listen(), Instant::now());
    let lines = Vec::new();
    Ok(Carrier {
        playbook,
        log,
        scope,
        standing,
        person,
        interrupt,
        webhook_hosts,
        began,
        lines,
        attempts,
        again: false,
    })
}

fn given(begin: &Begin<'_>, run: Option<Uid>) -> Result<Given> {
    let event = begin.subject.event.as_ref().map(scope::facts).unwrap_or_default();
    let vars = scope::variables(&begin.found.playbook, begin.said, &event)?;
    let mut facts = BTreeMap::new();
    facts.extend(run.map(|run| ("run.id".to_owned(), Bytes::from(short(run)))));
    facts.insert("run.cwd".to_owned(), crate::intake::current_dir());
    facts.extend(begin.incident.map(|id| ("incident.id".to_owned(), Bytes::from(id.to_string()))));
    Ok(Given { origin: begin.found.origin.words(), vars, event, run: facts })
}

fn scope_of(playbook: &Playbook, given: &Given) -> Scope {
    let secret = |(name, var): (&String, &crate::respond::playbook::format::Var)| {
        var.secret.clone().map(|secret: Secret| (name.clone(), secret))
    };
    Scope {
        vars: given.vars.clone(),
        event: given.event.clone(),
        steps: BTreeMap::new(),
        run: given.run.clone(),
        secrets: playbook.vars.iter().filter_map(secret).collect(),
    }
}

fn refuse_what_is_wrong(playbook: &Playbook) -> Result<()> {
    let found = lint(playbook);
    let Some(first) = found.first() else { return Ok(()) };
    let place = first.step.as_ref().map(|step| format!("step {step}: ")).unwrap_or_default();
    let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
    let what = format!("{} is not run: {place}{}{more}", playbook.name, first.what);
    Err(Error::failure(what).hint(format!("`fr playbook lint {}` names everything", playbook.name)))
}

/// The beginning of a run's id, as people type it.
pub fn short(run: Uid) -> String {
    let run = run.to_string();
    run.get(..16).unwrap_or(&run).to_owned()
}

/// Two people must not go on with one run at once. The kernel lets go of it when we die.
fn lock(run: Uid, home: &Home) -> Result<File> {
    let dir = home.cache().join("playbooks");
    let path = dir.join(format!("{run}.lock"));
    let failed = |e: std::io::Error| Error::io("lock", &path, &e);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
    let file = File::options().create(true).append(true).mode(0o600).open(&path).map_err(failed)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Error::new(ExitCode::Locked, format!("somebody goes on with run {} just now", short(run)))
    })?;
    Ok(file)
}
