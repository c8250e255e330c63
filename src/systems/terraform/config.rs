//! The configuration as it lies there: the files of the root module, of local modules, and what they read by name. Not
//! the commit alone: what destroyed the production database was not committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::fetched;
use super::place::{bytes, is_configuration, small};
use super::state::{Fetched, RootState};
use crate::error::Result;
use crate::model::{Bytes, Locator, Missing, ObjectId, ObjectKind};
use crate::systems::CaptureCx;

/// The largest file of a configuration that is kept.
pub const LARGEST: u64 = 16 << 20;
/// The most files.
const MOST_FILES: usize = 5_000;

/// Keeps the configuration and a saved plan; how many bytes that were.
pub fn keep(
    state: &mut RootState,
    locator: &Locator,
    cx: &CaptureCx<'_>,
    missing: &mut Vec<Missing>,
) -> Result<u64> {
    let root = state.root();
    let mut sum = 0;
    let mut keep = |path: &Path, into: &mut BTreeMap<String, ObjectId>| -> Result<()> {
        match bytes(path, LARGEST) {
            Ok(Some(bytes)) => {
                sum += bytes.len() as u64;
                into.insert(path.to_string_lossy().into_owned(), cx.sink.put(ObjectKind::Blob, &bytes)?);
            }
            Ok(None) => {}
            Err(e) => missing.push(Missing { what: Bytes::from(path), why: e.to_string() }),
        }
        Ok(())
    };
    let given = var_files(state);
    for path in files(&root, state.data_dir.as_path()).into_iter().chain(given).take(MOST_FILES) {
        keep(&path, &mut state.files)?;
    }
    if let Some(plan) = locator.opts.get(super::PLAN_FILE) {
        keep(plan.as_path(), &mut state.others)?;
    }
    for file in fetched::files(&root, state.data_dir.as_path()) {
        sum += file.text.len() as u64;
        let object = cx.sink.put(ObjectKind::Blob, file.text.as_bytes())?;
        let path = file.path.to_string_lossy().into_owned();
        state.fetched.push(Fetched { module: file.module, path, object });
    }
    state.commit = commit(&root);
    Ok(sum)
}

/// The files that the command names with `-var-file`.
fn var_files(state: &RootState) -> Vec<PathBuf> {
    let named = state.vars.iter().filter_map(|arg| arg.as_slice().strip_prefix(b"-var-file="));
    named.map(|path| state.root().join(Bytes::from(path).as_path())).collect()
}

/// The files of a root module and of the local modules that it names.
pub fn files(root: &Path, data_dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(dir) = todo.pop() {
        if !seen.insert(dir.clone()) || dir.starts_with(data_dir) || seen.len() > MOST_FILES {
            continue;
        }
        for path in of_module(&dir) {
            if is_configuration(&path)
                && let Ok(Some(text)) = small(&path)
            {
                todo.extend(local_modules(&text).iter().map(|source| lexical(&dir.join(source))));
                found.extend(read_by_name(&text).iter().map(|name| lexical(&dir.join(name))));
            }
            found.insert(path);
        }
    }
    found
}

fn of_module(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let belongs = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        is_configuration(path) || name.ends_with(".tfvars") || name.ends_with(".tfvars.json")
    };
    entries.flatten().map(|entry| entry.path()).filter(belongs).collect()
}

/// `source = "./network"`, in either syntax.
fn local_modules(text: &str) -> Vec<String> {
    let value = |line: &str| {
        let rest = line.trim_start().trim_start_matches('"').strip_prefix("source")?;
        let rest = rest.trim_start_matches('"').trim_start().trim_start_matches([':', '=']).trim_start();
        let source = rest.strip_prefix('"')?.split('"').next()?;
        (source.starts_with("./") || source.starts_with("../")).then(|| source.to_owned())
    };
    text.lines().filter_map(value).collect()
}

/// `file("${path.module}/user-data.sh")` and the like, as far as the name is literal.
pub fn read_by_name(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for front in ["${path.module}/", "${path.root}/"] {
        for rest in text.split(front).skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            if !name.is_empty() && !name.contains(['$', '%', '*', '\n']) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// `a/b/../c` without the detour, so that a file has one name.
pub fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// The commit that is checked out around the root module.
fn commit(root: &Path) -> Option<String> {
    let repository = git2::Repository::discover(root).ok()?;
    let head = repository.head().ok()?.target()?;
    Some(head.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_files_that_are_named_belong_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("prod/main.tf", "module \"net\" {\n  source = \"../net\"\n}\n");
        write("prod/prod.auto.tfvars", "size = 3\n");
        write("prod/notes.txt", "not terraform's\n");
        write("net/net.tf.json", "{\"module\": {\"sub\": {\n\"source\": \"./sub\"}}}\n");
        write("net/sub/sub.tf", "locals { boot = file(\"${path.module}/boot.sh\") }\n");
        write("net/sub/boot.sh", "true\n");
        let root = dir.path().join("prod");
        let found = files(&root, &root.join(".terraform"));
        let names: Vec<_> =
            found.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        let all =
            ["net/net.tf.json", "net/sub/boot.sh", "net/sub/sub.tf", "prod/main.tf", "prod/prod.auto.tfvars"];
        assert_eq!(names, all);
    }
}
