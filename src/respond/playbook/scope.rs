//! What the names in a playbook stand for.

use std::collections::BTreeMap;
use std::path::Path;

use super::format::{Playbook, Secret};
use crate::error::{Error, Result};
use crate::journal::index::Event;
use crate::model::{Bytes, Capture, Effect, EffectClass, PlaybookMoment};

/// The facts of an event that a playbook may name.
pub const FACTS: [&str; 15] = [
    "id", "uid", "session", "agent", "actor", "cwd", "line", "time", "system", "effect", "resource", "place",
    "captured", "hit", "pushed",
];
/// What a playbook may name of an earlier step.
pub const OF_STEP: [&str; 4] = ["outcome", "code", "stdout", "answer"];

/// The largest secret that is read from a file, bytes.
const LARGEST_SECRET: u64 = 64 * 1024;

/// What happened to an earlier step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepFacts {
    /// How it ended.
    pub outcome: Option<PlaybookMoment>,
    /// Its exit code.
    pub code: Option<i32>,
    /// What it answered, or what a person entered, as it is on record.
    pub text: Option<String>,
}

/// The values of all names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Variables.
    pub vars: BTreeMap<String, Bytes>,
    /// Facts of the event.
    pub event: BTreeMap<String, Bytes>,
    /// Earlier steps.
    pub steps: BTreeMap<String, StepFacts>,
    /// The run's id, and the incident's.
    pub run: BTreeMap<String, Bytes>,
    /// The secrets' places.
    pub secrets: BTreeMap<String, Secret>,
}

impl Scope {
    /// The value of a name that is no secret.
    ///
    /// # Errors
    /// Where it has none.
    pub fn value(&self, name: &str) -> Result<Bytes> {
        let none = |why: &str| Err(Error::failure(format!("{name} has no value: {why}")));
        match name.split('.').collect::<Vec<_>>().as_slice() {
            ["vars", var] => match self.vars.get(*var) {
                Some(value) => Ok(value.clone()),
                None => none("`--var NAME=VALUE` gives it one"),
            },
            ["event", fact] => match self.event.get(*fact) {
                Some(value) => Ok(value.clone()),
                None => none("`--event ID` says which event it is about"),
            },
            ["run" | "incident", _] => match self.run.get(name) {
                Some(value) => Ok(value.clone()),
                None => none("the run belongs to no incident"),
            },
            ["steps", id, what] => self.of_step(name, id, what),
            _ => none("there is no such name"),
        }
    }

    fn of_step(&self, name: &str, id: &str, what: &str) -> Result<Bytes> {
        let unknown = |why: &str| Error::failure(format!("{name} has no value: {why}"));
        let facts = self.steps.get(id).ok_or_else(|| unknown("that step has not ended"))?;
        match what {
            "outcome" => {
                let word = facts.outcome.map(|moment| moment.as_str().trim_start_matches("step-"));
                word.map(Bytes::from).ok_or_else(|| unknown("that step has not ended"))
            }
            "code" => {
                facts.code.map(|code| Bytes::from(code.to_string())).ok_or_else(|| unknown("it ran nothing"))
            }
            _ => match &facts.text {
                None => Err(unknown("the step answered nothing")),
                // What is on record is not what was said: nothing must be done with it.
                Some(text) if text.contains("[REDACTED:") => Err(unknown("a secret was taken out of it")),
                Some(text) if text.ends_with(super::run::CUT) => Err(unknown("it was too long to be kept")),
                Some(text) => Ok(Bytes::from(text.trim_end())),
            },
        }
    }

