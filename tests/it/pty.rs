//! A program on a terminal of its own, as a person would use it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

/// How long anything may take. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a pseudo-terminal.
pub struct Pty {
    keyboard: File,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
    seen: usize,
    /// How long to wait for what is expected.
    pub patience: Duration,
}

impl Pty {
    /// Starts `command` as the leader of a session whose terminal this is. `setsid -c` does what would need unsafe
    /// code here.
    pub fn start(command: &Command) -> Pty {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = rustix::termios::Winsize { ws_row: 50, ws_col: 400, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&master, size).unwrap();
        let slave = File::from(ioctl_tiocgptpeer(&master, flags).unwrap());
        let mut leader = Command::new("setsid");
        leader.arg("-c").arg(command.get_program()).args(command.get_args()).env_clear();
        leader.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        leader.current_dir(command.get_current_dir().unwrap());
        leader.stdin(Stdio::from(slave.try_clone().unwrap()));
        leader.stdout(Stdio::from(slave.try_clone().unwrap())).stderr(Stdio::from(slave));
        let child = leader.spawn().unwrap();
        drop(leader);
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // EIO says that the last process has closed the terminal.
            while let Ok(got @ 1..) = from.read(&mut buffer) {
                to.lock().unwrap().extend_from_slice(&buffer[..got]);
            }
        });
        Pty { keyboard, child, screen, reader, seen: 0, patience: PATIENCE }
    }

    /// The process on the terminal.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen shows `text` after everything that was expected before; returns what came up to it.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if let Some(at) = screen[self.seen..].find(text) {
                let end = self.seen + at + text.len();
                let came = screen[self.seen..end].to_string();
                self.seen = end;
                return came;
            }
            assert!(
                start.elapsed() < self.patience,
                "no {text:?} in {:?}\n{}",
                &screen[self.seen..],
                processes()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types a line and waits for the prompt; returns what the line printed, echo included.
    #[track_caller]
    pub fn line(&mut self, line: &str, prompt: &str) -> String {
        self.send(line);
        self.send("\n");
        self.expect(prompt)
    }

    /// Everything that was shown.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits for the end; the exit code, or 128 + n for signal n.
    #[track_caller]
    pub fn end(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it said last may still be on its way; background processes may keep the terminal open.
                let patience = Instant::now() + Duration::from_secs(1);
                while !self.reader.is_finished() && Instant::now() < patience {
                    std::thread::sleep(Duration::from_millis(2));
                }
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            }
            assert!(start.elapsed() < self.patience, "still running: {:?}\n{}", self.screen(), processes());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `ready` says so.
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What runs, for a test that waits in vain.
fn processes() -> String {
    let output = Command::new("ps").args(["-eo", "pid,ppid,pgid,tpgid,stat,wchan,args"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
