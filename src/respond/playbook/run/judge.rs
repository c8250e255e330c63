//! Whether a command answered what a step expects of it.

use super::act::{Did, Stage};
use crate::error::{Error, Result};
use crate::model::EventId;
use crate::platform::task::Done;
use crate::respond::playbook::format::{Expect, Step};
use crate::respond::playbook::template;

impl Stage<'_> {
    /// Compares an answer with what was expected.
    pub fn judged(&self, step: &Step, (done, event): (Done, Option<EventId>)) -> Result<Did> {
        let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        let mut did = Did { code: Some(done.code()), event, interrupted: done.interrupted, ..Did::default() };
        let wrong = if done.timed_out {
            Some(format!("it did not end within {} s and was killed", done.took.as_secs()))
        } else if done.interrupted {
            Some("interrupted".to_owned())
        } else {
            self.unexpected(step.expect.as_ref(), done.code(), &stdout, &stderr)?
        };
        let said = stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        did.ok = wrong.is_none();
        did.note = match wrong {
            None => String::new(),
            Some(wrong) if said.is_empty() => wrong,
            Some(wrong) => format!("{wrong}: {said}"),
        };
        did.output = if stdout.trim().is_empty() { stderr } else { stdout };
        Ok(did)
    }

    fn unexpected(
        &self,
        expect: Option<&Expect>,
        code: i32,
        stdout: &str,
        stderr: &str,
    ) -> Result<Option<String>> {
        let plain = Expect::default();
        let expect = expect.unwrap_or(&plain);
        let says_code = !expect.code.is_empty() || expect.fails;
        if !expect.code.is_empty() && !expect.code.contains(&code) {
            return Ok(Some(format!("exit code {code} is not what was expected")));
        }
        if expect.fails && code == 0 {
            return Ok(Some("it succeeded, and should have failed".to_owned()));
        }
        if !says_code && code != 0 {
            return Ok(Some(format!("exit code {code}")));
        }
        for (text, wanted) in [(&expect.stdout_contains, true), (&expect.stdout_lacks, false)] {
            let Some(text) = text else { continue };
            let text = template::fill(text, self.scope)?;
            if stdout.contains(&*text.lossy()) != wanted {
                let verb = if wanted { "does not contain" } else { "contains" };
                return Ok(Some(format!("its output {verb} {:?}", text.lossy())));
            }
        }
        for (pattern, text, name) in
            [(&expect.stdout_matches, stdout, "output"), (&expect.stderr_matches, stderr, "error text")]
        {
            let Some(pattern) = pattern else { continue };
            let regex =
                regex::Regex::new(pattern).map_err(|_| Error::failure("expect: no regular expression"))?;
            if !regex.is_match(text) {
                return Ok(Some(format!("its {name} does not match {pattern:?}")));
            }
        }
        Ok(None)
    }
}
