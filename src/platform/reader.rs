//! Whoever reads our standard output.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Waits so long, less where a signal comes. False where nobody reads standard output any more: the other end of the pipe is
/// closed, or the terminal is gone.
pub fn wait(time: Duration) -> bool {
    let stdout = rustix::stdio::stdout();
    // Nothing is asked for: an error and a hang-up are told anyway (poll(2)).
    let mut ends = [PollFd::new(&stdout, PollFlags::empty())];
    let limit = Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() };
    match poll(&mut ends, Some(&limit)) {
        Ok(0) => true,
        Ok(_) => !ends[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
        Err(rustix::io::Errno::INTR) => true,
        Err(_) => {
            std::thread::sleep(time);
            true
        }
    }
}
