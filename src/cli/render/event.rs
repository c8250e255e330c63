//! Events for people and for JSON: one plain struct renders both.

use serde::Serialize;

use super::{bytes, count, safe, style, when};
use crate::cli::Out;
use crate::error::Result;
use crate::journal::index::Event;
use crate::model::{
    Alarm, Contained, Drilled, EffectClass, EventId, EventKind, Gap, IncidentChange, IncidentMark, Kept,
    Outcome, Promise, Reversibility, StepPhase, Verdict, spoken,
};

/// An event as `fr timeline --json` and `fr show --json` print it (`schema/event.schema.json`).
#[derive(Serialize)]
pub struct EventView<'a> {
    /// The event's number in this store.
    pub id: u64,
    /// When it began, RFC 3339, UTC.
    pub time: String,
    /// The most severe effect class.
    pub class: EffectClass,
    /// What undo can promise, lowered by what the capture really got; with the reason where it was lowered.
    pub reversibility: String,
    /// The same as one word: what can come back.
    pub comes_back: Promise,
    /// Whether the state before it is in the store.
    pub kept: Kept,
    /// How it ended; `null` where nothing was reported yet.
    pub outcome: Option<Outcome>,
    /// How long it ran, milliseconds.
    pub duration_ms: Option<u64>,
    /// The undo event that took it back.
    pub undone_by: Option<u64>,
    /// That undo could not bring everything back.
    pub undone_in_part: bool,
    /// What the recorder wrote before the command.
    #[serde(flatten)]
    pub before: &'a crate::model::Before,
    /// What it wrote after the command.
    pub after: Option<&'a crate::model::After>,
    /// The events that are part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
    /// The steps of an undo.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub steps: &'a [crate::model::StepMark],
}

impl<'a> EventView<'a> {
    /// The view of an event.
    pub fn of(event: &'a Event) -> EventView<'a> {
        EventView {
            id: event.id.0,
            time: when::rfc3339(event.before.at_ns),
            class: class_of(event),
            reversibility: reversibility_text(event),
            comes_back: event.promise(),
            kept: event.kept(),
            outcome: event.outcome(),
            duration_ms: event.after.as_ref().and_then(|a| a.duration_ms),
            undone_by: event.undone_by.map(|e| e.0),
            undone_in_part: event.undone_in_part,
            before: &event.before,
            after: event.after.as_ref(),
            parts: event.parts.iter().map(|part| part.id.0).collect(),
            steps: &event.steps,
        }
    }
}

/// A gap of the record beside events, as JSON lines have it (`schema/timeline-line.schema.json`).
#[derive(Serialize)]
pub struct GapView<'a> {
    kind: &'static str,
    /// When, RFC 3339, UTC.
    pub time: String,
    #[serde(flatten)]
    gap: &'a Gap,
}