    /// A secret, read from where it lies.
    ///
    /// # Errors
    /// Where it is not there. The error does not hold it.
    pub fn secret(&self, name: &str) -> Result<Bytes> {
        let of = |what: String| Error::failure(format!("the secret {name} is not there: {what}"));
        match self.secrets.get(name) {
            None => Err(of("no variable of this name is a secret".to_owned())),
            Some(Secret::Env(var)) => std::env::var_os(var)
                .filter(|value| !value.is_empty())
                .map(Bytes::from)
                .ok_or_else(|| of(format!("the variable {var} is not set"))),
            Some(Secret::File(path)) => {
                let read = || -> std::io::Result<Vec<u8>> {
                    use std::io::Read;
                    let mut bytes = Vec::new();
                    std::fs::File::open(Path::new(path))?.take(LARGEST_SECRET).read_to_end(&mut bytes)?;
                    Ok(bytes)
                };
                let mut bytes = read().map_err(|e| of(format!("{path}: {e}")))?;
                while bytes.last().is_some_and(|b| *b == b'\n' || *b == b'\r') {
                    bytes.pop();
                }
                Ok(Bytes(bytes))
            }
        }
    }

    /// A value for the environment, where secrets may stand: `${{ secret.token }}`.
    ///
    /// # Errors
    /// Where a name has no value.
    pub fn for_env(&self, text: &str) -> Result<Bytes> {
        let mut out = Vec::new();
        for piece in super::template::pieces(text)? {
            match piece {
                super::template::Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                super::template::Piece::Name(name) => match name.strip_prefix("secret.") {
                    Some(secret) => out.extend_from_slice(self.secret(secret)?.as_slice()),
                    None => out.extend_from_slice(self.value(&name)?.as_slice()),
                },
            }
        }
        if out.contains(&0) {
            return Err(Error::failure("a variable of the environment would hold a NUL"));
        }
        Ok(Bytes(out))
    }
}

/// The facts of an event.
pub fn facts(event: &Event) -> BTreeMap<String, Bytes> {
    let before = &event.before;
    let all = std::iter::once(event).chain(&event.parts);
    // Of several that are as bad the first that has a name: `aws s3 rb --force` removes "all objects of the bucket", too.
    let worst = all.flat_map(|one| one.before.effects.iter().map(move |effect| (one, effect))).min_by_key(
        |(_, effect)| (std::cmp::Reverse(effect.class), effect.resource.as_slice().starts_with(b"dyn:")),
    );
    let capture = worst.and_then(|(one, effect)| kept_of(one, effect));
    let worst = worst.map(|(_, effect)| effect);
    let kind = format!("{:?}", before.actor.kind).to_lowercase();
    let time = chrono::DateTime::from_timestamp_nanos(before.at_ns)
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let class = worst.map_or(EffectClass::None, |effect| effect.class);
    let values: [Bytes; 15] = [
        Bytes::from(event.id.to_string()),
        Bytes::from(before.uid.to_string()),
        Bytes::from(before.session.as_str()),
        Bytes::from(before.actor.name.as_str()),
        Bytes::from(kind),
        before.cwd.clone(),
        before.command.line.clone(),
        Bytes::from(time),
        Bytes::from(worst.map(|effect| effect.system.to_string()).unwrap_or_default()),
        Bytes::from(class.as_str()),
        worst.map(|effect| effect.resource.clone()).unwrap_or_default(),
        place(event).unwrap_or_else(|| before.cwd.clone()),
        capture.map(|capture| capture.resource.clone()).unwrap_or_default(),
        hit(event),
        pushed(event),
    ];
    FACTS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

/// All that it did something to, a line each. A name with a line break in it could pass for two, and is left out.
fn hit(event: &Event) -> Bytes {
    let all = std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.effects);
    let changed = all.filter(|effect| effect.class.changes_state()).map(|effect| effect.resource.as_slice());
    let mut names: Vec<&[u8]> = changed.filter(|name| !name.contains(&b'\n')).collect();
    names.dedup();
    Bytes(names.join(&b'\n'))
}

