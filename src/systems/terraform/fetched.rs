//! Modules that were fetched from a registry or a repository. `terraform init` notes where each lies
//! (`.terraform/modules/modules.json`), and what their `moved` and `removed` blocks say counts as it does in local modules.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::config::lexical;
use super::place::{is_configuration, small};

/// The most modules whose files are read.
const MOST: usize = 500;
/// Words of the blocks that say what becomes of addresses. A file without them says nothing of it.
const WORDS: [&str; 4] = ["moved", "removed", "import", "destroy"];

/// terraform's `internal/modsdir/manifest.go`.
#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Modules")]
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    /// The names that lead to it: `net.sub`.
    #[serde(rename = "Key")]
    key: String,
    /// Where it lies, seen from the root module.
    #[serde(rename = "Dir")]
    dir: PathBuf,
}

/// A file of a fetched module that says something of addresses.
pub struct File {
    /// The names of the calls that lead to its module, with dots between them.
    pub module: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// The files of the modules that lie there now. Nothing where no `init` has noted any.
pub fn files(root: &Path, data_dir: &Path) -> Vec<File> {
    let noted = small(&data_dir.join("modules/modules.json")).ok().flatten().unwrap_or_default();
    let Ok(manifest) = serde_json::from_str::<Manifest>(&noted) else { return Vec::new() };
    let mut out = Vec::new();
    for module in manifest.modules.into_iter().filter(|module| !module.key.is_empty()).take(MOST) {
        let dir = lexical(&root.join(&module.dir));
        // A local one is a part of the configuration itself.
        if !dir.starts_with(data_dir) {
            continue;
        }
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in entries.filter(|path| is_configuration(path)) {
            let text = small(&path).ok().flatten().unwrap_or_default();
            if WORDS.iter().any(|word| text.contains(word)) {
                out.push(File { module: module.key.clone(), path, text });
            }
        }
    }
    out.sort_by(|one, other| (&one.module, &one.path).cmp(&(&other.module, &other.path)));
    out
}
