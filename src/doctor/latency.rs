//! What one hook costs here and now: this binary is run as agents run it, with a harmless command, on a store of its
//! own that is thrown away.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::platform::{random, runner};

/// How often; the first one makes the store and does not count.
const RUNS: usize = 10;

const PAYLOAD: &str = r#"{"session_id":"doctor","cwd":"/","hook_event_name":"PreToolUse","tool_name":"Bash",
"tool_input":{"command":"ls"},"tool_use_id":"doctor"}"#;

/// The median in milliseconds.
pub fn measure() -> Result<f64> {
    let scratch = scratch_dir()?;
    let result = run(&scratch);
    // What is left of it lies in the temporary directory, and holds nothing.
    let _ = std::fs::remove_dir_all(&scratch);
    result
}

fn run(scratch: &Path) -> Result<f64> {
    let fr = std::env::current_exe().map_err(|e| Error::failure(format!("cannot find fr itself: {e}")))?;
    let argv = [fr.into_os_string(), "hook".into(), "claude".into()];
    let env = [("FR_HOME".into(), scratch.join("store").into()), ("HOME".into(), scratch.into())];
    let mut times = Vec::new();
    for _ in 0..=RUNS {
        let started = Instant::now();
        let done = runner::output(&argv, PAYLOAD.as_bytes(), &env, scratch)?;
        times.push(started.elapsed());
        if done.code != 0 || !done.stdout.is_empty() || !done.stderr.is_empty() {
            let said = String::from_utf8_lossy(&done.stderr).trim().to_string();
            return Err(Error::failure(format!("a hook ended with {} and said: {said}", done.code)));
        }
    }
    times.remove(0);
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok((median.as_secs_f64() * 100_000.0).round() / 100.0)
}

fn scratch_dir() -> Result<std::path::PathBuf> {
    let mut noise = [0u8; 8];
    random::fill(&mut noise);
    let dir = std::env::temp_dir().join(format!("fr-doctor-{:016x}", u64::from_le_bytes(noise)));
    std::fs::DirBuilder::new().mode(0o700).create(&dir).map_err(|e| Error::io("create", &dir, &e))?;
    Ok(dir)
}
