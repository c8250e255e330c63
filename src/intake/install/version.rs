//! Which version of an agent is here, where the form of its hooks depends on it.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::World;
use crate::platform::runner;

/// How long an agent may take to tell its version: some load 200 MB for it.
const LIMIT: Duration = Duration::from_secs(15);

/// The first Claude Code that knows `"onFailure": "block"`: a hook that cannot start, runs out of time or exits oddly
/// blocks the call instead of letting it run unrecorded (its changelog, 2.1.295, October 2026). Older ones may not take it.
const CLAUDE_BLOCKS_ON_FAILURE: [u32; 3] = [2, 1, 295];

/// True where the Claude Code on `PATH` knows `onFailure`.
pub fn claude_blocks_on_failure(world: &World) -> bool {
    let version = world.program("claude").and_then(|program| told(world, &program));
    version.is_some_and(|version| version >= CLAUDE_BLOCKS_ON_FAILURE)
}

/// What `PROGRAM --version` begins with: three numbers.
fn told(world: &World, program: &Path) -> Option<[u32; 3]> {
    let env: Vec<(OsString, OsString)> = ["PATH", "HOME"]
        .iter()
        .filter_map(|name| Some(((*name).into(), world.env.get(*name)?.as_path().as_os_str().to_owned())))
        .chain([("DISABLE_AUTOUPDATER".into(), "1".into())])
        .collect();
    let done = runner::errand(&[program.into(), "--version".into()], &env, &world.home, LIMIT).ok()?;
    numbers(&String::from_utf8_lossy(&done.stdout)).filter(|_| done.code == 0)
}

fn numbers(text: &str) -> Option<[u32; 3]> {
    let word = text.split_whitespace().next()?;
    let mut parts = word.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_read() {
        assert_eq!(numbers("2.1.302 (Claude Code)\n"), Some([2, 1, 302]));
        assert!(numbers("2.1.302 (Claude Code)") > numbers("2.1.99"));
        for odd in ["", "claude", "2.1", "2.1.x", "2.1.3.4"] {
            assert_eq!(numbers(odd), None, "{odd}");
        }
    }
}
