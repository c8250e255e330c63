//! A saved plan. Terraform applies what it says, with the variables and the configuration of the time when it was made,
//! whatever lies there by now: so these are what makes things again, and what it destroys is what may be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::cli::{Cli, LOOK};
use super::config::{LARGEST, lexical, read_by_name};
use super::place::{self, is_configuration};
use super::snapshot::Snapshot;
use super::state::RootState;
use super::zip;
use crate::error::{Error, Result};
use crate::model::{Bytes, ObjectKind, ObjectSink};

/// The largest plan that is read.
const MOST: u64 = 256 << 20;

/// A module as the plan's list of them has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Module {
    key: String,
    dir: String,
}

/// Takes over what a saved plan says; the addresses that it destroys.
///
/// # Errors
/// Where it cannot be read, or is not made for the state that is there: terraform refuses that one.
pub fn take_over(
    state: &mut RootState,
    plan: &Path,
    cli: &Cli,
    sink: &dyn ObjectSink,
) -> Result<BTreeSet<String>> {
    let bytes = place::bytes(plan, MOST)?.ok_or_else(|| {
        Error::failure(
            "it is not there before the command, so the variables that it is made with are not known",
        )
    })?;
    let files = zip::files(&bytes)
        .ok_or_else(|| Error::failure("it is no plan of terraform that can be read here"))?;
    is_for(&files, state)?;
    let said = said_by(plan, cli)?;
    let configuration = configuration(&files, &state.root(), state.data_dir.as_path())?;
    let dirs: BTreeSet<&Path> = configuration.keys().filter_map(|path| path.parent()).collect();
    let is_other = |path: &str| {
        let path = Path::new(path);
        is_configuration(path) && path.parent().is_some_and(|dir| dirs.contains(dir))
    };
    state.files.retain(|path, _| !is_other(path));
    for (path, text) in &configuration {
        state.files.insert(path.to_string_lossy().into_owned(), sink.put(ObjectKind::Blob, text)?);
        // What it reads is not in the plan: it is taken from where it lies.
        let dir = path.parent().unwrap_or(path);
        for file in read_by_name(&String::from_utf8_lossy(text)).iter().map(|name| lexical(&dir.join(name))) {
            let name = file.to_string_lossy().into_owned();
            if let (false, Ok(Some(bytes))) = (state.files.contains_key(&name), place::bytes(&file, LARGEST))
            {
                state.files.insert(name, sink.put(ObjectKind::Blob, &bytes)?);
            }
        }
    }
    state.vars = variables(&said);
    Ok(destroyed(&said))
}

/// A plan that was made over another state is refused by terraform, and says nothing of what will happen.
fn is_for(files: &BTreeMap<String, Vec<u8>>, state: &RootState) -> Result<()> {
    let made_over = files.get("tfstate").map(|bytes| Snapshot::read(bytes)).transpose()?;
    let (Some(made_over), Some(kept)) = (made_over, &state.state) else { return Ok(()) };
    if (made_over.serial, &made_over.lineage) == (kept.serial, &kept.lineage) {
        return Ok(());
    }
    Err(Error::failure(format!(
        "it was made over another state (serial {}, {} now), and terraform refuses it",
        made_over.serial, kept.serial
    )))
}

/// The plan in terraform's own words.
fn said_by(plan: &Path, cli: &Cli) -> Result<Value> {
    let args = [OsString::from("show"), "-json".into(), "-no-color".into(), plan.into()];
    let args: Vec<_> = args.iter().map(OsString::as_os_str).collect();
    let done = cli.run(&args, LOOK)?;
    if done.code != 0 {
        return Err(super::cli::refused(&cli.program, &done));
    }
    serde_json::from_slice(&done.stdout).map_err(|_| Error::failure("terraform's plan is no JSON"))
}

/// The files of the configuration, at the places that they had. What was fetched lies in the data directory still.
fn configuration(
    files: &BTreeMap<String, Vec<u8>>,
    root: &Path,
    data_dir: &Path,
) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let unreadable = || Error::failure("the list of modules in it cannot be read");
    let listed = files.get("tfconfig/modules.json").ok_or_else(unreadable)?;
    let modules: Vec<Module> = serde_json::from_slice(listed).map_err(|_| unreadable())?;
    let mut out = BTreeMap::new();
    for Module { key, dir } in modules {
        let dir = lexical(&root.join(dir));
        if dir.starts_with(data_dir) {
            continue;
        }
        let front = format!("tfconfig/m-{key}/");
        for (name, text) in files {
            let name = name.strip_prefix(&front).map(Path::new);
            // A name and nothing else: the plan may be anybody's.
            if let Some(name) = name.filter(|name| Some(name.as_os_str()) == name.file_name()) {
                out.insert(dir.join(name), text.clone());
            }
        }
    }
    Ok(out)
}

/// The variables as arguments: these go before files and the environment.
fn variables(said: &Value) -> Vec<Bytes> {
    let set = said.get("variables").and_then(Value::as_object).into_iter().flatten();
    let one = |(name, variable): (&String, &Value)| {
        let value = match variable.get("value")? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            // What is no text is read as an expression, in which templates would be evaluated.
            other => other.to_string().replace("${", "$${").replace("%{", "%%{"),
        };
        Some(Bytes::from(format!("-var={name}={value}")))
    };
    set.filter_map(one).collect()
}

fn destroyed(said: &Value) -> BTreeSet<String> {
    let changes = said.get("resource_changes").and_then(Value::as_array).into_iter().flatten();
    let deletes = |change: &&Value| {
        let actions = change.pointer("/change/actions").and_then(Value::as_array);
        actions.is_some_and(|actions| actions.iter().any(|action| action == "delete"))
    };
    let address = |change: &Value| change.get("address").and_then(Value::as_str).map(str::to_owned);
    changes.filter(deletes).filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_are_given_as_they_were() {
        let said = json!({"variables": {
            "size": {"value": "a ${b}"}, "tags": {"value": {"k": "${v}"}}, "none": {"value": null}, "n": {"value": 3},
        }});
        let vars: Vec<String> = variables(&said).iter().map(|arg| arg.lossy().into_owned()).collect();
        assert_eq!(vars, ["-var=n=3", "-var=size=a ${b}", "-var=tags={\"k\":\"$${v}\"}"]);
    }

    #[test]
    fn files_stay_where_the_modules_are() {
        let list = r#"[{"Key":"","Dir":"."},{"Key":"net","Source":"../net","Dir":"../net"},{"Key":"far","Dir":".terraform/modules/far"}]"#;
        let text = |text: &str| text.as_bytes().to_vec();
        let files = BTreeMap::from([
            ("tfconfig/modules.json".to_owned(), text(list)),
            ("tfconfig/m-/main.tf".to_owned(), text("a")),
            ("tfconfig/m-net/net.tf".to_owned(), text("b")),
            ("tfconfig/m-net/../../../etc/cron.tf".to_owned(), text("c")),
            ("tfconfig/m-far/far.tf".to_owned(), text("d")),
        ]);
        let found = configuration(&files, Path::new("/w/prod"), Path::new("/w/prod/.terraform")).unwrap();
        let names: Vec<_> = found.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(names, ["/w/net/net.tf", "/w/prod/main.tf"]);
    }
}
