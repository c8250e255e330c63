//! Why nothing of a thing was kept, and that its command failed: then it may be as it was.

use crate::journal::index::Event;
use crate::model::{Effect, Outcome};

/// The warning of the command says why, where it was tried. Things of one place are captured together, and it names the first.
pub(super) fn why_not_kept(event: &Event, line: &Event, effect: &Effect) -> String {
    let is_beside = |other: &&Effect| other.system == effect.system && other.locator == effect.locator;
    let tried = std::iter::once(effect).chain(event.before.effects.iter().filter(is_beside));
    let why = |tried: &Effect| {
        let front = format!("{} was not captured: ", tried.resource.lossy());
        event.before.warnings.iter().find_map(|warning| warning.strip_prefix(&front))
    };
    let why = tried.filter(|_| effect.locator.is_some()).find_map(why);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let failed = failed(line).map(|how| format!(". {how}")).unwrap_or_default();
    format!("nothing was captured{why}{failed}")
}

/// What is said of something that a command meant and of which nothing is known since the command failed.
pub fn failed(event: &Event) -> Option<String> {
    let how = match event.outcome()? {
        Outcome::Exited { code } if code != 0 => format!("exit {code}"),
        Outcome::Signalled { signal } => format!("signal {signal}"),
        Outcome::Failed => "as its agent said".to_owned(),
        _ => return None,
    };
    Some(format!("The command failed ({how}): it may be as it was"))
}
