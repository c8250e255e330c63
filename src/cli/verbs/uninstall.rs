//! `fr uninstall`: takes out what `fr install` put in, and nothing else. It does not ask: nothing is lost by it that
//! `fr install` would not put back.

use super::install::{preview, report, show};
use crate::cli::args::UninstallArgs;
use crate::cli::{Out, usage};
use crate::error::Result;
use crate::intake::install::{self, Wishes, World, agents};
use crate::platform::home;

/// Runs the verb.
pub fn run(args: &UninstallArgs, out: &mut Out) -> Result<u8> {
    let world = World::here(crate::intake::current_env(), home::state_dir()?)?;
    let mut wishes = Wishes {
        agents: args.agent.iter().filter_map(|name| agents::find(name)).map(|spec| spec.name).collect(),
        shells: args.shell.iter().map(|shell| (*shell).into()).collect(),
        git: args.git,
        ..Wishes::default()
    };
    if args.agent.iter().any(|name| name == agents::AIDER) {
        let shell = world.login_shell().ok_or_else(|| {
            usage("aider has no hooks, and SHELL names no shell that fr integrates with")
                .hint("say which one: `fr uninstall --shell bash`")
        })?;
        wishes.shells.push(shell);
    }
    let mut plan = install::uninstall(&world, &wishes)?;
    if args.dry_run {
        return show(&plan, true, out);
    }
    if !out.json {
        preview(&plan, out)?;
    }
    install::apply(&mut plan, &world);
    report(&plan, out)
}
