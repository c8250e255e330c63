//! Which programs of this user are running, by /proc (proc_pid_stat(5)). Elsewhere nobody is seen to run.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it started, nanoseconds since 1970.
    pub since_ns: i64,
    /// The names it goes by: its program's and, where that is an interpreter, its script's.
    pub names: Vec<String>,
}

/// Interpreters whose first argument that is no option is the program that people mean.
const INTERPRETERS: [&str; 5] = ["node", "bun", "deno", "python", "python3"];

/// The processes of this user that have this home directory: one with another reads other settings.
pub fn mine(home: &Path) -> Vec<Process> {
    let Some(boot_ns) = boot_ns() else { return Vec::new() };
    let me = rustix::process::getuid().as_raw();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| look(pid, me, home, boot_ns)).collect()
}

/// The numbers of all processes of this user.
pub fn own_pids() -> Vec<u32> {
    let me = rustix::process::getuid().as_raw();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let is_mine = |pid: &u32| std::fs::metadata(format!("/proc/{pid}")).is_ok_and(|meta| meta.uid() == me);
    entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).filter(is_mine).collect()
}

fn look(pid: u32, me: u32, home: &Path, boot_ns: i64) -> Option<Process> {
    let dir = PathBuf::from(format!("/proc/{pid}"));
    if dir.metadata().ok()?.uid() != me {
        return None;
    }
    let stat = std::fs::read_to_string(dir.join("stat")).ok()?;
    let environ = std::fs::read(dir.join("environ")).ok()?;
    let theirs = environ.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(b"HOME="))?;
    if theirs != home.as_os_str().as_bytes() {
        return None;
    }
    // The name in brackets may hold anything, brackets too: what follows the last one is field 3 on.
    let ticks: i64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?.max(1);
    let since_ns = boot_ns.checked_add(ticks.checked_mul(1_000_000_000)? / per_second)?;
    let line = std::fs::read(dir.join("cmdline")).ok()?;
    let arguments: Vec<String> =
        line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let program = std::fs::read_link(dir.join("exe")).ok();
    Some(Process { pid, since_ns, names: names(program.as_deref(), &arguments) })
}

fn names(program: Option<&Path>, arguments: &[String]) -> Vec<String> {
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_string();
    let mut names: Vec<String> =
        program.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).into_iter().collect();
    names.extend(arguments.first().map(|word| base(word)));
    // python3.11, node22
    let is_interpreter = |name: &String| {
        INTERPRETERS.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
            || INTERPRETERS.contains(&name.as_str())
    };
    if names.iter().any(is_interpreter) {
        let script = arguments.iter().skip(1).find(|word| !word.starts_with('-'));
        names.extend(script.map(|word| base(word)));
    }
    names.dedup();
    names
}

fn boot_ns() -> Option<i64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds: i64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    seconds.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_goes_by_its_own_name_and_its_interpreters() {
        let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
        let found =
            names(Some(Path::new("/usr/bin/python3.11")), &words("python3 -u /x/bin/aider --model m"));
        assert!(found.contains(&"aider".to_string()), "{found:?}");
        let found = names(Some(Path::new("/usr/bin/vim")), &words("vim claude"));
        assert_eq!(found, ["vim"], "a file that is edited is no program that runs");
    }

    #[test]
    fn this_process_is_seen_with_its_start() {
        let home = crate::platform::home::user_home().unwrap();
        assert!(mine(Path::new("/nowhere")).is_empty());
        let me = mine(&home).into_iter().find(|p| p.pid == std::process::id()).unwrap();
        let age = crate::platform::clock::now_ns() - me.since_ns;
        assert!((-2_000_000_000..3_600_000_000_000).contains(&age), "{age}");
    }
}
