//! How commands reach the recorder: agents' hooks, people's shells, `fr exec`.
//!
//! Every channel turns what it hears into a [`Happening`], and nothing behind this room knows a wire format. A second
//! agent is one file in [`agents`] and one line in its table.

pub mod agents;
pub mod attribution;
pub mod exec;
pub mod field_manager;
pub mod git_trace;
pub mod install;
mod request;
pub mod run;
pub mod shells;
pub mod shims;
pub mod wire;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

pub use agents::{Heard, hear, hook};
pub use request::{
    Action, Ending, Env, Happening, Malformed, ReportedEdit, Request, SessionSignal, Task, Texts,
};
pub use shells::hook as shell_hook;

/// The environment of this process. Names that are not UTF-8 are left out: nothing here is keyed by one.
pub fn current_env() -> Env {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into()))).collect()
}

/// A variable's value as text; `None` where it is unset, empty or not UTF-8.
fn text<'a>(env: &'a Env, name: &str) -> Option<&'a str> {
    env.get(name).and_then(|value| value.as_str()).filter(|value| !value.is_empty())
}

/// The working directory of this process; empty where it no longer exists.
/// The working directory.
pub fn current_dir() -> crate::model::Bytes {
    std::env::current_dir().map(Into::into).unwrap_or_default()
}

/// The bytes of an argument.
fn bytes(arg: &OsStr) -> &[u8] {
    arg.as_bytes()
}
