//! The recorder's own settings: `$FR_HOME/config.toml`, the user's file. A repository has none: nothing in it can widen,
//! weaken or switch off the recording of what is done to it.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::policy::{Mode, Reaction};
use super::production::Production;
use super::runaway::Runaway;
use crate::error::{Error, Result};
use crate::platform::home::Home;
use crate::systems::{Caps, Saving};

/// All settings, each with a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Config {
    /// Whether agents' commands are only recorded, or also decided on (`docs/policy.md`).
    pub mode: Mode,
    /// What an agent is answered where what its command destroys could not be stored, or only in part.
    pub on_incomplete_capture: Reaction,
    /// What an agent is answered where a command that destroys something could not be recorded at all.
    pub on_failure: Reaction,
    /// Whether an agent's kubectl names it as field manager (`docs/attribution.md`).
    pub kubectl_field_manager: bool,
    /// What is marked as production.
    pub production: Production,
    /// When an agent destroys too fast, and what then (`docs/respond.md`).
    pub runaway: Runaway,
    /// What a playbook may reach (`docs/playbooks.md`).
    pub playbook: PlaybookReach,
    /// What may be made in an account of AWS before a command destroys something there (`docs/systems/aws.md`).
    pub aws: Saving,
    /// Where the store is copied to, for `fr maturity` to look at.
    pub copy: CopyTo,
    /// Bounds of captures.
    pub caps: Caps,
}

/// Where somebody copies the store to. `fr` copies nothing itself: it looks how old the copy is (`docs/maturity.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct CopyTo {
    /// `s3://BUCKET/PREFIX`, or a directory on a share of another machine; empty: there is none.
    pub to: String,
}

/// What a playbook may reach beside this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct PlaybookReach {
    /// Hosts to which a webhook may post; this machine always may.
    pub webhook_hosts: Vec<String>,
}

impl Config {
    /// Reads the file; without one, the defaults.
    ///
    /// # Errors
    /// Where it cannot be read or holds what is no setting. Recording then goes on with the defaults.
    pub fn load(home: &Home) -> Result<Config> {
        let path = home.config();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Config::default()),
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        Config::parse(&text).map_err(|e| Error { what: format!("{}: {}", path.display(), e.what), ..e })
    }

    /// Reads the text of such a file, and checks it.
    ///
    /// # Errors
    /// Where it is no TOML, or holds what is no setting or no value of one; with the line where that is known.
    pub fn parse(text: &str) -> Result<Config> {
        let config: Config = toml::from_str(text).map_err(|e| {
            let what = e.message().lines().next().unwrap_or("it cannot be read").to_owned();
            let line =
                e.span().map(|span| 1 + text.get(..span.start).unwrap_or_default().matches('\n').count());
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            Error::failure(format!("{place}{what}")).hint("`fr config` shows the settings that there are")
        })?;
        config.production.check()?;
        Ok(config)
    }

    /// The bounds in force; the defaults where the file cannot be read.
    pub fn caps_of(home: &Home) -> Caps {
        Config::load(home).map(|config| config.caps).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        std::fs::write(home.config(), text).unwrap();
        Config::load(&home)
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        let config = parse("[caps]\ntree_bytes = 1024\n").unwrap();
        assert_eq!(config.caps, Caps { tree_bytes: 1024, ..Caps::default() });
    }

    #[test]
    fn reactions_are_words() {
        let config = parse("on-incomplete-capture = \"ask\"\non-failure = \"deny\"\n").unwrap();
        assert_eq!((config.on_incomplete_capture, config.on_failure), (Reaction::Ask, Reaction::Deny));
        assert_eq!(Config::default().on_incomplete_capture, Reaction::Proceed);
        assert!(parse("on-failure = \"panic\"\n").is_err());
    }

    #[test]
    fn nothing_is_made_in_an_account_unless_it_is_switched_on() {
        assert_eq!(Config::default().aws, Saving::default());
        let config = parse("[aws]\nimage-before-terminate = true\n").unwrap();
        assert_eq!(config.aws, Saving { image_before_terminate: true, ..Saving::default() });
        assert!(parse("[aws]\nimages = true\n").is_err());
    }

    #[test]
    fn a_misspelt_setting_is_an_error_and_not_a_silent_default() {
        assert!(parse("[caps]\ntree_bites = 1024\n").is_err());
        assert!(parse("[caps\n").is_err());
    }

    #[test]
    fn without_a_file_there_are_the_defaults() {
        assert_eq!(Config::load(&Home::at("/nonexistent")).unwrap(), Config::default());
    }
}
