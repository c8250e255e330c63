//! `fr config`: the settings in force, and where they come from.

use crate::cli::Out;
use crate::error::Result;
use crate::platform::home::{self, Home};
use crate::record::Config;

/// Runs the verb.
pub fn run(out: &mut Out) -> Result<u8> {
    let home = Home::at(home::state_dir()?);
    let config = Config::load(&home)?;
    if out.json {
        out.json(&config)?;
        return Ok(0);
    }
    let file = home.config();
    let state = if file.is_file() { "" } else { " (not there: these are the defaults)" };
    out.line(format!("# {}{state}", crate::cli::render::safe(file.as_os_str().as_encoded_bytes())))?;
    let reactions = [
        ("on-incomplete-capture", config.on_incomplete_capture, "what a command destroys could not be kept"),
        ("on-failure", config.on_failure, "such a command could not be recorded"),
    ];
    for (name, reaction, when) in reactions {
        let setting = format!("{name} = \"{}\"", reaction.as_str());
        out.line(format!("{setting:<35} # {when}: proceed, ask or deny"))?;
    }
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
