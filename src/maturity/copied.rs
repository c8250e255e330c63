//! Whether the store is copied to another machine, and how old that copy is. The copying is somebody's own job (rsync, `aws s3 sync`);
//! the settings say where it goes, and here the copy itself is read: its journal must be the beginning of ours, and what it lacks is
//! as old as the first event that is not in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::measures::{Measured, Reading};
use super::scene::Scene;
use crate::error::{Error, Result};
use crate::journal::{Journal, Position};
use crate::platform::{disk, runner};

/// How long a question may take.
const LIMIT: Duration = Duration::from_secs(20);
const DAY_NS: f64 = 86_400e9;

/// Where a copy lies.
enum Place {
    Dir(PathBuf),
    Bucket { name: String, prefix: String },
}

/// A copy: its files with their sizes, by their names in the store.
struct Copy {
    place: Place,
    files: BTreeMap<String, u64>,
}

/// How many days old the oldest event is that the copy lacks.
pub fn age(scene: &Scene<'_>) -> Measured {
    let to = match &scene.config {
        Ok(config) => config.copy.to.clone(),
        Err(error) => return Measured::unknown(format!("the settings cannot be read: {}", error.what)),
    };
    if to.is_empty() {
        return Measured::unknown("the settings name no copy of the store (copy.to)");
    }
    if !scene.home.exists() {
        return Measured::unknown("there is no store yet").next("fr install");
    }
    let unknown = |error: Error| Measured::unknown(format!("{to}: {}", error.what));
    let copy = match Copy::at(&to) {
        Ok(copy) => copy,
        Err(error) => return unknown(error),
    };
    let again = format!("copy {} to {to}, as often as you can", scene.home.root.display());
    looked_at(&copy, scene, &to).unwrap_or_else(unknown).next(again)
}

fn looked_at(copy: &Copy, scene: &Scene<'_>, to: &str) -> Result<Measured> {
    let (lacking_ns, segments) = copy.first_lack(scene)?;
    copy.has_all_kept_before(lacking_ns.unwrap_or(scene.wanted.now_ns), scene)?;
    let age_ns = lacking_ns.map_or(0, |at| (scene.wanted.now_ns - at).max(0));
    #[allow(clippy::cast_precision_loss, reason = "days")]
    let days = age_ns as f64 / DAY_NS;
    let is_same = format!("{to}: its journal ({segments} files) is the beginning of this one");
    let lacks = match lacking_ns {
        Some(_) => format!("the first event that it lacks is {days:.1} days old"),
        None => "it lacks nothing".to_owned(),
    };
    Ok(Measured::of(Reading::Number(days)).with(is_same).with(lacks))
}

impl Copy {
    fn at(to: &str) -> Result<Copy> {
        let place = match to.strip_prefix("s3://") {
            Some(rest) => {
                let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let prefix = prefix.trim_end_matches('/');
                let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
                Place::Bucket { name: name.to_owned(), prefix }
            }
            None => Place::Dir(elsewhere(Path::new(to))?),
        };
        let files = match &place {
            Place::Dir(dir) => in_dir(dir)?,
            Place::Bucket { name, prefix } => in_bucket(name, prefix)?,
        };
        match files.keys().any(|name| name.starts_with("journal/")) {
            true => Ok(Copy { place, files }),
            false => Err(Error::failure("there is no journal of a store")),
        }
    }

    /// The time of the first event that is not in the copy, and how many segments were compared.
    fn first_lack(&self, scene: &Scene<'_>) -> Result<(Option<i64>, usize)> {
        let mut own: Vec<(String, u64)> = in_dir(&scene.home.root)?.into_iter().collect();
        own.retain(|(name, _)| name.starts_with("journal/"));
        let mut compared = 0;
        for (name, size) in &own {
            let copied = self.files.get(name).copied().unwrap_or(0);
            // All but the last one are never written again, so their size tells enough; where the copy ends it is read.
            if copied != *size || Some(name) == own.last().map(|(name, _)| name) {
                self.compare(name, copied, scene)?;
            }
            compared += usize::from(copied > 0);
            if copied < *size {
                let number = name.trim_start_matches("journal/").trim_end_matches(".frj").parse();
                let from = Position { segment: number.unwrap_or(0), offset: copied };
                let next = Journal::open(scene.home)?.frames(from).flatten().next();
                return Ok((next.map(|frame| frame.time_ns), compared));
            }
        }
        Ok((None, compared))
    }

