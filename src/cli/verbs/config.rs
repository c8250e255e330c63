//! `fr config`: the settings in force, where they come from, and changing them.

use std::path::Path;

use crate::cli::Out;
use crate::cli::args::{ConfigAction, ConfigArgs};
use crate::error::{Error, Result};
use crate::intake::attribution;
use crate::model::ActorKind;
use crate::platform::home::{self, Home};
use crate::record::production::{KINDS, Production};
use crate::record::{Config, settings};

/// Runs the verb.
pub fn run(args: &ConfigArgs, out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    match &args.action {
        None => show(&home, out),
        Some(ConfigAction::Get { key }) => {
            let value = settings::get(&home, key)?;
            match (out.json, value) {
                (true, value) => out.json(&value)?,
                (false, toml::Value::String(text)) => out.line(text)?,
                (false, toml::Value::Table(table)) => out.line(toml::Value::Table(table).to_string())?,
                (false, value) => out.line(value.to_string())?,
            }
            Ok(0)
        }
        Some(ConfigAction::Set { key, value }) => {
            only_people()?;
            settings::set(&home, key, value)?;
            out.line(format!("{key} = {}", settings::get(&home, key)?))?;
            Ok(0)
        }
        Some(ConfigAction::Unset { key }) => {
            only_people()?;
            let was = settings::unset(&home, key)?;
            let default = settings::get(&home, key)?;
            let note = if was { "the default is in force" } else { "it was not set" };
            out.line(format!("{key} = {default}  # {note}"))?;
            Ok(0)
        }
        Some(ConfigAction::Check { file }) => check(file.as_deref().unwrap_or(&home.config()), out),
    }
}

/// An agent does not loosen what holds it.
fn only_people() -> Result<()> {
    let actor = attribution::actor_here(&crate::intake::current_env());
    match actor.kind {
        ActorKind::Agent => {
            Err(Error::failure(format!("{} is an agent: only a person changes settings", actor.name))
                .hint("run it in a terminal of your own"))
        }
        _ => Ok(()),
    }
}

fn check(file: &Path, out: &mut Out) -> Result<u8> {
    let name = crate::cli::render::safe(file.as_os_str().as_encoded_bytes());
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            out.line(format!("{name} is not there: the defaults are in force"))?;
            return Ok(0);
        }
        Err(e) => return Err(Error::io("read", file, &e)),
    };
    let config = Config::parse(&text).map_err(|e| Error { what: format!("{name}: {}", e.what), ..e })?;
    out.line(format!("{name} is right: mode {}, {}", config.mode.as_str(), marked(&config.production)))?;
    Ok(0)
}

fn marked(production: &Production) -> String {
    let kinds = KINDS.iter().map(|kind| production.patterns(*kind));
    let lists: Vec<String> = kinds
        .filter(|(_, patterns)| !patterns.is_empty())
        .map(|(list, patterns)| format!("{list} ({})", patterns.len()))
        .collect();
    if lists.is_empty() {
        "nothing is marked as production".to_owned()
    } else {
        format!("production: {}", lists.join(", "))
    }
}

