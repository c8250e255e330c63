//! Becoming another program: execve(2) with the process as it was handed to us.
//!
//! `std` changes a few things before `main` (it ignores SIGPIPE and opens closed standard descriptors) and again when it
//! executes (it empties the signal mask). A shim must hand on what it got, so this notes the state at the start of the
//! process and puts it back.

use std::ffi::{CString, OsStr, OsString, c_int};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

/// Bit 0: SIGPIPE was ignored. Bits 1, 2, 3: descriptor 0, 1, 2 was closed.
static AT_START: AtomicU8 = AtomicU8::new(0);
const PIPE_IGNORED: u8 = 1;

/// The C library calls this before `main`, and so before `std` has changed anything.
extern "C" fn note_start() {
    let mut found = 0;
    for fd in 0..3 {
        // SAFETY: F_GETFD reads a flag; a closed descriptor is an error, which is what is asked for.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
            found |= 2 << fd;
        }
    }
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null new action, sigaction(2) only fills in the present one, which is zeroed until then.
    let known = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid sigaction, and the call wrote a valid one over it.
    if known == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN {
        found |= PIPE_IGNORED;
    }
    AT_START.store(found, Ordering::Relaxed);
}

// SAFETY: the section holds pointers to functions without arguments that need; the C library passes some, which the C
// calling convention lets us leave alone.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE_START: extern "C" fn() = note_start;

/// True where SIGPIPE was ignored when this process started (`trap '' PIPE`): commands must find it so.
pub fn pipe_was_ignored() -> bool {
    AT_START.load(Ordering::Relaxed) & PIPE_IGNORED != 0
}

/// Replaces this process by `program`, which gets `argv` (its own name first) and this environment with `extra` set.
/// A script without `#!` is run by `sh`, as shells do. Returns only where it could not.
pub fn replace(program: &Path, argv: &[OsString], extra: &[(&str, OsString)]) -> io::Error {
    match try_replace(program.as_os_str(), argv, extra) {
        Ok(never) => match never {},
        Err(cause) if cause.raw_os_error() == Some(libc::ENOEXEC) => {
            let mut words = vec![OsString::from("sh"), program.as_os_str().to_owned()];
            words.extend(argv.iter().skip(1).cloned());
            match try_replace(OsStr::new("/bin/sh"), &words, extra) {
                Ok(never) => match never {},
                Err(cause) => cause,
            }
        }
        Err(cause) => cause,
    }
}

fn try_replace(
    program: &OsStr,
    argv: &[OsString],
    extra: &[(&str, OsString)],
) -> io::Result<std::convert::Infallible> {
    let program = CString::new(program.as_bytes())?;
    let argv = strings(argv.iter().map(|word| word.as_bytes().to_vec()))?;
    let kept = std::env::vars_os().filter(|(name, _)| extra.iter().all(|(other, _)| name != other));
    let added = extra.iter().map(|(name, value)| (OsString::from(name), value.clone()));
    let env = strings(kept.chain(added).map(|(name, value)| {
        let mut word = name.into_vec();
        word.push(b'=');
        word.extend_from_slice(value.as_bytes());
        word
    }))?;
    let (argv, env) = (pointers(&argv), pointers(&env));
    let start = AT_START.load(Ordering::Relaxed);
    put_back(start, libc::SIG_DFL);
    // SAFETY: both lists are null-terminated arrays of NUL-terminated strings that outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()) };
    let cause = io::Error::last_os_error();
    put_back(0, libc::SIG_IGN);
    Err(cause)
}

/// Gives SIGPIPE and the standard descriptors back as they were; `pipe` is what SIGPIPE becomes if it was not ignored.
fn put_back(start: u8, pipe: libc::sighandler_t) {
    let pipe = if start & PIPE_IGNORED != 0 { libc::SIG_IGN } else { pipe };
    // SAFETY: sets a disposition that holds no pointer of ours.
    unsafe { libc::signal(libc::SIGPIPE, pipe) };
    for fd in (0..3).filter(|fd| start & (2 << fd) != 0) {
        // SAFETY: `std` opened it on /dev/null where it was closed; nothing of ours uses it.
        unsafe { libc::close(fd as c_int) };
    }
}

fn strings(words: impl Iterator<Item = Vec<u8>>) -> io::Result<Vec<CString>> {
    words.map(|word| CString::new(word).map_err(io::Error::from)).collect()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
}
