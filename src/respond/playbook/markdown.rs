//! A playbook for people to read, and to work through by hand where `fr` itself is down: every command can be copied.

use super::format::{ContainWhose, OnFailure, Playbook, Secret, Step};
use crate::model::{Bytes, PlaybookKind, PlaybookMode, PlaybookPhase};
use crate::record;

/// Of which step a rendering is made, and with which values.
pub type Fill<'f> = &'f dyn Fn(&str) -> String;

/// All of it.
pub fn markdown(playbook: &Playbook) -> String {
    let mut out = format!("# {}: {}\n", playbook.name, playbook.title);
    if !playbook.about.is_empty() {
        out += &format!("\n{}\n", playbook.about.trim());
    }
    variables(playbook, &mut out);
    let mut phase: Option<PlaybookPhase> = None;
    for (at, step) in playbook.steps.iter().enumerate() {
        if phase != Some(step.phase) {
            phase = Some(step.phase);
            out += &format!("\n## {}\n", heading(step.phase));
        }
        self::step(step, at + 1, &mut out);
    }
    out
}

fn heading(phase: PlaybookPhase) -> &'static str {
    match phase {
        PlaybookPhase::Contain => "Contain",
        PlaybookPhase::Assess => "Assess",
        PlaybookPhase::Notify => "Notify",
        PlaybookPhase::Recover => "Recover",
        PlaybookPhase::Verify => "Verify",
        PlaybookPhase::Learn => "Learn",
    }
}

fn variables(playbook: &Playbook, out: &mut String) {
    if playbook.vars.is_empty() {
        return;
    }
    out.push_str("\n| to know | what it is | where from |\n|---|---|---|\n");
    for (name, var) in &playbook.vars {
        let from = match (&var.secret, &var.from, &var.default) {
            (Some(Secret::Env(env)), ..) => format!("secret, in the variable `{env}`"),
            (Some(Secret::File(path)), ..) => format!("secret, in the file `{path}`"),
            (None, Some(from), _) => format!("`{from}`, or `--var {name}=…`"),
            (None, None, Some(text)) if text.is_empty() => format!("`--var {name}=…`, where it is wanted"),
            (None, None, Some(text)) => format!("`{text}`, or `--var {name}=…`"),
            (None, None, None) => format!("`--var {name}=…`"),
        };
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        *out += &format!("| `{name}` | {} | {} |\n", cell(var.about.trim()), cell(&from));
    }
}

fn step(step: &Step, number: usize, out: &mut String) {
    *out += &format!("\n### {number}. {} (`{}`)\n\n{}\n", step.title, step.id, manner(step));
    let only = conditions(step);
    if !only.is_empty() {
        out.push('\n');
    }
    for line in only {
        *out += &format!("- only where {line}\n");
    }
    let text = does(step, &str::to_owned);
    match step.kind() {
        Some(PlaybookKind::Ask) => *out += &format!("\n> {}\n", text.trim().replace('\n', "\n> ")),
        _ => *out += &format!("\n{}\n", fenced(&text)),
    }
    let looked_at = after(step);
    if !looked_at.is_empty() {
        out.push('\n');
    }
    for line in looked_at {
        *out += &format!("- {line}\n");
    }
    if let Some(argv) = &step.compensate {
        *out += &format!("- takes it back:\n\n{}\n", fenced(&command(argv, &str::to_owned)));
    }
}

/// A block that the text cannot end.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}sh\n{}\n{fence}", text.trim_end())
}

/// What the step does, as a command that can be typed, or the question.
pub fn does(step: &Step, fill: Fill<'_>) -> String {
    let mut text = match step.kind() {
        Some(PlaybookKind::Undo) => step.undo.as_ref().map(|undo| command(&undo_argv(undo), fill)),
        Some(PlaybookKind::Ask) => step.ask.as_ref().map(|text| fill(text)),
        Some(PlaybookKind::Shell) => step.shell.clone(),
        Some(PlaybookKind::Capture) => {
            step.capture.as_ref().map(|argv| format!("# stored, not run:\n{}", command(argv, fill)))
        }
        Some(PlaybookKind::Contain) => step.contain.as_ref().map(|contain| {
            let name = contain.name.as_deref().unwrap_or(match contain.whose {
                ContainWhose::Agent => "${{ event.agent }}",
                _ => "${{ event.session }}",
            });
            let end = if contain.terminate { " --terminate" } else { "" };
            match contain.whose {
                ContainWhose::All => format!("fr contain{end}"),
                ContainWhose::Session => format!("fr contain --session {}{end}", word(name, fill)),
                ContainWhose::Agent => format!("fr contain --agent {}{end}", word(name, fill)),
            }
        }),
        Some(PlaybookKind::Notify) => {
            step.notify.as_ref().map(|notify| match (&notify.run, &notify.webhook) {
                (Some(argv), _) => {
                    format!("{} <<'TEXT'\n{}\nTEXT", command(argv, fill), fill(&notify.text).trim_end())
                }
                (None, url) => {
                    let url = url.as_deref().unwrap_or_default();
                    format!("# posted to {}:\n{}", fill(url), fill(&notify.text))
                }
            })
        }
        _ => step.argv().map(|argv| command(argv, fill)),
    }
    .unwrap_or_default();
    if let Some(stdin) = &step.stdin {
        text += &format!(" <<'TEXT'\n{}\nTEXT", stdin.trim_end());
    }
    if step.cwd.is_some() || !step.env.is_empty() {
        let cwd = step.cwd.iter().map(|cwd| format!("# in {}\n", fill(cwd)));
        let env = step.env.iter().map(|(name, value)| format!("# with {name}={}\n", fill(value)));
        text = cwd.chain(env).collect::<String>() + &text;
    }
    text
}

