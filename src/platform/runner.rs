//! The only place that starts processes.
//!
//! A recorded command runs in our own process group, on the real terminal. So the kernel's own Ctrl-C, Ctrl-\ and
//! Ctrl-Z reach it without us, job control of the shell above works as if we were not there, and whoever kills our
//! group kills it too. We only have to survive what it may survive, pass on what was sent to us alone, and stop when
//! it stops.

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::replace;
use crate::error::{Error, Result};
use crate::model::Outcome;

/// How long a command gets to end of a signal that may have reached it already, before the signal is passed on.
const GRACE: Duration = Duration::from_millis(20);
/// How long a stopped command must stay stopped before we stop too: Ctrl-Z stops both at once, and `fg` must not find
/// us stopping again.
const SETTLE: Duration = Duration::from_millis(30);

/// The signals that ask a process to end or tell it something: ours to survive, the command's to act on.
const PASSED: [Signal; 6] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];

/// A command that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// How long it ran.
    pub duration: Duration,
}

/// Runs a command to its end on our own stdin, stdout, stderr and terminal. `extra` is added to its environment.
///
/// # Errors
/// When it cannot be started: `NotFound` and `PermissionDenied` as the shell's 127 and 126.
pub fn run(argv: &[OsString], extra: &[(&str, OsString)]) -> io::Result<Ended> {
    let program = argv.first().cloned().unwrap_or_default();
    run_program(&program, argv, extra)
}

/// The same for a program whose path is not its first argument: a shim has found the one, its caller chose the other.
///
/// # Errors
/// As [`run`].
pub fn run_program(program: &OsStr, argv: &[OsString], extra: &[(&str, OsString)]) -> io::Result<Ended> {
    let relay = Relay::install()?;
    let started = Instant::now();
    let status = relay.during(spawn(program, argv, extra)?)?;
    let outcome = match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited { code },
        (None, Some(signal)) => Outcome::Signalled { signal },
        (None, None) => Outcome::Unknown,
    };
    Ok(Ended { outcome, duration: started.elapsed() })
}

/// A shell for `-c` lines: bash where there is one, since lines are understood as bash's; else sh.
pub fn shell() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .any(|dir| rustix::fs::access(dir.join("bash"), rustix::fs::Access::EXEC_OK).is_ok());
    if found { "bash" } else { "/bin/sh" }
}

/// Ends this process as a command ended: dies of the same signal, so that callers see what they would have seen.
/// Returns the exit code where there is no such signal.
pub fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Exited { code } => u8::try_from(code & 0xff).unwrap_or(1),
        Outcome::Signalled { signal } => {
            die_of(signal);
            u8::try_from(128 + signal).unwrap_or(255)
        }
        _ => 1,
    }
}

/// Returns only where the signal does not end a process.
fn die_of(signal: i32) {
    // The command has left its core file; ours would overwrite it and hold stored secrets.
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    if signal == Signal::KILL.as_raw() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

fn spawn(program: &OsStr, argv: &[OsString], extra: &[(&str, OsString)]) -> io::Result<Child> {
    let Some((name, args)) = argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no command given"));
    };
    let start = |mut command: Command, before: Option<&OsStr>| {
        command.args(before).args(args);
        command.envs(extra.iter().map(|(name, value)| (name, value)));
        if replace::pipe_was_ignored() {
            // SAFETY: between fork and exec this makes one call, which is async-signal-safe (signal-safety(7)).
            unsafe { command.pre_exec(ignore_pipe) };
        }
        command.spawn()
    };
    let mut real = Command::new(program);
    real.arg0(name);
    match start(real, None) {
        // A script without `#!`: shells run it themselves.
        Err(cause) if cause.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            start(Command::new("/bin/sh"), Some(program))
        }
        started => started,
    }
}

/// `std` gives every command the default; one that was started with it ignored must find it so.
fn ignore_pipe() -> io::Result<()> {
    // SAFETY: sets a disposition that holds no pointer of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    Ok(())
}

/// Waits for the end, without reaping; while the command is stopped, we are.
fn await_end(pid: Pid) -> io::Result<()> {
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        match rustix::process::waitid(WaitId::Pid(pid), options) {
            Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
            Ok(Some(status)) if status.stopped() => follow_stop(pid)?,
            Ok(_) => return Ok(()),
        }
    }
}

