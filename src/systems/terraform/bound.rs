//! A root module of our own that has a backend and nothing else: how the state of a backend is reached that the
//! configuration does not name any more.

use std::fs;

use serde_json::{Map, Value, json};

use super::cli::Cli;
use super::state::RootState;
use crate::error::{Error, Result};
use crate::model::ObjectSource;
use crate::platform::scratch::ScratchDir;

/// The root module; its directory goes when it is dropped.
pub struct Bound {
    _dir: ScratchDir,
    cli: Cli,
}

impl Bound {
    /// Makes one for a backend with these settings, and lets terraform initialise it.
    ///
    /// # Errors
    /// Where it cannot be written, or terraform does not accept the settings.
    pub fn to(kind: &str, config: &Map<String, Value>, like: &Cli) -> Result<Bound> {
        if matches!(kind, "cloud" | "remote") {
            return Err(Error::failure(format!("a backend of type {kind} is not reached this way")));
        }
        let dir = ScratchDir::new("terraform")?;
        let root = dir.path().to_path_buf();
        let set: Map<String, Value> = config
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let block = json!({"terraform": {"backend": {kind: set}}});
        let file = root.join("backend.tf.json");
        fs::write(&file, block.to_string()).map_err(|e| Error::io("write", &file, &e))?;
        let cli = Cli { data_dir: root.join(".terraform"), root, ..like.clone() };
        // Initialising asks for the selected workspace; `default` is always there.
        let plain = Cli { workspace: "default".to_owned(), ..cli.clone() };
        plain.ask(&["init", "-input=false", "-no-color", "-get=false"], super::cli::LOOK)?;
        Ok(Bound { _dir: dir, cli })
    }

    /// The same, for the backend that a document says was in use.
    ///
    /// # Errors
    /// As [`Self::to`].
    pub fn of(state: &RootState, like: &Cli, source: &dyn ObjectSource) -> Result<Bound> {
        let text = state.binding.map(|id| source.get(&id)).transpose()?.unwrap_or_default();
        let binding: Value = serde_json::from_slice(&text).unwrap_or_default();
        let kind = binding["backend"]["type"].as_str().unwrap_or_default();
        let config = binding["backend"]["config"].as_object().cloned().unwrap_or_default();
        Bound::to(kind, &config, like).map_err(|e| e.context("cannot reach the backend that was in use"))
    }

    /// The terraform that asks this backend.
    pub fn cli(&self) -> &Cli {
        &self.cli
    }
}
