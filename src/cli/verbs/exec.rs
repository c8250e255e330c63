//! `fr exec -- argv…` and `fr exec -c 'line'`: run a command and record it. The exit code is the command's own.

use std::ffi::OsString;

use super::hook::{gap, talk_error};
use crate::intake::exec::Exec;
use crate::intake::{self, Ending, Request};
use crate::model::Answers;
use crate::platform::home::{self, Home};
use crate::record::{self, containment};

/// Runs the verb. 126 and 127 mean what they mean to a shell; 2 is wrong usage.
pub fn run(args: &[OsString]) -> u8 {
    let exec = match Exec::parse(args) {
        Ok(exec) => exec,
        Err(error) => {
            talk_error("fr", &error);
            return error.code as u8;
        }
    };
    let home = home::state_dir().map(Home::at);
    let before = |request: &Request| {
        let home = home.as_ref().map_err(|error| talk_error("fr: not recorded", error)).ok()?;
        let held = containment::held(request, home);
        let answers = if held.is_some() { Answers::Deny } else { request.answers };
        if let Err(error) = record::before(&Request { answers, ..request.clone() }, None, home) {
            gap(home, &error);
            talk_error("fr: not recorded", &error);
        }
        held
    };
    let after = |ending: &Ending| {
        if let Ok(home) = &home
            && let Err(error) = record::after(ending, None, home)
        {
            talk_error("fr: the end was not recorded", &error);
        }
    };
    match exec.run(&intake::current_env(), before, after) {
        Ok(code) => code,
        Err((code, error)) => {
            talk_error("fr", &error);
            code
        }
    }
}
