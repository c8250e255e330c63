//! Other processes as `/proc` shows them (proc_pid_stat(5)): who started us. Where there is no `/proc` nothing is known.

use std::io::Read;

/// The most parents that are looked at.
const MAX_DEPTH: usize = 32;
/// The most bytes of an argument list or an environment that are read.
const MAX_BYTES: u64 = 128 << 10;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's number; 0 where it has none.
    pub parent: u32,
    /// The leader of its session (setsid(2)), not one of `fr`'s.
    pub leader: u32,
    /// Its controlling terminal; 0 where it has none.
    pub terminal: i32,
    /// When it started, in clock ticks since the machine did: tells reused numbers apart.
    pub start: u64,
    /// Its name: at most 15 bytes, the base name of what was executed unless it chose another.
    pub name: String,
}

/// A process by its number.
pub fn look(pid: u32) -> Option<Process> {
    // The kernel gives all of it in one read; it makes it anew for each.
    let mut stat = [0; 1024];
    let read =
        std::fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut stat)).ok()?;
    parse(pid, &String::from_utf8_lossy(stat.get(..read)?))
}

/// True for a process that has ended and whose parent has not asked how.
pub fn is_zombie(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// `pid (name) state parent group session terminal … start …`; the name may hold anything, `)` and newlines too.
fn parse(pid: u32, stat: &str) -> Option<Process> {
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(close + 1..)?.split_ascii_whitespace().take(20).collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u32>().ok());
    Some(Process {
        pid,
        parent: number(1)?,
        leader: number(3)?,
        terminal: fields.get(4)?.parse().ok()?,
        start: fields.get(19)?.parse().ok()?,
        name: stat.get(open + 1..close)?.to_owned(),
    })
}

/// The parent of this process; 0 where it has none.
pub fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs())
}

/// The name of a process alone, which costs a tenth of [`look`].
pub fn name(pid: u32) -> Option<String> {
    let mut text = [0; 64];
    let read =
        std::fs::File::open(format!("/proc/{pid}/comm")).and_then(|mut file| file.read(&mut text)).ok()?;
    Some(String::from_utf8_lossy(text.get(..read)?.strip_suffix(b"\n")?).into_owned())
}

/// This process.
pub fn own() -> Option<Process> {
    look(std::process::id())
}

/// The processes that this one descends from, the parent first, each looked at when it is asked for.
pub fn ancestors() -> impl Iterator<Item = Process> {
    let up = |process: &Process| Some(process.parent).filter(|pid| *pid > 0).and_then(look);
    std::iter::successors(Some(parent()).filter(|pid| *pid > 0).and_then(look), up).take(MAX_DEPTH)
}

/// All of them.
pub fn lineage() -> Vec<Process> {
    ancestors().collect()
}

/// The arguments of a process, its own name first; empty where it may not be asked.
pub fn arguments(pid: u32) -> Vec<String> {
    let text = read(&format!("/proc/{pid}/cmdline"));
    let words = text.strip_suffix(b"\0").unwrap_or(&text).split(|b| *b == 0);
    words.take(64).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The environment that a process was started with, `NAME=value` each; `None` where it may not be asked.
pub fn first_environment(pid: u32) -> Option<Vec<Vec<u8>>> {
    let text = read(&format!("/proc/{pid}/environ"));
    (!text.is_empty()).then(|| text.split(|b| *b == 0).map(<[u8]>::to_vec).collect())
}

fn read(path: &str) -> Vec<u8> {
    let mut text = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What was read before an error is still true.
        let _ = file.take(MAX_BYTES).read_to_end(&mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let rest = "S 7 8 9 34816 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let process = parse(5, &format!("5 (a) b) (c) {rest}")).unwrap();
        assert_eq!((process.name.as_str(), process.parent, process.leader), ("a) b) (c", 7, 9));
        assert_eq!((process.terminal, process.start), (34816, 4242));
        assert_eq!(parse(5, "5 (x) S"), None);
    }

    #[test]
    fn we_descend_from_somebody() {
        let own = own().unwrap();
        assert_eq!(lineage().first().map(|parent| parent.pid), Some(own.parent));
        assert!(!arguments(own.pid).is_empty() && first_environment(own.pid).is_some());
    }
}
