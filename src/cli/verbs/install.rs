//! `fr install`: plan, show, ask, write, report.

use crate::cli::args::InstallArgs;
use crate::cli::ask::confirmed;
use crate::cli::render::{safe, style};
use crate::cli::{Out, usage};
use crate::error::{Error, ExitCode, Result};
use crate::intake::install::{self, Action, Change, Plan, Wishes, World, agents};
use crate::platform::home;

/// Runs the verb.
pub fn run(args: &InstallArgs, out: &mut Out) -> Result<u8> {
    let world = World::here(crate::intake::current_env(), home::state_dir()?)?;
    let wishes = wishes(args, &world, out)?;
    let mut plan = install::install(&world, &wishes)?;
    if args.dry_run || plan.writes().next().is_none() {
        // Nothing to write: what is there is remembered all the same, for `fr uninstall`.
        if !args.dry_run {
            install::apply(&mut plan, &world);
        }
        return show(&plan, args.dry_run, out);
    }
    if !out.json {
        preview(&plan, out)?;
    }
    if !args.yes && !confirmed("Write these changes?", out)? {
        return Err(Error::new(ExitCode::Failure, "nothing was written")
            .hint("`--yes` writes without asking, `--dry-run` only shows"));
    }
    if wishes.git {
        install::gitconfig::prepare(&world)?;
    }
    install::apply(&mut plan, &world);
    report(&plan, out)
}

/// Whom it is for: those that are named, else every agent that is here.
fn wishes(args: &InstallArgs, world: &World, out: &mut Out) -> Result<Wishes> {
    let mut wishes = Wishes {
        agents: args.agent.iter().filter_map(|name| agents::find(name)).map(|spec| spec.name).collect(),
        shells: args.shell.iter().map(|shell| (*shell).into()).collect(),
        git: args.git,
        project: args.project,
        trust: args.trust_codex_hooks,
    };
    if args.agent.iter().any(|name| name == agents::AIDER) {
        let shell = world.login_shell().ok_or_else(|| {
            usage("aider has no hooks, and SHELL names no shell that fr integrates with")
                .hint("say which one it shall run its commands in: `fr install --shell bash`")
        })?;
        if !wishes.shells.contains(&shell) {
            wishes.shells.push(shell);
        }
    }
    if args.project && (!wishes.shells.is_empty() || args.git) {
        return Err(usage("a project has no start-up files of shells, and git takes no trace from one")
            .hint("leave out --project, or --shell and --git"));
    }
    if args.agent.is_empty() && args.shell.is_empty() && !args.git {
        wishes.agents = install::present(world);
        if wishes.agents.is_empty() {
            return Err(Error::failure("no agent was found on this machine")
                .hint(format!("name one: `fr install --agent NAME` ({})", agents::NAMES.join(", ")))
                .hint("or record what people type: `fr install --shell bash`"));
        }
        if world.program(agents::AIDER).is_some() {
            out.talk("aider has no hooks: `fr install --agent aider` records it through the login shell");
        }
    }
    if args.trust_codex_hooks && !wishes.agents.contains(&"codex") {
        return Err(usage("--trust-codex-hooks without Codex").hint("add `--agent codex`"));
    }
    Ok(wishes)
}

/// A plan that will not be carried out, or that has nothing in it.
pub(super) fn show(plan: &Plan, dry_run: bool, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(plan)?;
    } else {
        preview(plan, out)?;
        if dry_run {
            out.talk("dry run: nothing was written");
        }
    }
    Ok(code(plan))
}

/// What was done.
pub(super) fn report(plan: &Plan, out: &mut Out) -> Result<u8> {
    if out.json {
        out.json(plan)?;
        return Ok(code(plan));
    }
    for change in &plan.changes {
        // What a preview has said already is not said twice.
        if change.writes() {
            let text = if change.error.is_none() { "done" } else { "not done" };
            let mark = if change.error.is_none() { style::GOOD } else { style::ERROR };
            out.line(format!("{} {}", out.paint(mark, text), safe(change.file.as_slice())))?;
            troubles(change, out)?;
        }
    }
    Ok(code(plan))
}

fn code(plan: &Plan) -> u8 {
    if plan.has_failures() { ExitCode::Partial as u8 } else { 0 }
}

/// The changes, each with its diff.
pub(super) fn preview(plan: &Plan, out: &mut Out) -> Result<()> {
    for change in &plan.changes {
        let (word, mark) = match change.action {
            Action::Create => ("create", style::GOOD),
            Action::Change => ("change", style::WARN),
            Action::Delete => ("delete", style::WARN),
            Action::Nothing => ("nothing to do", style::DIM),
            Action::Refused => ("left alone", style::ERROR),
        };
        let agents = safe(change.agents.join(", ").as_bytes());
        let file = safe(change.file.as_slice());
        out.line(format!(
            "{} {} {file}",
            out.paint(style::BOLD, format!("{agents}:")),
            out.paint(mark, word)
        ))?;
        diff(change, out)?;
        for note in &change.notes {
            out.line(out.paint(style::WARN, format!("  note: {}", safe(note.as_bytes()))))?;
        }
        troubles(change, out)?;
    }
    if plan.changes.is_empty() {
        out.line("nothing to do")?;
    }
    Ok(())
}

fn diff(change: &Change, out: &mut Out) -> Result<()> {
    for line in change.diff.iter().flat_map(|diff| diff.lines()) {
        let text = format!("  {}", safe(line.as_bytes()));
        let painted = match line.as_bytes().first() {
            Some(b'+') => out.paint(style::GOOD, text),
            Some(b'-') => out.paint(style::ERROR, text),
            _ => text,
        };
        out.line(painted)?;
    }
    Ok(())
}

fn troubles(change: &Change, out: &mut Out) -> Result<()> {
    if let Some(error) = &change.error {
        out.line(out.paint(style::ERROR, format!("  error: {}", safe(error.as_bytes()))))?;
    }
    for hint in &change.hints {
        out.line(format!("  hint: {}", safe(hint.as_bytes())))?;
    }
    Ok(())
}
