//! Real resources. Nothing that was captured brings one back: only terraform makes another, from the configuration. Here
//! is what it would do, and doing it when a person asks for it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::beside::{configuration, module_in};
use super::cli::{APPLY, Cli, PLAN, refused, said};
use super::config;
use super::place::{self, Backend, Place};
use super::snapshot::Snapshot;
use super::state::RootState;
use super::variables::Variables;
use crate::error::{Error, Result};
use crate::model::{Locator, ObjectId, ObjectKind, ObjectSource, StepOutcome};
use crate::platform::scratch::ScratchDir;

/// The most bytes of a file of a configuration, and of a state.
const MOST: u64 = 256 << 20;

/// What is to be made again or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Addresses that are gone or changed, or (to be removed) that the command made.
    pub addresses: Vec<String>,
    /// They are to be removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    /// The whole module is meant: no other resource is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// What the present state must say.
    pub expect: Option<ObjectId>,
}

/// What terraform would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// Addresses that it makes.
    pub create: Vec<String>,
    /// That it changes in place.
    pub update: Vec<String>,
    /// That it removes, or removes and makes again.
    pub delete: Vec<String>,
    /// What each of the changed would be, as far as it is known.
    pub leaves: BTreeMap<String, Value>,
}

impl Planned {
    /// For people.
    pub fn shown(&self) -> String {
        let part = |names: &[String], word: &str| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (!names.is_empty()).then(|| format!("{word} {}", super::plan::some(&names)))
        };
        let parts =
            [part(&self.create, "create"), part(&self.update, "change"), part(&self.delete, "remove")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "change nothing".to_owned() } else { parts.join("; ") }
    }

    /// True where it does nothing.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.update.is_empty() && self.delete.is_empty()
    }

    /// What it would do beyond what is wished; `None`: nothing.
    fn excess(&self, wish: &Wish) -> Option<String> {
        let meant = |name: &&String| wish.addresses.contains(name);
        let gone = self.delete.iter().filter(|name| !(wish.remove && meant(name)));
        let other = self.create.iter().chain(&self.update).filter(|name| wish.remove || !meant(name));
        let names: Vec<&str> = gone.chain(other).map(String::as_str).collect();
        (!names.is_empty()).then(|| super::plan::some(&names))
    }
}

/// Where terraform works: in the root module itself where its configuration is as recorded, else in the recorded one,
/// put somewhere else, with the root module's data directory and state.
pub struct Site {
    cli: Cli,
    /// The state of a local backend: elsewhere its path would be another one.
    state: Option<PathBuf>,
    vars: Variables,
    /// The root module itself.
    pub is_root: bool,
    _scratch: Option<ScratchDir>,
}