/// The command has stopped. If it was the terminal's doing we were stopped too and are awake again by now; if it
/// stopped alone, the shell above waits for us, so we stop as well and wake it when we are woken.
fn follow_stop(pid: Pid) -> io::Result<()> {
    std::thread::sleep(SETTLE);
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    if !matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(Some(status)) if status.stopped()) {
        return Ok(());
    }
    // To this thread, not to the process: then it takes effect before the next line, whatever the relay does.
    signal_hook::low_level::raise(Signal::STOP.as_raw())?;
    let _ = rustix::process::kill_process(pid, Signal::CONT);
    Ok(())
}

/// Survives the signals of [`PASSED`] and passes on those that were sent to us alone.
///
/// A signal from the kernel (the terminal's keys, a hang-up) has reached the whole group already. One from a process
/// may have been sent to us or to the group, the kernel does not say which: after [`GRACE`] it is passed on if the
/// command is still there, so that a command which outlives a `kill` of the whole group may hear it twice, and none
/// hears it never.
struct Relay {
    from: PipeReader,
    to: Arc<PipeWriter>,
}

/// Signal number, then the sender's process id or 0 for the kernel.
type Message = [u8; 8];

impl Relay {
    fn install() -> io::Result<Relay> {
        let (from, to) = io::pipe()?;
        let to = Arc::new(to);
        let ignored = ignored_signals();
        for signal in PASSED {
            // What was ignored when we started (`nohup`, background jobs of sh) the command must find ignored too.
            if ignored & (1 << (signal.as_raw() - 1)) == 0 {
                hear(signal.as_raw(), &to)?;
            }
        }
        Ok(Relay { from, to })
    }

    /// Passes signals on to `child` until it has ended and been reaped.
    fn during(self, mut child: Child) -> io::Result<ExitStatus> {
        let pid = Pid::from_child(&child);
        let alive = Mutex::new(true);
        let Relay { mut from, to } = self;
        std::thread::scope(|scope| {
            scope.spawn(|| pass_on(&mut from, pid, &alive));
            let ended = await_end(pid);
            // From here on the number may belong to another process.
            *alive.lock().unwrap_or_else(PoisonError::into_inner) = false;
            let status = child.wait();
            (&*to).write_all(&Message::default())?;
            ended.and(status)
        })
    }
}

