//! The before-half: understand, assess, capture, append. When it returns, what is about to be destroyed is durable.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::nesting::Nest;
use super::open_events::{self, Claim, OpenEvent, Report, Slot};
use super::redact::{self, TagKey};
use super::{captures, containment, context, policy, production, runaway};
use crate::error::{ExitCode, Result};
use crate::intake::{Action, Request};
use crate::journal::{Durability, Journal};
use crate::model::{
    ActorKind, After, Before, Bytes, Call, CommandText, Effect, EffectClass, EventId, EventKind, Gap,
    ObjectId, ObjectKind, ObjectSink, Outcome, Record, Reversibility, Source, SystemId, Uid, Verdict,
};
use crate::platform::{clock, home, home::Home, random};
use crate::shell::{self, ShellCx, Understood};
use crate::store::Store;
use crate::systems::{self, AssessCx};

/// How long parsing and expanding may take before the rest of a line is opaque.
const PARSE_LIMIT: Duration = Duration::from_millis(500);

/// What was recorded before a command.
#[derive(Debug)]
pub struct Recorded {
    /// The event.
    pub event: EventId,
    /// What it will do.
    pub effects: Vec<Effect>,
    /// How many captures were taken.
    pub captures: usize,
    /// What could not be captured.
    pub warnings: Vec<String>,
    /// What the agent is answered.
    pub verdict: Verdict,
}

/// Records that a command is about to run, and first stores what it is about to destroy. `None` where another
/// registration has reported the same call, which is on record then.
///
/// `registration` is the word behind `fr hook`, for channels that may not give their calls ids.
pub fn before(request: &Request, registration: Option<&str>, home: &Home) -> Result<Option<Recorded>> {
    let Reading { understood, mut effects, instead } = read(&request.action, &request.cwd, &request.env);
    effects.extend(instead);
    context::without_what_fails(&mut effects);
    let kubeconfig = request.env.get("KUBECONFIG");
    systems::kubernetes::name_contexts_or_none(&mut effects, kubeconfig, home::user_home().as_deref());
    let mut warnings: Vec<String> =
        understood.opaque.iter().map(|why| format!("not understood: {why}")).collect();
    if effects.iter().all(|e| e.class == EffectClass::None) {
        effects.clear();
    }
    let journal = journal(home)?;
    let mut command = command_text(&request.action, request.source, home);
    let call = pairing(request.call.as_deref(), registration, &command);
    let mut slot = None;
    if let Some(call) = call.as_ref().filter(|_| !effects.is_empty()) {
        let report = report(request, call, &command);
        match open_events::claim(home, call, &report) {
            Ok(Claim::Twin) => return Ok(None),
            Ok(Claim::Mine(ours)) => slot = Some((ours, report)),
            Err(error) => warnings.push(format!("what it leaves behind will not be known: {error}")),
        }
    }
    let mut taken = captures::Capturing::default();
    // What is not going to run destroys nothing.
    let held = containment::verdict(request, home)
        .or_else(|| Some(runaway::look(request, &effects, home)?.within(request.answers)))
        .filter(|verdict| *verdict != Verdict::Allow);
    if !effects.is_empty() && !matches!(held, Some(Verdict::Deny { .. })) {
        (taken, command.exact) = capture(&effects, request, home);
    }
    warnings.append(&mut taken.warnings);
    let verdict = held.unwrap_or_else(|| {
        let alarmed = production::look(request, &effects, &taken.captures, home);
        let alarmed = alarmed.map_or(Verdict::Allow, |verdict| verdict.within(request.answers));
        policy::harder(policy::on_record(request, &effects, &taken, home), alarmed)
    });
    if let Some((_, report)) = &mut slot {
        report.denied = matches!(verdict, Verdict::Deny { .. });
    }
    let record = Before {
        uid: new_uid(),
        at_ns: clock::now_ns(),
        kind: EventKind::Command,
        session: request.session.clone(),
        call: call.as_ref().map(ToString::to_string),
        actor: request.actor.clone(),
        source: request.source,
        parent: None,
        command,
        cwd: request.cwd.clone(),
        effects,
        captures: taken.captures,
        warnings,
        background: request.background,
        verdict: Some(verdict).filter(|verdict| *verdict != Verdict::Allow),
    };
    let recorded = append(record, slot, Some(&understood), &journal, home)?;
    if let Verdict::Deny { .. } = &recorded.verdict {
        let refused = refusal(request, call.as_ref().map(ToString::to_string));
        journal.append(&Record::After(Box::new(refused)), Some(recorded.event), Durability::Buffered)?;
    }
    Ok(Some(recorded))
}