impl Site {
    /// Finds or makes it; `kit` is where the recorded configuration was put, if it was.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn of(
        before: &RootState,
        locator: &Locator,
        kit: Option<&Path>,
        source: &dyn ObjectSource,
    ) -> Result<Site> {
        let place = Place::find(locator)?;
        let mut cli = Cli { root: place.root.clone(), ..before.cli() };
        let named = locator.opts.get(super::STATE_FILE).map(|file| file.as_path().to_path_buf());
        let vars = Variables::of(before, source)?;
        cli.env.extend(vars.env.clone());
        if is_as_recorded(before) {
            return Ok(Site { cli, state: named, vars, is_root: true, _scratch: None });
        }
        // Without one terraform would remove everything, and run none of the provisioners that go with it.
        if before.files.is_empty() {
            return Err(Error::failure("the configuration that goes with it is not on record"));
        }
        let scratch = match kit {
            Some(_) => None,
            None => Some(ScratchDir::new("terraform")?),
        };
        let module = match (kit, &scratch) {
            (Some(kit), _) => module_in(before, &kit.join("configuration")),
            (None, Some(scratch)) => configuration(before, &scratch.path().join("configuration"), source)?,
            (None, None) => place.root.clone(),
        };
        // Modules that were fetched are named below it.
        let link = module.join(".terraform");
        if link.symlink_metadata().is_err() {
            symlink(&place.data_dir, &link).map_err(|e| Error::io("link", &link, &e))?;
        }
        let state = named.or_else(|| match &place.backend {
            Backend::Local { state, .. } => Some(state.clone()),
            _ => None,
        });
        Ok(Site { cli: Cli { root: module, ..cli }, state, vars, is_root: false, _scratch: scratch })
    }

    /// The root module as it is now, with the variables that it has now: where somebody has put back the configuration
    /// that made the old state.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn present(before: &RootState, locator: &Locator) -> Result<Site> {
        let place = Place::find(locator)?;
        let mut cli = Cli { root: place.root, ..before.cli() };
        cli.env.retain(|name, _| !name.starts_with("TF_VAR_"));
        let state = locator.opts.get(super::STATE_FILE).map(|file| file.as_path().to_path_buf());
        Ok(Site { cli, state, vars: Variables::default(), is_root: true, _scratch: None })
    }

    fn arguments(&self, verb: &[&str], wish: &Wish) -> Vec<OsString> {
        let mut args: Vec<OsString> = verb.iter().map(OsString::from).collect();
        args.extend(["-input=false", "-no-color"].map(OsString::from));
        if let Some(state) = &self.state {
            args.push(glued("-state=", state));
        }
        if wish.remove {
            args.push("-destroy".into());
        }
        if !wish.whole {
            args.extend(wish.addresses.iter().map(|address| OsString::from(format!("-target={address}"))));
        }
        args.extend(self.vars.args.iter().cloned());
        args
    }

    /// What terraform would do, and how it says so itself.
    ///
    /// # Errors
    /// Where it makes no plan: with what it says.
    pub fn plan(&self, wish: &Wish) -> Result<(Planned, String)> {
        let dir = ScratchDir::new("plan")?;
        let file = dir.path().join("plan");
        let mut args = self.arguments(&["plan", "-lock=false"], wish);
        args.push(glued("-out=", &file));
        let text = self.succeed(&args, PLAN)?;
        Ok((self.read(&file)?, String::from_utf8_lossy(&text).into_owned()))
    }

    fn read(&self, file: &Path) -> Result<Planned> {
        let args = [OsString::from("show"), "-json".into(), "-no-color".into(), file.into()];
        let json: Value = serde_json::from_slice(&self.succeed(&args, PLAN)?)
            .map_err(|_| Error::failure("terraform's plan is no JSON"))?;
        Ok(planned(&json))
    }

    fn succeed(&self, args: &[OsString], limit: std::time::Duration) -> Result<Vec<u8>> {
        let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
        let done = self.cli.run(&args, limit)?;
        if done.code == 0 { Ok(done.stdout) } else { Err(refused(&self.cli.program, &done)) }
    }

    /// Does it, where the state is still what the plan was made over and terraform would do nothing else.
    ///
    /// # Errors
    /// Where no plan can be made.
    pub fn apply(&self, wish: &Wish, locator: &Locator) -> Result<StepOutcome> {
        if let Some(reason) = self.moved(wish, locator)? {
            return Ok(StepOutcome::Conflict { reason });
        }
        let dir = ScratchDir::new("plan")?;
        let file = dir.path().join("plan");
        let mut args = self.arguments(&["plan", "-lock-timeout=20s"], wish);
        args.push(glued("-out=", &file));
        self.succeed(&args, PLAN)?;
        let planned = self.read(&file)?;
        if let Some(more) = planned.excess(wish) {
            let reason =
                format!("terraform would also change {more}: apply it yourself after a look at its plan");
            return Ok(StepOutcome::Conflict { reason });
        }
        // A saved plan is refused where the state was written since. It knows the backend's own path of a local state
        // only, so elsewhere the plan is made once more.
        let args = match self.state {
            None => vec!["apply".into(), "-input=false".into(), "-no-color".into(), file.into()],
            Some(_) => self.arguments(&["apply", "-auto-approve", "-lock-timeout=20s"], wish),
        };
        let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
        let done = self.cli.run(&args, APPLY)?;
        if done.code == 0 {
            return Ok(StepOutcome::Done);
        }
        if said(&done).contains("Saved plan is stale") {
            return Ok(StepOutcome::Conflict {
                reason: "somebody applied since the plan was made".to_owned(),
            });
        }
        let said = refused(&self.cli.program, &done);
        Ok(StepOutcome::Failed { reason: format!("{said}; what it has made until then is in the state") })
    }

    /// What the state says.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn state_now(&self, locator: &Locator) -> Result<Snapshot> {
        let place = Place::find(locator)?;
        let bytes = match (&self.state, &place.backend) {
            (Some(file), _) | (None, Backend::Local { state: file, .. }) => place::bytes(file, MOST)?,
            _ => Cli { root: place.root, ..self.cli.clone() }.pull()?,
        };
        Snapshot::read(bytes.as_deref().unwrap_or_default())
    }

    fn moved(&self, wish: &Wish, locator: &Locator) -> Result<Option<String>> {
        let now = self.state_now(locator)?;
        let moved = now.content != wish.expect;
        Ok(moved.then(|| {
            format!("the state is at {} now: somebody applied since the plan was made", now.shown())
        }))
    }
}