fn show(home: &Home, out: &mut Out) -> Result<u8> {
    let config = Config::load(home)?;
    if out.json {
        out.json(&config)?;
        return Ok(0);
    }
    let file = home.config();
    let state = if file.is_file() { "" } else { " (not there: these are the defaults)" };
    out.line(format!("# {}{state}", crate::cli::render::safe(file.as_os_str().as_encoded_bytes())))?;
    let mode = format!("mode = \"{}\"", config.mode.as_str());
    out.line(format!("{mode:<35} # observe, or guard: decide on agents' commands by what can be undone"))?;
    let reactions = [
        ("on-incomplete-capture", config.on_incomplete_capture, "what a command destroys could not be kept"),
        ("on-failure", config.on_failure, "such a command could not be recorded"),
    ];
    for (name, reaction, when) in reactions {
        let setting = format!("{name} = \"{}\"", reaction.as_str());
        out.line(format!("{setting:<35} # {when}: proceed, ask or deny"))?;
    }
    out.line("[production]")?;
    for kind in KINDS {
        let (list, patterns) = config.production.patterns(kind);
        let text = toml::Value::Array(patterns.iter().map(|p| p.as_str().into()).collect());
        out.line(format!("{:<35} # patterns; * is anything but a slash", format!("{list} = {text}")))?;
    }
    let reaction = format!("reaction = \"{}\"", config.production.reaction.as_str());
    out.line(format!("{reaction:<35} # an agent destroys there: off, alert, ask or contain"))?;
    let runaway = config.runaway;
    out.line("[runaway]")?;
    out.line(format!(
        "commands = {}                      # so many that destroy, of one session …",
        runaway.commands
    ))?;
    out.line(format!(
        "seconds = {}                       # … in so many seconds: the next raises the alarm",
        runaway.seconds
    ))?;
    let reaction = format!("reaction = \"{}\"", runaway.reaction.as_str());
    out.line(format!("{reaction:<35} # off, alert, ask or contain"))?;
    out.line("[aws]")?;
    let saving = config.aws;
    let settings = [
        (
            "image-before-terminate",
            saving.image_before_terminate,
            "an image of an instance that is terminated",
        ),
        (
            "snapshot-before-delete",
            saving.snapshot_before_delete,
            "a snapshot of a volume or database that is deleted",
        ),
        (
            "backup-before-delete",
            saving.backup_before_delete,
            "a backup of a table that is deleted; each costs money",
        ),
    ];
    for (name, is_on, what) in settings {
        let setting = format!("{name} = {is_on}");
        out.line(format!("{setting:<35} # {what}"))?;
    }
    out.line("[caps]")?;
    let caps = config.caps;
    out.line(format!(
        "named_bytes = {}            # the most that one named target may store",
        caps.named_bytes
    ))?;
    out.line(format!("named_files = {}", caps.named_files))?;
    out.line(format!(
        "tree_bytes = {}             # the most that the snapshot of a working tree may store",
        caps.tree_bytes
    ))?;
    out.line(format!("tree_files = {}", caps.tree_files))?;
    out.line(format!(
        "ignored_file_bytes = {}     # the largest file that git ignores and the snapshot keeps",
        caps.ignored_file_bytes
    ))?;
    out.line(format!(
        "ahead_bytes = {}         # the largest repository that undo looks at beside the store before it is back",
        caps.ahead_bytes
    ))?;
    out.line(format!("ahead_files = {}", caps.ahead_files))?;
    out.line(format!(
        "cluster_named_seconds = {}       # how long a cluster is waited for where a command names its objects",
        caps.cluster_named_seconds
    ))?;
    out.line(format!(
        "cluster_namespace_seconds = {}  # the same where all in a namespace is read",
        caps.cluster_namespace_seconds
    ))?;
    out.line(format!(
        "backend_seconds = {}            # how long the backend of a terraform state is waited for",
        caps.backend_seconds
    ))?;
    out.line(format!(
        "lock_seconds = {}               # how long undo waits for somebody else's lock on a terraform state",
        caps.lock_seconds
    ))?;
    out.line(format!(
        "container_bytes = {}        # the most that one container command may store of volumes and images",
        caps.container_bytes
    ))?;
    out.line(format!(
        "container_layer_bytes = {}    # the same of what a container wrote outside of its volumes",
        caps.container_layer_bytes
    ))?;
    out.line(format!(
        "container_seconds = {}             # how long a container engine is waited for",
        caps.container_seconds
    ))?;
    out.line(format!(
        "redis_bytes = {}            # the most that one command on a Redis server may store",
        caps.redis_bytes
    ))?;
    out.line(format!(
        "redis_seconds = {}                 # how long a Redis server is waited for",
        caps.redis_seconds
    ))?;
    out.line(format!(
        "database_seconds = {}           # how long a database is waited for",
        caps.database_seconds
    ))?;
    out.line(format!(
        "database_opaque_bytes = {} # the largest database that is kept whole where a statement may do anything",
        caps.database_opaque_bytes
    ))?;
    out.line(format!(
        "database_rows_above = {}   # of a larger database file rows are kept, where a condition tells them",
        caps.database_rows_above
    ))?;
    out.line(format!(
        "database_file_bytes = {} # the largest database file that is copied",
        caps.database_file_bytes
    ))?;
    out.line(format!("aws_seconds = {}                # how long AWS is waited for", caps.aws_seconds))?;
    out.line(format!(
        "aws_bucket_seconds = {}        # the same where objects of a bucket are copied",
        caps.aws_bucket_seconds
    ))?;
    out.line(format!(
        "aws_bytes = {}          # the most that one command's capture copies of objects",
        caps.aws_bytes
    ))?;
    out.line(format!(
        "github_seconds = {}             # how long GitHub or a package registry is waited for",
        caps.github_seconds
    ))?;
    out.line(format!(
        "github_bytes = {}       # the most that one command's capture copies of release assets and commits",
        caps.github_bytes
    ))?;
    Ok(0)
}
