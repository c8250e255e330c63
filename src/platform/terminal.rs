//! The terminal that somebody sits at, though our own streams are pipes.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::process;

/// Major numbers of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt).
const PTS: std::ops::RangeInclusive<u32> = 136..=143;

/// What came of waiting for somebody to type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// There is something to read.
    Typed,
    /// Nothing so far, or a signal.
    Nothing,
    /// The terminal is gone: nobody will type any more.
    Gone,
}

/// Waits for input on standard input. To be asked before a library reads it: crossterm 0.29 reads a terminal that is gone
/// again and again, for ever.
pub fn wait(time: Duration) -> Waited {
    let stdin = rustix::stdio::stdin();
    let mut ends = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    match poll(&mut ends, Some(&limit)) {
        Ok(0) | Err(Errno::INTR) => Waited::Nothing,
        Ok(_) if ends[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) => {
            Waited::Gone
        }
        Ok(_) => Waited::Typed,
        Err(_) => Waited::Gone,
    }
}

/// Writes one line, with a bell, to our controlling terminal, or to that of the nearest process above that has one. Best
/// effort: it waits for nothing, and where there is none nobody is told here.
pub fn alert(line: &str) {
    let text = format!("\r\n\x07{line}\r\n");
    let above = || {
        let ancestors = process::ancestors().map(|process| process.terminal);
        ancestors.filter_map(path_of).next()
    };
    let _ = write("/dev/tty", &text).or_else(|e| above().map_or(Err(e), |path| write(&path, &text)));
}

fn write(path: &str, text: &str) -> std::io::Result<()> {
    let flags = (rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    OpenOptions::new().write(true).custom_flags(flags).open(path)?.write_all(text.as_bytes())
}

/// The path of a pseudo-terminal by its device number as proc_pid_stat(5) has it: minor in bits 0 to 7 and 20 to 31, major
/// in 8 to 15.
fn path_of(terminal: i32) -> Option<String> {
    let number = u32::try_from(terminal).ok().filter(|number| *number != 0)?;
    let (major, minor) = ((number >> 8) & 0xff, (number & 0xff) | ((number >> 12) & 0xfff00));
    PTS.contains(&major).then(|| format!("/dev/pts/{}", (major - PTS.start()) * 256 + minor))
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn device_numbers_name_their_terminals() {
        assert_eq!(path_of(34816).as_deref(), Some("/dev/pts/0"));
        assert_eq!(path_of(34816 + 17).as_deref(), Some("/dev/pts/17"));
        assert_eq!((path_of(0), path_of(1025)), (None, None));
    }
}
