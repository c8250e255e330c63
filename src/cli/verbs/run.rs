//! `fr run -- agent…`: starts an agent with everything around it that lets its commands be recorded.

use super::hook::talk_error;
use super::shims::{enable, own_path};
use crate::cli::Out;
use crate::cli::args::RunArgs;
use crate::error::Result;
use crate::intake::run::{Run, StartFiles};
use crate::intake::{self, Env};
use crate::model::SessionMoment;
use crate::platform::home::{self, Home};
use crate::record;

/// Runs the verb. The exit code is the program's own.
pub fn run(args: &RunArgs, _out: &mut Out) -> Result<u8> {
    let run = Run::new(&args.argv, args.agent.as_deref());
    let env = intake::current_env();
    // Fails open: without its surroundings the agent is still what was asked for.
    let prepared = home::state_dir().map(Home::at).and_then(|home| {
        let vars = prepare(&run, &env, &home)?;
        mark(&run, SessionMoment::Start, &env, &home)?;
        Ok((home, vars))
    });
    let (home, vars) = match prepared {
        Ok((home, vars)) => (Some(home), vars),
        Err(error) => {
            talk_error("fr: not recorded", &error);
            (None, Vec::new())
        }
    };
    let ended = || {
        if let Some(Err(error)) = home.as_ref().map(|home| mark(&run, SessionMoment::End, &env, home)) {
            talk_error("fr: the end was not recorded", &error);
        }
    };
    run.run(&vars, ended).or_else(|(code, error)| {
        talk_error("fr", &error);
        Ok(code)
    })
}

fn prepare(run: &Run, env: &Env, home: &Home) -> Result<Vec<(&'static str, std::ffi::OsString)>> {
    let shims = home.shims();
    enable(&shims, home)?;
    let files = StartFiles::write(&home.root.join("run"), &own_path()?)?;
    Ok(run.environment(env, &shims, &files))
}

fn mark(run: &Run, moment: SessionMoment, env: &Env, home: &Home) -> Result<()> {
    record::session(&run.signal(moment, env), home)
}