/// Reads messages until the empty one.
fn pass_on(from: &mut PipeReader, pid: Pid, alive: &Mutex<bool>) {
    let mut message = Message::default();
    while from.read_exact(&mut message).is_ok() {
        let [s0, s1, s2, s3, p0, p1, p2, p3] = message;
        let Some(signal) = Signal::from_named_raw(i32::from_le_bytes([s0, s1, s2, s3])) else { return };
        let Some(sender) = Pid::from_raw(i32::from_le_bytes([p0, p1, p2, p3])) else { continue };
        if sender == pid {
            // `kill 0` by the command itself.
            continue;
        }
        std::thread::sleep(GRACE);
        let alive = alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *alive {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

/// Handles a signal by writing a message.
fn hear(signal: i32, to: &Arc<PipeWriter>) -> io::Result<()> {
    let to = Arc::clone(to);
    let action = move |info: &_| {
        let mut message = Message::default();
        let (number, sender) = message.split_at_mut(4);
        number.copy_from_slice(&signal.to_le_bytes());
        sender.copy_from_slice(&sender_of(info).to_le_bytes());
        let _ = rustix::io::write(&*to, &message);
    };
    // SAFETY: the action only copies integers on its stack and makes one write call, both async-signal-safe, and it
    // cannot panic. rustix calls the kernel directly, so errno is untouched.
    unsafe { signal_hook_registry::register_sigaction(signal, action) }.map(|_| ())
}

/// The process that sent a signal; 0 for the kernel.
fn sender_of(info: &libc::siginfo_t) -> i32 {
    // sigaction(2): positive codes are the kernel's, SI_USER, SI_QUEUE and SI_TKILL are not positive.
    if info.si_code > 0 {
        return 0;
    }
    // SAFETY: with these codes the kernel has filled in the sender.
    unsafe { info.si_pid() }
}

/// The set of ignored signals as a mask, bit n-1 for signal n (proc_pid_status(5)); none where /proc is missing.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// A command that was run with its output collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; 128 + the signal's number where one ended it.
    pub code: i32,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
}

/// Runs a short command of our own with nothing but `env` in its environment, no input and no terminal (it has a session
/// of its own, so nothing that it starts can ask a person), and ends it with all that it started after `limit`.
///
/// # Errors
/// When it cannot be started, its output cannot be read, or it does not end in time.
pub fn errand(
    argv: &[OsString],
    env: &[(OsString, OsString)],
    cwd: &Path,
    limit: Duration,
) -> Result<Finished> {
    errand_fed(argv, &[], env, cwd, limit)
}

/// The same, fed with `stdin`.
///
/// # Errors
/// As [`errand`].
pub fn errand_fed(
    argv: &[OsString],
    stdin: &[u8],
    env: &[(OsString, OsString)],
    cwd: &Path,
    limit: Duration,
) -> Result<Finished> {
    let mut command = own(argv, env, cwd)?;
    let program = command.get_program().to_owned();
    let failed = |e: io::Error| Error::io("run", &program, &e);
    command.stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: setsid(2) is async-signal-safe and touches nothing of ours.
    unsafe { command.pre_exec(|| rustix::process::setsid().map(|_| ()).map_err(io::Error::from)) };
    let mut child = command.spawn().map_err(failed)?;
    let (mut feed, mut out, mut err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.take(MOST_OUTPUT).read_to_end(&mut bytes).map(|_| bytes)
    };
    std::thread::scope(|scope| {
        // Dropped at its end, so that the command sees the end of its input. One that does not read it all has its reasons.
        scope.spawn(move || feed.take().map(|mut pipe| pipe.write_all(stdin)));
        let out = scope.spawn(move || out.as_mut().map_or(Ok(Vec::new()), |pipe| read(pipe)));
        let err = scope.spawn(move || err.as_mut().map_or(Ok(Vec::new()), |pipe| read(pipe)));
        let status = end_within(&mut child, limit).map_err(failed)?;
        let lost = || failed(io::Error::other("its output was not read"));
        let stdout = out.join().map_err(|_| lost())?.map_err(failed)?;
        let stderr = err.join().map_err(|_| lost())?.map_err(failed)?;
        let Some(status) = status else {
            let what =
                format!("{} did not end within {:.0} s", program.display(), limit.as_secs_f32().ceil());
            return Err(Error::failure(what));
        };
        let code = status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(-1);
        Ok(Finished { code, stdout, stderr })
    })
}

/// A command of our own, with nothing but `env` in its environment, never through a shim.
pub(super) fn own(argv: &[OsString], env: &[(OsString, OsString)], cwd: &Path) -> Result<Command> {
    let Some((program, args)) = argv.split_first() else { return Err(Error::failure("no command to run")) };
    let mut command = Command::new(program);
    command.args(args).env_clear().envs(env.iter().map(|(name, value)| (name, value))).current_dir(cwd);
    if let Some((_, path)) = env.iter().rfind(|(name, _)| name == "PATH") {
        command.env("PATH", without_shims(program, path));
    }
    Ok(command)
}

/// `PATH` without the directories in which `program` is this program itself, called through a shim: what the recorder
/// does for itself is no event.
pub(super) fn without_shims(program: &OsStr, path: &OsStr) -> OsString {
    let own = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let is_shim = |dir: &Path| own.is_some() && std::fs::canonicalize(dir.join(program)).ok() == own;
    let kept = std::env::split_paths(path).filter(|dir| !is_shim(dir));
    std::env::join_paths(kept).unwrap_or_else(|_| path.to_owned())
}

/// The most bytes of an errand's output that are read.
const MOST_OUTPUT: u64 = 256 << 20;

/// Waits for a child that leads its own session; after `limit` the whole of it is killed, and there is no status.
fn end_within(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut nap = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(10));
    }
}

/// Runs a command with nothing but `env` in its environment, feeds it `stdin`, and collects its output.
/// For what `fr` itself starts, never for a recorded command: that runs on its own terminal, by [`run`].
///
/// # Errors
/// When it cannot be started or its output cannot be read.
pub fn output(argv: &[OsString], stdin: &[u8], env: &[(OsString, OsString)], cwd: &Path) -> Result<Finished> {
    let Some((program, args)) = argv.split_first() else { return Err(Error::failure("no command to run")) };
    let failed = |e: io::Error| Error::io("run", program, &e);
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value)))
        .current_dir(cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut pipe = child.stdin.take();
    let done = std::thread::scope(|scope| {
        // Fed from a thread of its own: a command that writes before it has read everything must not stop us both.
        scope.spawn(move || pipe.as_mut().map(|pipe| pipe.write_all(stdin)));
        child.wait_with_output()
    });
    let done = done.map_err(failed)?;
    let code = done.status.code().or_else(|| done.status.signal().map(|s| 128 + s)).unwrap_or(-1);
    Ok(Finished { code, stdout: done.stdout, stderr: done.stderr })
}
