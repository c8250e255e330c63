//! Where a root module keeps its things, from files alone: no terraform is started to find out.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::{Bytes, Locator};

/// The most bytes of a small file that are read.
const SMALL: u64 = 4 << 20;

/// A root module, its data directory, the workspace that is meant and the backend in use.
#[derive(Clone, Debug)]
pub struct Place {
    /// `terraform` or `tofu`.
    pub program: String,
    /// The directory of the root module.
    pub root: PathBuf,
    /// `.terraform`, or where `TF_DATA_DIR` leads.
    pub data_dir: PathBuf,
    /// The workspace that is selected in the data directory.
    pub selected: String,
    /// The workspace that the command is about.
    pub workspace: String,
    /// Where states are kept.
    pub backend: Backend,
}

/// Where states are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Backend {
    /// In files of this machine: the state of the workspace in question.
    Local {
        /// Its state.
        state: PathBuf,
        /// The directory of the workspaces that are not `default`.
        workspaces: PathBuf,
    },
    /// Elsewhere.
    Remote {
        /// Its type: `http`, `s3`, …
        kind: String,
        /// Its settings, secrets among them.
        config: Map<String, Value>,
    },
    /// The configuration asks for one that is not initialised: terraform refuses every command until `init`.
    Uninitialised,
}

impl Place {
    /// Finds it.
    ///
    /// # Errors
    /// Where the root is no directory, or what its data directory says cannot be read.
    pub fn find(locator: &Locator) -> Result<Place> {
        let root = locator.at.as_path().to_path_buf();
        if !root.is_dir() {
            return Err(Error::failure(format!("{} is no directory", root.display())));
        }
        let option = |name: &str| locator.opts.get(name);
        let data_dir = match option(super::DATA_DIR) {
            Some(dir) => root.join(dir.as_path()),
            None => root.join(".terraform"),
        };
        let selected = small(&data_dir.join("environment"))?.map(|text| text.trim().to_owned());
        let selected = selected.filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned());
        let workspace =
            option(super::WORKSPACE).map_or_else(|| selected.clone(), |name| name.lossy().into_owned());
        let mut backend = backend(&root, &data_dir, &workspace)?;
        if let (Backend::Local { state, .. }, Some(file)) = (&mut backend, option(super::STATE_FILE)) {
            *state = file.as_path().to_path_buf();
        }
        let program =
            option(super::PROGRAM).map_or_else(|| "terraform".to_owned(), |p| p.lossy().into_owned());
        Ok(Place { program, root, data_dir, selected, workspace, backend })
    }

    /// The file that says which workspace is selected.
    pub fn environment(&self) -> PathBuf {
        self.data_dir.join("environment")
    }

    /// For people: `state of /srv/infra`, with the workspace where it is not `default`.
    pub fn shown(root: &Path, workspace: &str) -> Bytes {
        let mut text = format!("tf:state of {}", root.display());
        if workspace != "default" {
            text.push_str(&format!(", workspace {workspace}"));
        }
        Bytes::from(text)
    }
}

/// What the data directory says: terraform writes the backend's settings there at `init`.
fn backend(root: &Path, data_dir: &Path, workspace: &str) -> Result<Backend> {
    let file = data_dir.join("terraform.tfstate");
    let Some(text) = small(&file)? else {
        return Ok(if names_backend(root) { Backend::Uninitialised } else { local(root, workspace, None) });
    };
    let parsed: Value = serde_json::from_str(&text)
        .map_err(|e| Error::failure(format!("{} cannot be read: {e}", file.display())))?;
    let part = parsed.get("backend").or_else(|| parsed.get("state_store")).and_then(Value::as_object);
    let Some(part) = part else { return Ok(local(root, workspace, None)) };
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("local");
    let config = part.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok(match kind {
        "local" => local(root, workspace, Some(&config)),
        kind => Backend::Remote { kind: kind.to_owned(), config },
    })
}

/// terraform's `local` backend: `path`, and `workspace_dir/NAME/terraform.tfstate`.
fn local(root: &Path, workspace: &str, config: Option<&Map<String, Value>>) -> Backend {
    let set = |name: &str| config.and_then(|c| c.get(name)).and_then(Value::as_str).filter(|s| !s.is_empty());
    let workspaces = root.join(set("workspace_dir").unwrap_or("terraform.tfstate.d"));
    let state = match workspace {
        "default" => root.join(set("path").unwrap_or("terraform.tfstate")),
        name => workspaces.join(name).join("terraform.tfstate"),
    };
    Backend::Local { state, workspaces }
}

/// A `backend` or `cloud` block in the root module. A look at the text is enough: terraform itself checks the rest.
fn names_backend(root: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(root) else { return false };
    let files = entries.flatten().map(|e| e.path()).filter(|path| is_configuration(path));
    files.filter_map(|path| small(&path).ok().flatten()).any(|text| {
        let words = text.lines().map(str::trim_start);
        let block = |line: &str| {
            (line.starts_with("backend \"") && !line.starts_with("backend \"local\""))
                || line.starts_with("cloud {")
                || line.starts_with("\"backend\":")
        };
        words.into_iter().any(block)
    })
}

/// A file that terraform reads as configuration.
pub fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end))
}

/// The text of a small file; `None` where there is none.
pub fn small(path: &Path) -> Result<Option<String>> {
    match bytes(path, SMALL)? {
        Some(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        None => Ok(None),
    }
}

/// The bytes of a file; `None` where there is none.
///
/// # Errors
/// Where it is none, larger than `most`, or cannot be read.
pub fn bytes(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(failed(e)),
    };
    // A FIFO would be waited for.
    if !meta.is_file() {
        return Err(Error::failure(format!("{} is no file", path.display())));
    }
    if meta.len() > most {
        return Err(Error::failure(format!("{} is larger than {} MiB", path.display(), most >> 20)));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(Some(bytes))
}