/// The root module's configuration is what was recorded, and nothing was added to it.
fn is_as_recorded(before: &RootState) -> bool {
    let root = before.root();
    let now = config::files(&root, before.data_dir.as_path());
    let same = |(path, id): (&String, &ObjectId)| {
        let bytes = place::bytes(Path::new(path), MOST).ok().flatten();
        bytes.is_some_and(|bytes| ObjectId::of(ObjectKind::Blob, &bytes) == *id)
    };
    before.files.iter().all(same)
        && now
            .iter()
            .filter(|path| path.is_file())
            .all(|p| before.files.contains_key(p.to_string_lossy().as_ref()))
}

pub fn glued(flag: &str, path: &Path) -> OsString {
    let mut text = OsString::from(flag);
    text.push(path);
    text
}

fn planned(json: &Value) -> Planned {
    let mut planned = Planned::default();
    for change in json["resource_changes"].as_array().into_iter().flatten() {
        let address = change["address"].as_str().unwrap_or_default().to_owned();
        let actions: Vec<&str> =
            change["change"]["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match actions.as_slice() {
            ["create"] => planned.create.push(address),
            ["update"] => {
                planned.leaves.insert(address.clone(), change["change"]["after"].clone());
                planned.update.push(address);
            }
            ["no-op" | "read"] | [] => {}
            _ => planned.delete.push(address),
        }
    }
    planned
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_done_beyond_the_wish() {
        let change =
            |address: &str, actions: &[&str]| json!({"address": address, "change": {"actions": actions}});
        let json = json!({"resource_changes": [
            change("a.x", &["create"]), change("a.y", &["delete", "create"]), change("a.z", &["no-op"]),
        ]});
        let planned = planned(&json);
        assert_eq!(planned.shown(), "create a.x; remove a.y");
        let wish = |names: &[&str], remove| Wish {
            addresses: names.iter().map(|n| (*n).to_owned()).collect(),
            remove,
            ..Wish::default()
        };
        assert_eq!(
            planned.excess(&wish(&["a.x", "a.y"], false)).as_deref(),
            Some("a.y"),
            "a replacement removes"
        );
        assert_eq!(planned.excess(&wish(&["a.y"], true)).as_deref(), Some("a.x"));
        let only = Planned { create: vec!["a.x".to_owned()], ..Planned::default() };
        assert_eq!(only.excess(&wish(&["a.x"], false)), None);
    }
}