/// The refs of remotes that were hit, a remote and a ref a line: by the words, or by what was captured where these name none
/// (`git push -f`).
fn pushed(event: &Event) -> Bytes {
    let all = || std::iter::once(event).chain(&event.parts);
    let effects = all().flat_map(|one| &one.before.effects);
    let by_words = effects.filter(|effect| effect.system.0 == "git" && effect.class.changes_state());
    let captures = all().flat_map(|one| &one.before.captures).filter(|capture| capture.system.0 == "git");
    let names = by_words.map(|effect| &effect.resource).chain(captures.map(|capture| &capture.resource));
    let mut lines: Vec<String> = Vec::new();
    for name in names.map(|name| name.lossy().into_owned()) {
        let found = name.strip_prefix("git:").and_then(|name| name.split_once("/refs/"));
        let line = found.filter(|(remote, rest)| *remote != "local" && !rest.contains('\n'));
        let line = line.map(|(remote, rest)| format!("{remote} refs/{rest}"));
        lines.extend(line.filter(|line| !lines.contains(line)));
    }
    Bytes::from(lines.join("\n"))
}

/// The directory in which the tool of the worst effect worked: terraform's root module, a repository. The locator of a file
/// is the file itself, which may be gone.
fn place(event: &Event) -> Option<Bytes> {
    let all = std::iter::once(event).chain(&event.parts).flat_map(|one| &one.before.effects);
    let placed = all.filter(|effect| effect.system.0 != "fs" && effect.locator.is_some());
    placed.max_by_key(|effect| effect.class)?.locator.as_ref().map(|locator| locator.at.clone())
}

/// What was kept of what an effect was about: of its place, else of its system.
fn kept_of<'e>(event: &'e Event, effect: &Effect) -> Option<&'e Capture> {
    let of_system = || event.before.captures.iter().filter(|capture| capture.system == effect.system);
    let place = effect.locator.as_ref().map(|locator| &locator.at);
    of_system().find(|capture| Some(&capture.locator.at) == place).or_else(|| of_system().next())
}

/// The variables of a playbook: what was said, else what the event tells, else the default.
///
/// # Errors
/// Where something was said that the playbook has no variable for, or a needed one has no value.
pub fn variables(
    playbook: &Playbook,
    said: &BTreeMap<String, Bytes>,
    event: &BTreeMap<String, Bytes>,
) -> Result<BTreeMap<String, Bytes>> {
    let usage = |what: String| Error::new(crate::error::ExitCode::Usage, what);
    for name in said.keys() {
        match playbook.vars.get(name) {
            Some(var) if var.secret.is_none() => {}
            Some(_) => {
                return Err(usage(format!("{name} is a secret: it is read from where the playbook says")));
            }
            None => {
                let known: Vec<&str> = playbook.vars.keys().map(String::as_str).collect();
                let hint = match known.as_slice() {
                    [] => "it has no variables".to_owned(),
                    known => format!("it has {}", known.join(", ")),
                };
                let what = format!("{} has no variable {}", playbook.name, name.escape_debug());
                return Err(usage(what).hint(hint));
            }
        }
    }
    let mut values = BTreeMap::new();
    for (name, var) in playbook.vars.iter().filter(|(_, var)| var.secret.is_none()) {
        let told = var.from.as_ref().and_then(|from| event.get(from.strip_prefix("event.")?));
        let told = told.and_then(|value| taken(value, var.take.as_deref()));
        let default = || var.default.as_ref().map(|text| Bytes::from(text.as_str()));
        match said.get(name).cloned().or(told).or_else(default) {
            Some(value) => drop(values.insert(name.clone(), value)),
            None => {
                let what = format!("{} needs to know {name}: {}", playbook.name, var.about);
                return Err(usage(what).hint(format!("`--var {name}=…`")));
            }
        }
    }
    Ok(values)
}

/// The part of a fact that is wanted.
fn taken(value: &Bytes, take: Option<&str>) -> Option<Bytes> {
    let Some(take) = take else { return Some(value.clone()).filter(|value| !value.is_empty()) };
    let found = regex::bytes::Regex::new(take).ok()?.captures(value.as_slice())?.get(1)?.as_bytes().to_vec();
    Some(Bytes(found))
}