impl<'a> GapView<'a> {
    /// The view of a gap.
    pub fn of(gap: &'a Gap) -> GapView<'a> {
        GapView { kind: "gap", time: when::rfc3339(gap.at_ns), gap }
    }
}

/// The most severe effect class of an event.
pub fn class_of(event: &Event) -> EffectClass {
    event.before.effects.iter().map(|e| e.class).max().unwrap_or(EffectClass::None)
}

/// What undo can promise, never better than what the capture got.
pub fn reversibility_text(event: &Event) -> String {
    let promised =
        event.before.effects.iter().map(|e| e.reversibility).max().unwrap_or(Reversibility::NotApplicable);
    if promised == Reversibility::NotApplicable || class_of(event) == EffectClass::None {
        return promised.to_string();
    }
    if event.before.captures.is_empty() {
        return format!("{promised} (nothing captured)");
    }
    let missing: usize = event.before.captures.iter().map(|c| c.missing.len()).sum();
    match (missing, event.before.warnings.len()) {
        (0, 0) => promised.to_string(),
        (0, w) => format!("{promised} (capture partial: {})", count(w as u64, "warning")),
        (m, _) => format!("{promised} (capture partial: {} left out)", count(m as u64, "thing")),
    }
}

/// How an event ended, in a word.
pub fn outcome_word(event: &Event) -> String {
    match event.outcome() {
        None => "open".to_owned(),
        Some(Outcome::Exited { code }) => code.to_string(),
        Some(Outcome::Signalled { signal }) => format!("sig {signal}"),
        Some(Outcome::Succeeded) => "ok".to_owned(),
        Some(Outcome::Failed) => "failed".to_owned(),
        Some(Outcome::Ended) => "ended".to_owned(),
        Some(Outcome::Background) => "bg".to_owned(),
        Some(Outcome::Refused) => "refused".to_owned(),
        Some(Outcome::Unknown) => "?".to_owned(),
    }
}

/// The command cell of the timeline: what ran, and what became of it.
pub fn command_cell(event: &Event) -> String {
    let line = safe(event.before.command.line.as_slice());
    let mut text = match &event.before.kind {
        EventKind::Command => line,
        EventKind::Undo(reversal) => format!("undo of {}", list(&reversal.of)),
        EventKind::Redo(reversal) => format!("redo: takes back {}", list(&reversal.of)),
        EventKind::Restore { of, to } => {
            format!("restore: the state before {of} into {}", safe(to.as_slice()))
        }
        EventKind::Drill { drilled } => format!("drill: {}", drill_words(drilled)),
        EventKind::Contain { containment } => contain_words(containment),
        EventKind::Release { release } => format!("released: {}", safe(release.whose.join(", ").as_bytes())),
        EventKind::Alarm { alarm } => alarm_words(alarm),
        EventKind::Playbook { mark } => super::playbook::mark_words(mark),
        EventKind::Incident { incident } => incident_words(event.id, incident),
        EventKind::Attest { attestation } => super::maturity::attest_words(attestation, event.before.at_ns),
        EventKind::Maturity { stood } => super::maturity::stood_words(stood),
    };
    if let Some(verdict) = &event.before.verdict {
        let answer = if matches!(verdict, Verdict::Deny { .. }) { "denied" } else { "asked" };
        text = format!("[{answer}] {text}");
    }
    if let Some(undo) = event.undone_by {
        let part = if event.undone_in_part { " in part" } else { "" };
        text = format!("[undone{part} by {undo}] {text}");
    }
    text
}

fn contain_words(contained: &Contained) -> String {
    let whose = contained.order.whose.words();
    let why = if contained.order.reason.is_empty() { "" } else { ": " };
    let processes = match contained.stopped.len() {
        0 => String::new(),
        1 => ", 1 process stopped".to_owned(),
        n => format!(", {n} processes stopped"),
    };
    safe(format!("contained {whose}{why}{}{processes}", contained.order.reason).as_bytes())
}

fn alarm_words(alarm: &Alarm) -> String {
    let Alarm { agent, commands, seconds, reaction, production, .. } = alarm;
    if let Some(place) = production {
        return safe(format!("ALARM: {agent} destroys production: {place} ({reaction})").as_bytes());
    }
    safe(format!("ALARM: {agent} ran {commands} destructive commands in {seconds} s ({reaction})").as_bytes())
}

/// What was done about an incident. A note is cut: `fr incident show` has the whole of it.
fn incident_words(own: EventId, mark: &IncidentMark) -> String {
    let of = mark.of.unwrap_or(own);
    let what = match &mark.change {
        IncidentChange::Opened { title, severity, commander, .. } => {
            format!("opened: {title} ({}, commander {commander})", severity.as_str())
        }
        IncidentChange::Scoped { added, sessions, removed } => {
            let mut parts = Vec::new();
            parts.extend((!added.is_empty()).then(|| format!("added {}", list(added))));
            parts.extend((!sessions.is_empty()).then(|| format!("added session {}", sessions.join(", "))));
            parts.extend((!removed.is_empty()).then(|| format!("left out {}", list(removed))));
            parts.join(", ")
        }
        IncidentChange::Revised { title, severity, commander } => {
            let mut parts = Vec::new();
            parts.extend(title.as_ref().map(|title| format!("called {title}")));
            parts.extend(severity.map(|severity| format!("now {}", severity.as_str())));
            parts.extend(commander.as_ref().map(|name| format!("commander {name}")));
            parts.join(", ")
        }
        IncidentChange::Note { text, decision } => {
            format!("{}: {}", if *decision { "decision" } else { "note" }, first_line(text))
        }
        IncidentChange::Closed { outcome } if outcome.is_empty() => "closed".to_owned(),
        IncidentChange::Closed { outcome } => format!("closed: {}", first_line(outcome)),
        IncidentChange::Locked { locked: true } => "locked against gc".to_owned(),
        IncidentChange::Locked { locked: false } => "no longer locked against gc".to_owned(),
    };
    safe(format!("incident {of} {what}").as_bytes())
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() < text.trim_end().len() { format!("{line} …") } else { line.to_owned() }
}

fn drill_words(drilled: &[Drilled]) -> String {
    let words = drilled.iter().map(|d| format!("{} {}", safe(d.system.as_bytes()), d.outcome.as_str()));
    words.collect::<Vec<_>>().join(", ")
}

/// What was stopped, and what was not.
fn contain_details(contained: &Contained, out: &mut Out) -> Result<()> {
    let what = if contained.terminated { "ended" } else { "stopped" };
    for process in &contained.stopped {
        out.line(format!("  {what}  process {} ({})", process.pid, safe(process.name.as_bytes())))?;
    }
    for left in &contained.left {
        out.line(format!("  not stopped  {}", safe(left.as_bytes())))?;
    }
    Ok(())
}

/// What a drill rehearsed, and how each scenario went.
fn drill_details(drilled: &[Drilled], out: &mut Out) -> Result<()> {
    out.line("  rehearsed on scratch targets")?;
    for one in drilled {
        let slowest = one.slowest_undo_ms.map(|ms| format!(", slowest undo {}", when::duration(ms)));
        out.line(format!(
            "    {:<10} {}  {} of {} taken back{}, took {}",
            safe(one.system.as_bytes()),
            out.paint(style::of_drill(one.outcome), one.outcome.as_str()),
            one.restored,
            count(one.commands, "command"),
            slowest.unwrap_or_default(),
            when::duration(one.took_ms)
        ))?;
        if let Some(reason) = &one.reason {
            let reason = out.paint(style::of_drill(one.outcome), safe(reason.as_bytes()));
            out.line(format!("      {reason}"))?;
        }
    }
    Ok(())
}

fn list(ids: &[crate::model::EventId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Everything about one event, for people.
pub fn event_details(event: &Event, out: &mut Out) -> Result<()> {
    let b = &event.before;
    let title = format!("event {}", event.id);
    out.line(format!("{}  {}", out.paint(style::BOLD, title), command_cell(event)))?;
    let mut field = |name: &str, value: String| -> Result<()> {
        let name = out.paint(style::DIM, format!("{name:<13}"));
        out.line(format!("  {name} {value}"))
    };
    field("uid", b.uid.to_string())?;
    field("time", when::absolute(b.at_ns))?;
    let sub = b.actor.subagent.as_ref().map(|s| format!(", sub-agent {s}")).unwrap_or_default();
    let kind = format!("{:?}", b.actor.kind).to_lowercase();
    field("actor", safe(format!("{kind} {}{sub} ({})", b.actor.name, b.actor.evidence).as_bytes()))?;
    field("session", safe(b.session.as_bytes()))?;
    field("tool", safe(b.command.tool.as_bytes()))?;
    field("directory", safe(b.cwd.as_slice()))?;
    let took =
        event.after.as_ref().and_then(|a| a.duration_ms).map(|ms| format!(" after {}", when::duration(ms)));
    field("outcome", format!("{}{}", outcome_sentence(event), took.unwrap_or_default()))?;
    if let Some(verdict) = &b.verdict {
        let reason = verdict.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        field("answer", safe(format!("{}{reason}", verdict.as_str()).as_bytes()))?;
    }
    field("reversibility", reversibility_text(event))?;
    if let Some(line) = b.parent {
        field("part of", line.to_string())?;
    }
    if !event.parts.is_empty() {
        field("parts", list(&event.parts.iter().map(|part| part.id).collect::<Vec<_>>()))?;
    }
    if let Some(note) = event.after.as_ref().and_then(|a| a.note.as_ref()) {
        field("note", safe(note.as_bytes()))?;
    }
    if let EventKind::Drill { drilled } = &b.kind {
        drill_details(drilled, out)?;
    }
    if let EventKind::Contain { containment } = &b.kind {
        contain_details(containment, out)?;
    }
    if let EventKind::Playbook { mark } = &b.kind {
        super::playbook::mark_details(mark, out)?;
    }
    effects_and_captures(event, out)
}

fn effects_and_captures(event: &Event, out: &mut Out) -> Result<()> {
    let b = &event.before;
    if !b.effects.is_empty() {
        out.line("  effects")?;
    }
    for effect in &crate::systems::git::name_as_captured(&b.effects, &b.captures) {
        let class = out.paint(style::of_class(effect.class), format!("{:<10}", effect.class));
        let sure = if effect.certain { "" } else { "  (not certain)" };
        out.line(format!(
            "    {class} {}  {}{sure}",
            safe(spoken(&effect.resource).as_slice()),
            effect.reversibility
        ))?;
    }
    if !b.captures.is_empty() {
        out.line("  captured before it ran")?;
    }
    for capture in &b.captures {
        let size = format!("{}, {}", count(capture.items, "item"), bytes(capture.bytes));
        out.line(format!("    {}  {size}", safe(spoken(&capture.resource).as_slice())))?;
        for missing in &capture.missing {
            let text =
                format!("not captured: {}: {}", safe(missing.what.as_slice()), safe(missing.why.as_bytes()));
            let text = out.paint(style::WARN, text);
            out.line(format!("      {text}"))?;
        }
    }
    for unseen in crate::recover::unseen(std::slice::from_ref(event)) {
        let text = out.paint(style::WARN, format!("not seen: {}", safe(unseen.as_bytes())));
        out.line(format!("    {text}"))?;
    }
    for warning in &b.warnings {
        let text = out.paint(style::WARN, format!("warning: {}", safe(warning.as_bytes())));
        out.line(format!("  {text}"))?;
    }
    for step in event.steps.iter().filter(|s| s.phase != StepPhase::Started) {
        let note = step.note.as_ref().map(|n| safe(n.as_bytes())).unwrap_or_default();
        out.line(format!("  step {} {:?} {note}", step.step + 1, step.phase).to_lowercase())?;
    }
    Ok(())
}

/// How an event ended, for people.
pub fn outcome_sentence(event: &Event) -> String {
    match event.outcome() {
        None => "not reported yet: it may have run".to_owned(),
        Some(Outcome::Exited { code }) => format!("exit code {code}"),
        Some(Outcome::Signalled { signal }) => format!("ended by signal {signal}"),
        Some(Outcome::Succeeded) => "succeeded".to_owned(),
        Some(Outcome::Failed) => "failed".to_owned(),
        Some(Outcome::Ended) => "ended: whether well or not was not reported".to_owned(),
        Some(Outcome::Background) => "went on in the background: its end was not seen".to_owned(),
        Some(Outcome::Refused) => "refused: it never ran".to_owned(),
        Some(Outcome::Unknown) => "not known: it may have run".to_owned(),
    }
}
