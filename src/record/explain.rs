//! What `fr explain` says of a line: its effects as data.

use std::collections::HashSet;

use serde::Serialize;

use super::before::{Reading, quoted};
use super::policy::Mode;
use super::redact::{self, TagKey};
use super::{Config, guard};
use crate::model::{Bytes, Capture, Effect, EffectClass, Invocation, ObjectId, StateRef, Stdin, Verdict};
use crate::shell::Understood;
use crate::systems::{self, git, kubernetes};

/// Takes secrets out of what is shown, as the record does ([`super::redact`]).
pub fn hide_secrets(reading: &mut Reading) {
    let key = TagKey::none();
    let hide = |text: &mut Bytes| *text = Bytes(redact::redact(text.as_slice(), &key));
    reading.effects.iter_mut().for_each(|effect| hide(&mut effect.resource));
    for why in &mut reading.understood.opaque {
        *why = String::from_utf8_lossy(&redact::redact(why.as_bytes(), &key)).into_owned();
    }
    for inv in &mut reading.understood.invocations {
        // What stands beside a word tells what it is: the line as a whole is read, and cut again.
        let line: Vec<Bytes> = inv.argv.iter().map(|word| word.text.clone()).collect();
        let hidden = words(&redact::redact(&quoted(&line), &key));
        let same = hidden.len() == inv.argv.len();
        for (at, word) in inv.argv.iter_mut().enumerate() {
            match hidden.get(at).filter(|_| same) {
                Some(text) => word.text = Bytes(text.clone()),
                None => hide(&mut word.text),
            }
        }
        if let Stdin::Text(word) = &mut inv.stdin {
            hide(&mut word.text);
        }
        for (name, value) in &mut inv.env {
            if let Some(value) = value {
                *value = Bytes(redact::redact_env(name, value.as_slice(), &key));
            }
        }
    }
}

/// The words of a line that [`quoted`] made.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut out, mut inside, mut escaped) = (vec![Vec::new()], false, false);
    for byte in line {
        let last = out.len() - 1;
        match byte {
            _ if escaped => {
                escaped = false;
                out.get_mut(last).into_iter().for_each(|word: &mut Vec<u8>| word.push(*byte));
            }
            b'\'' => inside = !inside,
            b'\\' if !inside => escaped = true,
            b' ' if !inside => out.push(Vec::new()),
            byte => out.get_mut(last).into_iter().for_each(|word| word.push(*byte)),
        }
    }
    out
}

/// The report on one line.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainReport<'a> {
    /// The most severe effect class, `none` where there is no effect.
    pub class: EffectClass,
    /// All effects.
    pub effects: Vec<ExplainedEffect<'a>>,
    /// The simple commands that were found.
    pub invocations: &'a [Invocation],
    /// Why something was not understood.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub opaque: &'a [String],
    /// What an agent would be answered.
    pub policy: Foretold,
}

/// What the settings would make of a line that an agent announces.
#[derive(Clone, Debug, Serialize)]
pub struct Foretold {
    /// The mode of the present settings.
    pub mode: Mode,
    /// What guard mode answers, if all that can be captured is.
    pub guard: Verdict,
}

/// What guard mode would answer, as far as the words tell: what the capture would find out (the server behind a context) or
/// could not keep is not known here.
pub fn foretell(effects: &[Effect], config: &Config) -> Foretold {
    let captured = effects.iter().filter(|effect| coverage(effect) != Coverage::None);
    let captures: Vec<Capture> = captured.filter_map(as_captured).collect();
    Foretold { mode: config.mode, guard: guard::judge(effects, &captures, &[], &config.production) }
}

/// An effect's target as if it had been captured.
fn as_captured(effect: &Effect) -> Option<Capture> {
    Some(Capture {
        system: effect.system.clone(),
        resource: effect.resource.clone(),
        locator: effect.locator.clone()?,
        state: StateRef { digest: ObjectId([0; 32]), object: None },
        missing: Vec::new(),
        items: 0,
        bytes: 0,
    })
}

/// One effect of the report.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedEffect<'a> {
    /// The system.
    pub system: &'a str,
    /// What happens.
    pub class: EffectClass,
    /// To what, in the target grammar.
    pub resource: &'a crate::model::Bytes,
    /// What undo can promise.
    pub reversibility: crate::model::Reversibility,
    /// All of it was resolved from the words.
    pub certain: bool,
    /// How much of it would be stored before it happens.
    pub capture: Coverage,
}

/// How much of an effect's resource is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// All of it, within the caps.
    All,
    /// What is here, not what lies on the other side: the remote of a push whose words do not say which.
    LocalSide,
    /// What the line lists before it acts on the list; it may act on other things too.
    Listed,
    /// Nothing: the command is recorded.
    None,
}

/// How much of an effect's resource would be captured.
pub fn coverage(effect: &Effect) -> Coverage {
    let Some(locator) = &effect.locator else { return Coverage::None };
    if systems::by_id(&effect.system.0).is_none() {
        return Coverage::None;
    }
    // The words tell why not even a look is possible.
    if locator.opts.contains_key("not-kept") {
        return Coverage::None;
    }
    if effect.system.0 == "kubernetes" && kubernetes::is_unsure(locator) {
        return Coverage::Listed;
    }
    let what = locator.opts.get("what").map(|what| what.lossy().into_owned()).unwrap_or_default();
    let pushes = what.split(',').any(|part| part == "remote");
    if pushes && !git::captures_remote(locator) { Coverage::LocalSide } else { Coverage::All }
}

/// The most severe class of some effects.
pub fn most_severe(effects: &[Effect]) -> EffectClass {
    effects.iter().map(|e| e.class).max().unwrap_or(EffectClass::None)
}

/// The report on a line that was understood and assessed. Effects that differ only in where they are found are one.
pub fn report<'a>(understood: &'a Understood, effects: &'a [Effect], policy: Foretold) -> ExplainReport<'a> {
    let mut seen = HashSet::new();
    let mut shown: Vec<ExplainedEffect<'a>> = Vec::new();
    for e in effects {
        if seen.insert((e.class, &e.resource, &e.system)) {
            shown.push(ExplainedEffect {
                system: &e.system.0,
                class: e.class,
                resource: &e.resource,
                reversibility: e.reversibility,
                certain: e.certain,
                capture: coverage(e),
            });
        }
    }
    ExplainReport {
        class: most_severe(effects),
        effects: shown,
        invocations: &understood.invocations,
        opaque: &understood.opaque,
        policy,
    }
}
