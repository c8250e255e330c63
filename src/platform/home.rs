//! Where `fr` keeps its state.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, ExitCode, Result};

/// `$FR_HOME`, else `$XDG_DATA_HOME/fr`, else `~/.local/share/fr`. Relative values are ignored: state must not move
/// with the working directory.
pub fn state_dir() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    if let Some(dir) = absolute("FR_HOME") {
        return Ok(dir);
    }
    if let Some(dir) = absolute("XDG_DATA_HOME") {
        return Ok(dir.join("fr"));
    }
    match absolute("HOME") {
        Some(home) => Ok(home.join(".local/share/fr")),
        None => Err(Error::new(ExitCode::NoStore, "neither FR_HOME nor HOME is an absolute path")
            .hint("set FR_HOME to the directory that should hold the recorder's state")),
    }
}

/// The user's home directory.
pub fn user_home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|p| p.is_absolute())
}

/// The login name, for attribution; empty where nothing says.
pub fn user_name() -> String {
    let named = |v: &str| std::env::var_os(v).map(OsString::into_string).and_then(std::result::Result::ok);
    named("USER")
        .or_else(|| named("LOGNAME"))
        .or_else(|| name_in_passwd(rustix::process::getuid().as_raw()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The name that `/etc/passwd` (passwd(5)) has for a user id. The name services of a static binary would need the C
/// library's plug-ins; where users come from a directory server, `USER` is set.
fn name_in_passwd(uid: u32) -> Option<String> {
    let table = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut users = table.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = users.find(|fields| fields.get(2).and_then(|id| id.parse().ok()) == Some(uid))?;
    user.first().map(|name| (*name).to_owned()).filter(|name| !name.is_empty())
}

/// The layout below the state directory (`docs/format.md`).
#[derive(Clone, Debug)]
pub struct Home {
    /// The state directory itself.
    pub root: PathBuf,
}

impl Home {
    /// The layout below `root`.
    pub fn at(root: impl Into<PathBuf>) -> Home {
        Home { root: root.into() }
    }
    /// Append-only segments of the record.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }
    /// Packs of objects.
    pub fn packs(&self) -> PathBuf {
        self.root.join("packs")
    }
    /// The derived SQLite index.
    pub fn index(&self) -> PathBuf {
        self.root.join("index.sqlite")
    }
    /// Stat caches, safe to lose.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }
    /// The user's settings.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }
    /// The user's own table of what `fr maturity` measures.
    pub fn maturity(&self) -> PathBuf {
        self.root.join("maturity.toml")
    }
    /// A number that gc raises whenever stat caches must not count any longer.
    pub fn generation(&self) -> PathBuf {
        self.root.join("generation")
    }
    /// Vault repositories.
    pub fn vault(&self) -> PathBuf {
        self.root.join("git")
    }
    /// The log of captured events that await their after-half.
    pub fn open_events(&self) -> PathBuf {
        self.root.join("open.log")
    }
    /// The orders of containment in force.
    pub fn contained(&self) -> PathBuf {
        self.root.join("contained.json")
    }
    /// When agents destroyed something: the detector of runaways counts in it.
    pub fn pace(&self) -> PathBuf {
        self.root.join("pace.log")
    }
    /// Where git puts traces of itself, after `fr install --git`.
    pub fn git_trace(&self) -> PathBuf {
        self.root.join("git-trace")
    }
    /// Links that are called in place of programs.
    pub fn shims(&self) -> PathBuf {
        self.root.join("shims")
    }
    /// The key of redaction tags.
    pub fn key(&self) -> PathBuf {
        self.root.join("key")
    }
    /// True where a store was made here.
    pub fn exists(&self) -> bool {
        self.format_file().is_file()
    }
    /// The file that carries the store's format version.
    pub fn format_file(&self) -> PathBuf {
        self.root.join("format")
    }
    /// The state directory as a path.
    pub fn path(&self) -> &Path {
        &self.root
    }
}