    /// The copied bytes are those of this store: not those of another one, or of one that was written anew.
    fn compare(&self, name: &str, copied: u64, scene: &Scene<'_>) -> Result<()> {
        if copied == 0 {
            return Ok(());
        }
        let theirs = self.content(name)?;
        let path = scene.home.root.join(name);
        let failed = |e: std::io::Error| Error::io("read", &path, &e);
        let mut ours = Vec::new();
        let file = std::fs::File::open(&path).map_err(failed)?;
        file.take(theirs.len() as u64).read_to_end(&mut ours).map_err(failed)?;
        match theirs.len() as u64 == copied && ours == theirs {
            true => Ok(()),
            false => Err(Error::failure(format!("{name} is not the one of this store"))),
        }
    }

    fn content(&self, name: &str) -> Result<Vec<u8>> {
        match &self.place {
            Place::Dir(dir) => {
                let path = dir.join(name);
                std::fs::read(&path).map_err(|e| Error::io("read", &path, &e))
            }
            Place::Bucket { name: bucket, prefix } => {
                let object = format!("s3://{bucket}/{prefix}{name}");
                aws(&["s3", "cp", "--only-show-errors", &object, "-"])
            }
        }
    }

    /// A journal without what it names brings nothing back: what was kept before that moment must be there too.
    fn has_all_kept_before(&self, moment_ns: i64, scene: &Scene<'_>) -> Result<()> {
        let root = &scene.home.root;
        for (name, size) in in_dir(root)?.into_iter().filter(|(name, _)| name.starts_with("packs/")) {
            let written = std::fs::metadata(root.join(&name)).and_then(|meta| meta.modified());
            let since = written.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let is_older =
                since.and_then(|at| i64::try_from(at.as_nanos()).ok()).is_some_and(|at| at < moment_ns);
            if is_older && self.files.get(&name) != Some(&size) {
                return Err(Error::failure(format!(
                    "{name}, which holds what was kept, is missing or not whole"
                )));
            }
        }
        Ok(())
    }
}

/// A directory on a file system of another machine. One of this machine goes with it.
fn elsewhere(dir: &Path) -> Result<PathBuf> {
    let kind = disk::file_system(dir).map_err(|e| Error::io("look at", dir, &e))?;
    match kind {
        Some(kind) if disk::is_of_another_machine(&kind) => Ok(dir.to_path_buf()),
        Some(kind) => Err(Error::failure(format!("it lies on this machine ({kind}) and would go with it"))),
        None => Err(Error::failure("on which machine it lies is not known")),
    }
}

/// The parts of a store that a copy needs.
fn in_dir(root: &Path) -> Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    for part in ["journal", "packs"] {
        let dir = root.join(part);
        let failed = |e: std::io::Error| Error::io("list", &dir, &e);
        let entries = match std::fs::read_dir(&dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = format!("{part}/{}", entry.file_name().to_string_lossy());
            if is_of_store(&name) {
                files.insert(name, entry.metadata().map_err(failed)?.len());
            }
        }
    }
    Ok(files)
}

fn in_bucket(bucket: &str, prefix: &str) -> Result<BTreeMap<String, u64>> {
    #[derive(Deserialize, Default)]
    struct Listing {
        #[serde(rename = "Contents", default)]
        contents: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        #[serde(rename = "Key")]
        key: String,
        #[serde(rename = "Size")]
        size: u64,
    }
    let (bucket, of) = (format!("--bucket={bucket}"), format!("--prefix={prefix}"));
    let said = aws(&["s3api", "list-objects-v2", &bucket, &of, "--output", "json"])?;
    let listing: Listing = match said.iter().all(u8::is_ascii_whitespace) {
        true => Listing::default(),
        false => serde_json::from_slice(&said)
            .map_err(|e| Error::failure(format!("what aws lists cannot be read: {e}")))?,
    };
    let own = listing.contents.into_iter().filter_map(|one| {
        let name = one.key.strip_prefix(prefix)?;
        is_of_store(name).then(|| (name.to_owned(), one.size))
    });
    Ok(own.collect())
}

fn is_of_store(name: &str) -> bool {
    name.strip_prefix("journal/").is_some_and(|name| name.ends_with(".frj"))
        || name.strip_prefix("packs/").is_some_and(|name| name.ends_with(".frp"))
}

/// A question that only reads.
fn aws(args: &[&str]) -> Result<Vec<u8>> {
    let argv: Vec<OsString> =
        std::iter::once("aws").chain(args.iter().copied()).map(OsString::from).collect();
    let env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let done = runner::errand(&argv, &env, Path::new("/"), LIMIT)?;
    match done.code {
        0 => Ok(done.stdout),
        _ => {
            let said = String::from_utf8_lossy(&done.stderr);
            let why = said.lines().map(str::trim).find(|line| !line.is_empty());
            Err(Error::failure(why.unwrap_or("aws failed and said nothing").to_owned()))
        }
    }
}
