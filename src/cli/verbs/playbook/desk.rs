//! The person at the terminal, or the script in their place.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::args::PlaybookAgreedArgs;
use crate::cli::render::{safe, style};
use crate::cli::{Out, ask, usage};
use crate::error::Result;
use crate::model::{Actor, PlaybookKind, PlaybookMode, PlaybookMoment};
use crate::respond::playbook::format::Step;
use crate::respond::playbook::{Answer, Person, Prompt, Told};

/// How many lines of an answer are shown; the record has more.
const MOST_LINES: usize = 20;
/// The same of a step that only looks.
const MOST_LOOKED: usize = 3;

/// Somebody, by their flags and their terminal.
pub struct Desk<'a> {
    actor: Actor,
    out: &'a mut Out,
    confirm: BTreeSet<String>,
    answers: BTreeMap<String, String>,
    skip: BTreeSet<String>,
    again: BTreeSet<String>,
    done: BTreeSet<String>,
    /// How much of the answer of the step at hand is shown.
    lines: usize,
}

impl<'a> Desk<'a> {
    /// With what is agreed to beforehand.
    pub fn new(agreed: &PlaybookAgreedArgs, out: &'a mut Out) -> Result<Desk<'a>> {
        let mut answers = BTreeMap::new();
        for text in &agreed.answer {
            let (step, answer) = text
                .split_once('=')
                .ok_or_else(|| usage("--answer is STEP=TEXT").hint("--answer declare='INC-7'"))?;
            answers.insert(step.to_owned(), answer.to_owned());
        }
        let set = |list: &[String]| list.iter().cloned().collect();
        Ok(Desk {
            actor: crate::intake::attribution::actor_here(&crate::intake::current_env()),
            out,
            confirm: set(&agreed.confirm),
            answers,
            skip: set(&agreed.skip),
            again: set(&agreed.again),
            done: set(&agreed.done),
            lines: MOST_LINES,
        })
    }

    /// A line for people: on stdout, or beside the JSON.
    fn say(&mut self, text: &str) -> Result<()> {
        if self.out.json {
            self.out.talk(text);
            return Ok(());
        }
        self.out.line(text)?;
        self.out.flush()
    }

    /// What the flags say; `None` where they say nothing of it.
    fn said(&self, prompt: &Prompt<'_>) -> Option<Answer> {
        let id = if prompt.compensates {
            format!("{}.compensate", prompt.step.id)
        } else {
            prompt.step.id.clone()
        };
        if self.skip.contains(&id) {
            return Some(Answer::Skip);
        }
        if prompt.again {
            let again = self.again.contains(&id).then(|| Answer::Yes(String::new()));
            return again.or_else(|| self.done.contains(&id).then_some(Answer::Done));
        }
        match (self.answers.get(&id), prompt.enters) {
            (Some(text), _) if !text.trim().is_empty() => Some(Answer::Yes(text.clone())),
            (_, Some(true)) => None,
            _ => self.confirm.contains(&id).then(|| Answer::Yes(String::new())),
        }
    }
}

impl Person for Desk<'_> {
    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn leaves_out(&self, step: &Step) -> bool {
        self.skip.contains(&step.id)
    }

    fn ask(&mut self, prompt: &Prompt<'_>) -> Result<Answer> {
        if let Some(answer) = self.said(prompt) {
            return Ok(answer);
        }
        if !ask::is_possible() {
            return Ok(Answer::Nobody);
        }
        if prompt.compensates {
            self.say(&format!("  to take {} back: {}", prompt.step.id, safe(prompt.does.as_bytes())))?;
        }
        if prompt.enters.is_some() && !prompt.again {
            return self.entered(prompt);
        }
        let question = question(prompt);
        loop {
            let answer = ask::line(&question, self.out)?;
            return Ok(match answer.as_deref() {
                Some("y" | "Y" | "yes") => Answer::Yes(String::new()),
                Some("s" | "S" | "skip") => Answer::Skip,
                Some("d" | "D" | "done") if prompt.again => Answer::Done,
                None | Some("q" | "Q" | "quit" | "n" | "N" | "no") => Answer::Stop,
                Some(_) => continue,
            });
        }
    }

    fn tell(&mut self, told: &Told<'_>) -> Result<()> {
        match told {
            Told::Step { step, number, of, does } => {
                // What is only looked at was said to be as it should be, or why not.
                let looks = matches!(step.kind(), Some(PlaybookKind::Verify | PlaybookKind::WaitUntil));
                self.lines = if looks { MOST_LOOKED } else { MOST_LINES };
                let title = self.out.paint(style::BOLD, safe(step.title.as_bytes()));
                let place =
                    self.out.paint(style::DIM, format!("{}, {}", step.phase.as_str(), mode_words(step)));
                let id = safe(step.id.as_bytes());
                self.say(&format!("[{number}/{of}] {id}: {title}  {place}"))?;
                for line in does.lines() {
                    self.say(&format!("    {}", safe(line.as_bytes())))?;
                }
                Ok(())
            }
            Told::Ended { moment, note, output } => {
                let lines: Vec<&str> = output.lines().collect();
                for line in lines.iter().take(self.lines) {
                    self.say(&format!("    | {}", safe(line.as_bytes())))?;
                }
                if lines.len() > self.lines {
                    self.say(&format!("    | … {} more lines", lines.len() - self.lines))?;
                }
                let (word, paint) = moment_word(*moment);
                let note =
                    if note.is_empty() { String::new() } else { format!(": {}", safe(note.as_bytes())) };
                let word = self.out.paint(paint, word);
                self.say(&format!("  {word}{note}"))
            }
            Told::Note(text) => self.say(&safe(text.as_bytes())),
        }
    }
}

impl Desk<'_> {
    fn entered(&mut self, prompt: &Prompt<'_>) -> Result<Answer> {
        let must = prompt.enters == Some(true);
        let empty = if must { "empty: stop here" } else { "empty: nothing to say" };
        let answer = ask::line(&format!("  your answer ({empty}; \"skip\" leaves it out): "), self.out)?;
        Ok(match answer {
            None => Answer::Stop,
            Some(text) if text == "skip" => Answer::Skip,
            Some(text) if text.is_empty() && must => Answer::Stop,
            Some(text) => Answer::Yes(text),
        })
    }
}

fn question(prompt: &Prompt<'_>) -> String {
    let words = match (prompt.again, prompt.step.kind(), prompt.step.mode()) {
        (true, ..) => "it was begun, and nobody knows whether it ended. [y] run it again, [d] it is done",
        (_, Some(PlaybookKind::Ask), _) => "is that so? [y]es",
        (_, _, PlaybookMode::Manual) => "done? [y]es",
        _ if prompt.compensates => "take it back? [y]es",
        _ => "run it? [y]es",
    };
    format!("  {words}, [s]kip, [q]uit: ")
}

fn mode_words(step: &Step) -> &'static str {
    match step.mode() {
        PlaybookMode::Auto => "by itself",
        PlaybookMode::Confirm => "when you agree",
        PlaybookMode::Manual => "by you",
    }
}

/// The word for how a step ended, and its style.
pub fn moment_word(moment: PlaybookMoment) -> (&'static str, anstyle::Style) {
    match moment {
        PlaybookMoment::StepDone => ("done", style::GOOD),
        PlaybookMoment::StepFailed => ("FAILED", style::ERROR),
        PlaybookMoment::StepRefused => ("refused", style::ERROR),
        PlaybookMoment::StepSkipped => ("skipped", style::DIM),
        PlaybookMoment::StepTakenBack => ("taken back", style::WARN),
        other => (other.as_str(), style::WARN),
    }
}