/// The after-half of what was denied. An agent that runs it all the same reports a better one.
pub(super) fn refusal(request: &Request, call: Option<String>) -> After {
    After {
        at_ns: clock::now_ns(),
        session: request.session.clone(),
        call,
        outcome: Outcome::Refused,
        duration_ms: None,
        post: Vec::new(),
        note: None,
        lacking: Vec::new(),
    }
}

/// What pairs the halves of a call: its id, else what it runs, as far as the registration is known.
pub(super) fn pairing(id: Option<&str>, registration: Option<&str>, command: &CommandText) -> Option<Call> {
    match (id, registration) {
        (Some(id), _) => Some(Call::Id(id.to_owned())),
        (None, Some(by)) => Some(Call::Args { key: key_of(command), by: by.to_owned() }),
        (None, None) => None,
    }
}

fn report(request: &Request, call: &Call, command: &CommandText) -> Report {
    let channel = match (request.source, call) {
        (Source::Shell, _) => "shell".to_owned(),
        (_, Call::Args { by, .. }) => by.clone(),
        (_, Call::Id(_)) => "id".to_owned(),
    };
    let is_agent = request.actor.kind == ActorKind::Agent;
    Report {
        session: request.session.clone(),
        call: call.to_string(),
        key: key_of(command),
        agent: if is_agent { request.actor.name.clone() } else { String::new() },
        channel,
        closed: false,
        denied: false,
    }
}

fn key_of(command: &CommandText) -> String {
    Call::key(&command.tool, command.line.as_slice())
}

/// The journal of an existing store, or of one that is made now. The store itself is opened only where there is
/// something to capture.
pub(super) fn journal(home: &Home) -> Result<Journal> {
    match Journal::open(home) {
        Err(error) if error.code == ExitCode::NoStore => {
            Store::open_or_create(home)?;
            Journal::open(home)
        }
        other => other,
    }
}

/// The captures and the exact command, durable. The recorder never breaks the shell: where the store fails, the command
/// is still recorded, and the record says that nothing was captured and why.
fn capture(effects: &[Effect], request: &Request, home: &Home) -> (captures::Capturing, Option<ObjectId>) {
    match try_capture(effects, request, home) {
        Ok(done) => {
            commit_caches(home);
            done
        }
        Err(error) => {
            systems::files::discard_caches(&home.cache());
            let warning = format!("nothing was captured: {error}");
            let destroys = effects.iter().any(|effect| effect.class.is_destructive());
            let lacking = destroys.then(|| warning.clone()).into_iter().collect();
            (captures::Capturing { captures: Vec::new(), warnings: vec![warning], lacking }, None)
        }
    }
}

fn try_capture(
    effects: &[Effect],
    request: &Request,
    home: &Home,
) -> Result<(captures::Capturing, Option<ObjectId>)> {
    let store = Store::open(home)?;
    let batch = store.batch();
    let taken = captures::capture_all(effects, &batch, home);
    let exact = match taken.captures.is_empty() {
        true => None,
        false => Some(batch.put(ObjectKind::Argv, &exact_bytes(&request.action))?),
    };
    batch.commit()?;
    Ok((taken, exact))
}

