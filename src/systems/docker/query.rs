//! What has to be read before a command may run, as options of an effect's locator. Nothing secret is in it: names,
//! filters, and the flags that choose the engine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Bytes, Context, ContextKind, Locator, contexts};

const NOT_KEPT: &str = "not-kept";
const PROGRAM: &str = "program";
const FLAGS: &str = "flags";
const ENV: &str = "env.";
const ASK: &str = "ask";

/// A kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An image, by a name or an id.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
    /// A container.
    Container,
    /// A path inside a container: `CONTAINER:PATH`.
    File,
    /// A service of a swarm.
    Service,
    /// A configuration of a swarm.
    Config,
    /// A secret of a swarm.
    Secret,
    /// A pod of podman's.
    Pod,
}

/// All of them.
const KINDS: &[Kind] = &[
    Kind::Image,
    Kind::Network,
    Kind::Volume,
    Kind::Container,
    Kind::File,
    Kind::Service,
    Kind::Config,
    Kind::Secret,
    Kind::Pod,
];

impl Kind {
    /// As in a thing's name and on a command line.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Container => "container",
            Kind::File => "file",
            Kind::Service => "service",
            Kind::Config => "config",
            Kind::Secret => "secret",
            Kind::Pod => "pod",
        }
    }

    /// The name of a thing of this kind.
    pub fn named(self, name: &str) -> String {
        format!("{}/{name}", self.word())
    }

    /// Kind and own name of a thing.
    pub fn of(name: &str) -> Option<(Kind, &str)> {
        let (word, name) = name.split_once('/')?;
        KINDS.iter().copied().find(|kind| kind.word() == word).map(|kind| (kind, name))
    }
}

/// How much of a container is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Only its configuration or what it does changes.
    Nothing,
    /// It is removed.
    Container,
    /// It is removed with its anonymous volumes.
    Volumes,
}

/// A question to an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Ask {
    /// Things by their names or ids; those that are not there yet too.
    Named {
        /// Of which kind.
        kind: Kind,
        /// The words.
        names: Vec<String>,
        /// For containers.
        loss: Loss,
    },
    /// All containers, or all that run.
    Containers {
        /// Only those that run.
        running: bool,
        /// What is lost.
        loss: Loss,
        /// `--filter`s.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        filters: Vec<String>,
    },
    /// All of a kind that is no container.
    All {
        /// Of which kind.
        kind: Kind,
        /// `--filter`s.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        filters: Vec<String>,
    },
    /// What a prune removes.
    Unused {
        /// Of which kinds.
        kinds: Vec<Kind>,
        /// Not only what is dangling or anonymous.
        all: bool,
        /// `--filter`s.
        filters: Vec<String>,
    },
    /// What belongs to a compose project.
    Project {
        /// Its name, where the words say it.
        name: Option<String>,
        /// Its files.
        files: Vec<String>,
        /// Its directory.
        dir: Option<String>,
        /// What happens to its containers.
        loss: Loss,
        /// Its networks go.
        networks: bool,
        /// Its images go.
        images: bool,
        /// Only these services.
        services: Vec<String>,
    },
    /// What belongs to a stack of a swarm.
    Stack {
        /// Their names.
        names: Vec<String>,
    },
    /// The names of all images: an archive or a build file says which change.
    Tags,
}

/// How an engine is reached: as the command does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `docker`, `podman`, `nerdctl`.
    pub program: String,
    /// Where it runs.
    pub cwd: Bytes,
    /// The flags that choose it.
    pub flags: Vec<String>,
    /// The variables that do.
    pub env: BTreeMap<String, Bytes>,
}

impl Access {
    /// As options of a locator.
    pub fn locator(&self) -> Locator {
        let mut locator = Locator { at: self.cwd.clone(), ..Locator::default() };
        let opts = &mut locator.opts;
        opts.insert(PROGRAM.to_owned(), self.program.as_str().into());
        if !self.flags.is_empty() {
            opts.insert(FLAGS.to_owned(), Bytes::from(self.flags.join("\0")));
        }
        opts.extend(self.env.iter().map(|(name, value)| (format!("{ENV}{name}"), value.clone())));
        locator
    }

    /// Reads it back.
    pub fn of(locator: &Locator) -> Access {
        let env = locator.opts.iter();
        let env = env.filter_map(|(k, v)| Some((k.strip_prefix(ENV)?.to_owned(), v.clone()))).collect();
        let flags = locator.opts.get(FLAGS).map(|f| f.lossy().into_owned());
        Access {
            program: locator.opts.get(PROGRAM).map_or("docker".into(), |p| p.lossy().into_owned()),
            cwd: locator.at.clone(),
            flags: flags.map(|f| f.split('\0').map(str::to_owned).collect()).unwrap_or_default(),
            env,
        }
    }
}

/// A locator with questions.
pub fn locator(access: &Access, asks: &[Ask]) -> Locator {
    let mut locator = access.locator();
    locator.opts.insert(ASK.to_owned(), Bytes::from(serde_json::to_string(asks).unwrap_or_default()));
    locator
}

/// The questions of a locator.
///
/// # Errors
/// Where the words of the command do not tell what to ask: the reason, for people.
pub fn asks(locator: &Locator) -> Result<Vec<Ask>> {
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let text = locator.opts.get(ASK).map(|text| text.lossy().into_owned()).unwrap_or_default();
    serde_json::from_str(&text)
        .map_err(|_| Error::corrupt("a target in a container engine that does not say how it is found"))
}

/// A locator of what cannot be read before the command runs, and why.
pub fn not_kept(at: Bytes, why: &str) -> Locator {
    let mut locator = Locator { at, ..Locator::default() };
    locator.opts.insert(NOT_KEPT.to_owned(), why.into());
    locator
}

/// The names of the machine whose engine is spoken to: its address or the context that leads to it.
pub fn contexts_of(locator: &Locator) -> Vec<Context> {
    let access = Access::of(locator);
    let pairs = access.flags.iter().zip(access.flags.iter().skip(1));
    let chosen = ["-H", "--host", "-c", "--context", "--connection", "--url"];
    let flags = pairs.filter(|(flag, _)| chosen.contains(&flag.as_str())).map(|(_, value)| value.clone());
    let chosen = ["DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "CONTAINER_CONNECTION"];
    // The rest (HOME, where its settings lie) says how it is reached, not what it is called.
    let env = access.env.iter().filter(|(name, _)| chosen.contains(&name.as_str()));
    let env = env.map(|(_, value)| value.lossy().into_owned());
    contexts(ContextKind::Host, flags.chain(env))
}
