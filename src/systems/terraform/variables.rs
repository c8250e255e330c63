//! The recorded variables, given to terraform so that nobody who lists processes sees their values: plain ones in files that only
//! their owner reads, in the place that they had between other arguments, and expressions in the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::state::RootState;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectSource};
use crate::platform::scratch::ScratchDir;

/// How terraform is given its variables.
#[derive(Default)]
pub struct Variables {
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its environment.
    pub env: BTreeMap<String, Bytes>,
    /// What the files are in.
    _files: Option<ScratchDir>,
}

impl Variables {
    /// Those of a recorded command.
    ///
    /// # Errors
    /// Where they cannot be written down.
    pub fn of(before: &RootState, source: &dyn ObjectSource) -> Result<Variables> {
        let mut out = Variables::default();
        let mut files = None;
        for (at, arg) in before.vars.iter().enumerate() {
            let Some((name, value)) = split(arg) else {
                out.args.push(arg.as_path().as_os_str().to_owned());
                continue;
            };
            if is_plain(&value) {
                let dir = match files.take() {
                    Some(dir) => dir,
                    None => ScratchDir::new("variables")?,
                };
                let file = dir.path().join(format!("{at}.tfvars.json"));
                write(&file, &serde_json::json!({ name.as_str(): value }).to_string())?;
                out.args.push(super::infra::glued("-var-file=", &file));
                files = Some(dir);
            } else if is_in_a_file(&name, before, source)? {
                // The environment counts less than a file.
                out.args.push(arg.as_path().as_os_str().to_owned());
            } else {
                out.env.insert(format!("TF_VAR_{name}"), Bytes::from(value));
            }
        }
        out._files = files;
        Ok(out)
    }
}

/// `-var=name=value`.
fn split(arg: &Bytes) -> Option<(String, String)> {
    let (name, value) = arg.as_str()?.strip_prefix("-var=")?.split_once('=')?;
    Some((name.trim().to_owned(), value.to_owned()))
}

/// A text or a number: in a file it is what it is as an argument. A list may be an expression, and a text that looks like one.
fn is_plain(value: &str) -> bool {
    !value.trim_start().starts_with(['[', '{', '"']) && value != "null"
}

/// True where a file of variables may set it, too.
fn is_in_a_file(name: &str, before: &RootState, source: &dyn ObjectSource) -> Result<bool> {
    for (path, id) in &before.files {
        let sets = path.ends_with(".tfvars") || path.ends_with(".tfvars.json");
        if sets && String::from_utf8_lossy(&source.get(id)?).contains(name) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write(file: &Path, text: &str) -> Result<()> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut made| made.write_all(text.as_bytes())).map_err(|e| Error::io("write", file, &e))
}