pub(super) fn append(
    mut record: Before,
    slot: Option<(Slot, Report)>,
    understood: Option<&Understood>,
    journal: &Journal,
    home: &Home,
) -> Result<Recorded> {
    // With the words as they are: what runs inside is compared with them.
    let nest = (slot.is_some() && !record.effects.is_empty()).then(|| Nest::of(&record, understood));
    hide_secrets(&mut record, &TagKey::load(home));
    let (effects, warnings) = (record.effects.clone(), record.warnings.clone());
    let verdict = record.verdict.clone().unwrap_or(Verdict::Allow);
    // What is about to be destroyed must survive a power cut; the record of a harmless command need not.
    let durability = if record.effects.is_empty() { Durability::Buffered } else { Durability::Durable };
    let captures = record.captures.clone();
    let appended = journal.append(&Record::Before(Box::new(record)), None, durability);
    let taken = captures.len();
    match (&appended, slot) {
        (Ok(appended), Some((slot, report))) if nest.is_some() => {
            let open = OpenEvent { report, event: appended.event, captures, nest };
            slot.fill(home, &open)?;
        }
        // There is nothing to run inside of or to look at again, or no event.
        (_, Some((slot, _))) => slot.release(home),
        (_, None) => {}
    }
    Ok(Recorded { event: appended?.event, effects, captures: taken, warnings, verdict })
}

/// The record as it may be written.
pub(super) fn without_secrets(mut record: Before, home: &Home) -> Before {
    hide_secrets(&mut record, &TagKey::load(home));
    record
}

/// Takes secrets out of what the record says beside the command line: a remote that is named by its URL with a password
/// in it, a tool's error that repeats it.
fn hide_secrets(record: &mut Before, key: &TagKey) {
    let hide = |text: &mut Bytes| *text = Bytes(redact::redact(text.as_slice(), key));
    let missing = record.captures.iter_mut().flat_map(|capture| &mut capture.missing);
    let whys = missing.map(|missing| &mut missing.why).chain(&mut record.warnings);
    whys.for_each(|text| *text = String::from_utf8_lossy(&redact::redact(text.as_bytes(), key)).into_owned());
    record.effects.iter_mut().map(|effect| &mut effect.resource).for_each(hide);
    record.captures.iter_mut().map(|capture| &mut capture.resource).for_each(hide);
}

/// Lets the stat caches count. They only save work: one that cannot be renamed is made anew by the next capture.
pub(super) fn commit_caches(home: &Home) {
    if systems::files::commit_caches(&home.cache()).is_err() {
        systems::files::discard_caches(&home.cache());
    }
}

/// An action as its words tell it.
pub struct Reading {
    /// Its simple commands, and what was not understood.
    pub understood: Understood,
    /// What it will do.
    pub effects: Vec<Effect>,
    /// What it will do elsewhere, because a directory that it means to enter is not there: captured like the rest.
    pub instead: Vec<Effect>,
}

/// Reads an action: parses, expands, assesses. Runs nothing.
pub fn read(action: &Action, cwd: &Bytes, env: &BTreeMap<String, Bytes>) -> Reading {
    let user_home = home::user_home();
    let parse = ShellCx {
        cwd,
        env,
        home: user_home.as_deref(),
        globs: true,
        deadline: Some(Instant::now() + PARSE_LIMIT),
    };
    let words = AssessCx { env, home: user_home.as_deref() };
    let assessed = |understood: Understood| {
        let effects = context::assess_here(&understood, &words);
        Reading { instead: context::assess_instead(&understood, &effects, &words), effects, understood }
    };
    let wordless = |effects| Reading {
        effects,
        instead: Vec::new(),
        understood: Understood { cwd: cwd.clone(), invocations: Vec::new(), opaque: Vec::new() },
    };
    match action {
        Action::Shell(line) => assessed(shell::understand(line, &parse)),
        Action::Argv(argv) => assessed(shell::from_argv(argv, &parse)),
        Action::EditFile { paths, .. } => wordless(paths.iter().map(|p| edit_effect(cwd, p)).collect()),
        Action::OtherTool { name, .. } => wordless(vec![opaque_tool(cwd, name)]),
        Action::ReadOnly { .. } => wordless(Vec::new()),
    }
}