/// `fr undo` as a program with its arguments.
pub fn undo_argv(undo: &super::format::Undo) -> Vec<String> {
    let mut argv = vec!["fr".to_owned(), "undo".to_owned(), undo.event.clone()];
    if let Some(policy) = undo.on_conflict {
        argv.extend(["--on-conflict".to_owned(), policy.word().to_owned()]);
    }
    if undo.apply_infra {
        argv.push("--apply-infra".to_owned());
    }
    argv.push(if undo.dry_run { "--dry-run" } else { "--yes" }.to_owned());
    argv
}

fn command(argv: &[String], fill: Fill<'_>) -> String {
    argv.iter().map(|text| word(text, fill)).collect::<Vec<_>>().join(" ")
}

/// One word, quoted where a shell would take it apart. A name that has no value yet stays as it is, to be seen.
fn word(text: &str, fill: Fill<'_>) -> String {
    let filled = fill(text);
    if filled.contains("${{") && filled == text {
        return if text.contains(' ') && !text.starts_with("${{") {
            format!("\"{text}\"")
        } else {
            text.to_owned()
        };
    }
    String::from_utf8_lossy(&record::quoted(&[Bytes::from(filled)])).into_owned()
}

fn manner(step: &Step) -> String {
    let mode = match step.mode() {
        PlaybookMode::Auto => "runs by itself: it only reads or contains",
        PlaybookMode::Confirm => "runs when somebody agrees",
        PlaybookMode::Manual => "done by a person",
    };
    let kind = step.kind().map_or("", PlaybookKind::as_str);
    let time = step.timeout.as_ref().map(|time| format!(", {time} at most")).unwrap_or_default();
    format!("*{kind}, {mode}{time}*")
}

/// The conditions, for people.
pub fn conditions(step: &Step) -> Vec<String> {
    let one = |condition: &super::format::Condition| {
        // `event.id` reads better than the template that it stands in.
        let bare = condition.value.strip_prefix("${{").and_then(|text| text.strip_suffix("}}"));
        let value = bare.map(str::trim).filter(|name| !name.contains('}')).unwrap_or(&condition.value);
        let said = |text: &Option<String>, verb: &str| {
            text.as_ref().map(|text| format!("`{value}` {verb} `{text}`"))
        };
        said(&condition.is, "is")
            .or_else(|| said(&condition.is_not, "is not"))
            .or_else(|| said(&condition.contains, "contains"))
            .or_else(|| said(&condition.matches, "matches"))
            .or_else(|| {
                condition.is_set.map(|set| format!("`{value}` is {}", if set { "set" } else { "not set" }))
            })
            .unwrap_or_else(|| format!("`{value}` is one of `{}`", condition.one_of.join("`, `")))
    };
    step.when.iter().map(one).collect()
}

/// What is looked at afterwards, for people.
pub fn after(step: &Step) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(expect) = &step.expect {
        let codes: Vec<String> = expect.code.iter().map(ToString::to_string).collect();
        if !codes.is_empty() {
            out.push(format!("expected: exit code {}", codes.join(" or ")));
        }
        if expect.fails {
            out.push("expected: it fails".to_owned());
        }
        for (text, verb) in [
            (&expect.stdout_contains, "its output contains"),
            (&expect.stdout_lacks, "its output does not contain"),
            (&expect.stdout_matches, "its output matches"),
            (&expect.stderr_matches, "its error text matches"),
        ] {
            out.extend(text.iter().map(|text| format!("expected: {verb} `{text}`")));
        }
    }
    match step.follows() {
        Some(OnFailure::Continue) => out.push("where it fails: go on".to_owned()),
        Some(OnFailure::Goto(id)) => out.push(format!("where it fails: go on at `{id}`")),
        _ => {}
    }
    if let Some(every) = step.wait_until.as_ref().and_then(|wait| wait.every.as_ref()) {
        out.push(format!("looked at again every {every}"));
    }
    out
}
