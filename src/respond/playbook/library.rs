//! Where playbooks are: the user's own first, then the shipped ones. A file that somebody else could have written is
//! refused: it would decide what is run in the middle of an incident.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::format::Playbook;
use super::parse::{LARGEST, parse};
use super::shipped::SHIPPED;
use crate::error::{Error, ExitCode, Result};
use crate::platform::home::{self, Home};

/// Where a playbook came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of this `fr`.
    Shipped,
    /// A file of the user's.
    Own {
        /// Which.
        path: PathBuf,
        /// It takes the place of a shipped one.
        hides: bool,
    },
}

impl Origin {
    /// For people.
    pub fn words(&self) -> String {
        match self {
            Origin::Shipped => "shipped".to_owned(),
            Origin::Own { path, hides: false } => path.display().to_string(),
            Origin::Own { path, hides: true } => format!("{} (instead of the shipped one)", path.display()),
        }
    }
}

/// A playbook with its text.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it says.
    pub playbook: Playbook,
    /// As it is written.
    pub text: Vec<u8>,
    /// Where it came from.
    pub origin: Origin,
}

/// The directories of the user's own, the first wins.
fn own_dirs(home: &Home) -> Vec<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| Some(home::user_home()?.join(".config")));
    std::iter::once(home.root.join("playbooks")).chain(config.map(|dir| dir.join("fr/playbooks"))).collect()
}

/// True where a name can be a file's and a playbook's.
pub fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}

/// The playbook of that name.
///
/// # Errors
/// Usage, where there is none; where the user's own cannot be read or trusted: the shipped one is not taken for it.
pub fn find(name: &str, home: &Home) -> Result<Found> {
    let unknown = || {
        Error::new(ExitCode::Usage, format!("there is no playbook {}", name.escape_debug()))
            .hint("`fr playbook list` lists them")
    };
    if !is_name(name) {
        return Err(unknown());
    }
    let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == name);
    for dir in own_dirs(home) {
        let path = dir.join(format!("{name}.yaml"));
        if let Some(text) = trusted(&dir, &path)? {
            let playbook = parse(&text).map_err(|e| e.context(path.display()))?;
            return Ok(Found { playbook, text, origin: Origin::Own { path, hides: shipped.is_some() } });
        }
    }
    let (_, text) = shipped.ok_or_else(unknown)?;
    Ok(Found { playbook: parse(text.as_bytes())?, text: text.as_bytes().to_vec(), origin: Origin::Shipped })
}

/// All of them by name. What cannot be read is named with its reason.
pub fn all(home: &Home) -> Vec<(String, Result<Found>)> {
    let mut names: BTreeMap<String, ()> = SHIPPED.iter().map(|(name, _)| ((*name).to_owned(), ())).collect();
    for dir in own_dirs(home) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".yaml").filter(|name| is_name(name)) {
                names.insert(name.to_owned(), ());
            }
        }
    }
    names.into_keys().map(|name| (name.clone(), find(&name, home))).collect()
}

/// A playbook in a file that somebody names, to look at it.
///
/// # Errors
/// Where it cannot be read, or is none.
pub fn from_file(path: &Path) -> Result<Found> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let mut text = Vec::new();
    File::open(path).map_err(failed)?.take(LARGEST as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    let playbook = parse(&text).map_err(|e| e.context(path.display()))?;
    Ok(Found { playbook, text, origin: Origin::Own { path: path.to_owned(), hides: false } })
}

/// The text of a file that only we, or root, can have written; `None` where there is no such file.
fn trusted(dir: &Path, path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).unwrap_or(0);
    let file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(failed(e)),
    };
    let of_file = file.metadata().map_err(failed)?;
    let of_dir = std::fs::metadata(dir).map_err(failed)?;
    if !of_file.is_file() {
        return Err(Error::failure(format!("{} is no file", path.display())));
    }
    for (what, meta) in [(path, &of_file), (dir, &of_dir)] {
        let own = rustix::process::getuid().as_raw();
        if (meta.uid() != own && meta.uid() != 0) || meta.mode() & 0o022 != 0 {
            let told = format!("{} can be written by others, so it is not used", what.display());
            let hint = format!("look at it, then `chmod go-w {}`", what.display());
            return Err(Error::failure(told).hint(hint));
        }
    }
    let mut text = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    Ok(Some(text))
}