fn edit_effect(cwd: &Bytes, path: &Bytes) -> Effect {
    let mut resource = b"path:".to_vec();
    resource.extend_from_slice(path.as_slice());
    let mut place = systems::locator(cwd.join(path.as_slice()));
    place.opts.insert("scope".to_owned(), Bytes::from("node"));
    Effect {
        system: SystemId::new("fs"),
        class: EffectClass::Overwrite,
        resource: Bytes(resource),
        reversibility: Reversibility::Exact,
        certain: true,
        locator: Some(place),
    }
}

fn opaque_tool(cwd: &Bytes, name: &str) -> Effect {
    let mut place = systems::locator(cwd.clone());
    place.opts.insert("scope".to_owned(), Bytes::from("workspace"));
    Effect {
        system: SystemId::new("fs"),
        class: EffectClass::Opaque,
        resource: Bytes::from(format!("dyn:{name}")),
        reversibility: Reversibility::Exact,
        certain: false,
        locator: Some(place),
    }
}

/// The command as people read it, with secrets taken out.
pub(super) fn command_text(action: &Action, source: Source, home: &Home) -> CommandText {
    let key = TagKey::load(home);
    let line = match action {
        Action::Shell(line) => redact::redact(line, &key),
        Action::Argv(argv) => redact::redact(&quoted(argv), &key),
        Action::EditFile { paths, .. } => paths.iter().map(|p| p.0.clone()).collect::<Vec<_>>().join(&b' '),
        Action::OtherTool { raw, .. } => redact::redact(raw, &key),
        Action::ReadOnly { subject, .. } => redact::redact(subject.as_slice(), &key),
    };
    CommandText { tool: action.tool(source).to_owned(), line: Bytes(line), exact: None }
}

/// The exact line, or argv separated by NUL: argv cannot hold one.
pub(super) fn exact_bytes(action: &Action) -> Vec<u8> {
    match action {
        Action::Shell(line) => line.clone(),
        Action::Argv(argv) => argv.iter().map(|a| a.0.clone()).collect::<Vec<_>>().join(&0),
        Action::EditFile { paths, .. } => paths.iter().map(|p| p.0.clone()).collect::<Vec<_>>().join(&0),
        Action::OtherTool { raw, .. } => raw.clone(),
        Action::ReadOnly { subject, .. } => subject.0.clone(),
    }
}

/// argv as a line for people: POSIX quoting, only where needed. For display, never replayed.
pub fn quoted(argv: &[Bytes]) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_./=:,@%+^".contains(b) || *b >= 0x80;
    let mut line = Vec::new();
    for (i, arg) in argv.iter().enumerate() {
        if i > 0 {
            line.push(b' ');
        }
        if !arg.is_empty() && arg.as_slice().iter().all(plain) {
            line.extend_from_slice(arg.as_slice());
            continue;
        }
        line.push(b'\'');
        for &b in arg.as_slice() {
            if b == b'\'' { line.extend_from_slice(b"'\\''") } else { line.push(b) }
        }
        line.push(b'\'');
    }
    line
}

/// A new global id.
pub fn new_uid() -> Uid {
    let mut noise = [0u8; 10];
    random::fill(&mut noise);
    Uid::new(u64::try_from(clock::now_ns() / 1_000_000).unwrap_or(0), noise)
}

/// Writes down that something was not recorded. Best effort: it is called where recording has just failed.
pub fn gap(home: &Home, reason: &str, detail: Option<&[u8]>) -> Result<()> {
    let detail =
        detail.map(|d| String::from_utf8_lossy(&redact::redact(d, &TagKey::load(home))).into_owned());
    let gap = Gap { at_ns: clock::now_ns(), reason: reason.to_owned(), count: 1, detail };
    Store::open_or_create(home)?;
    Journal::open(home)?.append(&Record::Gap(gap), None, Durability::Buffered)?;
    Ok(())
}
