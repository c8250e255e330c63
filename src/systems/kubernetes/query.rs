//! What has to be read before a command may run, as options of an effect's locator. Nothing secret is in it: names,
//! selectors, paths and the flags that choose the cluster; never a token, a manifest or a patch.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::model::{Bytes, Context, ContextKind, Locator, contexts};

/// Why nothing can be read.
const NOT_KEPT: &str = "not-kept";
const PROGRAM: &str = "program";
const FLAGS: &str = "flags";
const ENV: &str = "env.";
const MODE: &str = "mode";
const ASK: &str = "ask";
const DESTROYS: &str = "destroys";
const NAMESPACES: &str = "namespaces";
const DRAINS: &str = "drains";
const SURE: &str = "sure";
/// Reasons why targets are not known that what the line lists may tell.
pub const UNNAMED: [&str; 3] = [
    "its targets are named when it runs",
    "its targets are not known before it runs",
    "its manifests come through a pipe, which is not read before it runs",
];

/// How targets are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `kubectl get` with the words in `ask`.
    #[default]
    Objects,
    /// The objects of manifests (`-f`, `-k` in `ask`), those that are not there yet too.
    Manifests,
    /// Objects by `NAMESPACE|KIND.VERSION.GROUP/NAME`, those that are not there yet too.
    Names,
    /// Manifests, and what `apply --prune` would remove beside them.
    Prune,
    /// Helm releases by name.
    Helm,
    /// All Helm releases of the namespace: which of them is meant is not known.
    Releases,
    /// What the line's own `kubectl get`s list: the words of each in `ask`, an empty word between two of them.
    Listed,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Mode::Objects => "objects",
            Mode::Manifests => "manifests",
            Mode::Names => "names",
            Mode::Prune => "prune",
            Mode::Helm => "helm",
            Mode::Releases => "releases",
            Mode::Listed => "listed",
        }
    }

    fn from_word(word: &str) -> Option<Mode> {
        const ALL: [Mode; 7] = [
            Mode::Objects,
            Mode::Manifests,
            Mode::Names,
            Mode::Prune,
            Mode::Helm,
            Mode::Releases,
            Mode::Listed,
        ];
        ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// A question to a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Which cluster, as whom.
    pub access: Access,
    /// How targets are found.
    pub mode: Mode,
    /// The words of it.
    pub ask: Vec<String>,
    /// The targets are deleted: what goes with them counts too.
    pub destroys: bool,
    /// Namespaces that are deleted, by their names.
    pub namespaces: Vec<String>,
    /// The targets are nodes that are drained: the pods on them count too.
    pub drains: bool,
    /// Of what the line lists: nothing else can be meant, as long as none of these texts (a dot is any letter) is in what
    /// tells the objects apart.
    pub sure: Option<Vec<String>>,
}

/// How a cluster is reached: as the command does, with its flags and its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `kubectl` or `oc`.
    pub program: String,
    /// Where it runs: paths of kubeconfigs and manifests are seen from there.
    pub cwd: Bytes,
    /// The flags that choose cluster, user and namespace.
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
        opts.insert(FLAGS.to_owned(), joined(&self.flags));
        opts.extend(self.env.iter().map(|(name, value)| (format!("{ENV}{name}"), value.clone())));
        locator
    }

    /// Reads it back.
    pub fn of(locator: &Locator) -> Access {
        let env = locator.opts.iter();
        let env = env.filter_map(|(k, v)| Some((k.strip_prefix(ENV)?.to_owned(), v.clone()))).collect();
        Access {
            program: locator.opts.get(PROGRAM).map_or("kubectl".into(), |p| p.lossy().into_owned()),
            cwd: locator.at.clone(),
            flags: split(locator.opts.get(FLAGS)),
            env,
        }
    }
}

impl Query {
    /// As a locator.
    pub fn locator(&self) -> Locator {
        let mut locator = self.access.locator();
        locator.opts.insert(MODE.to_owned(), self.mode.word().into());
        locator.opts.insert(ASK.to_owned(), joined(&self.ask));
        if self.destroys {
            locator.opts.insert(DESTROYS.to_owned(), "yes".into());
        }
        if self.drains {
            locator.opts.insert(DRAINS.to_owned(), "yes".into());
        }
        if let Some(patterns) = &self.sure {
            locator.opts.insert(SURE.to_owned(), joined(patterns));
        }
        if !self.namespaces.is_empty() {
            locator.opts.insert(NAMESPACES.to_owned(), joined(&self.namespaces));
        }
        locator
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Where the words of the command do not tell what to ask: the reason, for people.
    pub fn of(locator: &Locator) -> Result<Query> {
        if let Some(why) = locator.opts.get(NOT_KEPT) {
            return Err(Error::failure(why.lossy()));
        }
        let mode = locator.opts.get(MODE).and_then(|mode| Mode::from_word(mode.as_str()?));
        Ok(Query {
            access: Access::of(locator),
            mode: mode
                .ok_or_else(|| Error::corrupt("a target in a cluster that does not say how it is found"))?,
            ask: split(locator.opts.get(ASK)),
            destroys: locator.opts.contains_key(DESTROYS),
            namespaces: split(locator.opts.get(NAMESPACES)),
            drains: locator.opts.contains_key(DRAINS),
            sure: locator.opts.get(SURE).map(|patterns| split(Some(patterns))),
        })
    }
}

/// True where the words do not name the targets, and what the line lists before may.
pub fn is_unnamed(locator: &Locator) -> bool {
    locator
        .opts
        .get(NOT_KEPT)
        .is_some_and(|why| UNNAMED.iter().any(|known| why.as_slice() == known.as_bytes()))
}

/// True where what the line lists is captured, and other things may be meant.
pub fn is_unsure(locator: &Locator) -> bool {
    let mode = locator.opts.get(MODE).and_then(Bytes::as_str);
    [Mode::Listed, Mode::Releases].iter().any(|one| mode == Some(one.word()))
        && locator.opts.get(SURE).is_none_or(|patterns| !patterns.as_slice().is_empty())
}

/// The command's flags that choose cluster, user and namespace; nothing where they are not recorded.
pub fn flags(locator: &Locator) -> Option<Vec<String>> {
    locator.opts.get(FLAGS).map(|flags| split(Some(flags)))
}

/// The command's `KUBECONFIG`, where it has one.
pub fn kubeconfig(locator: &Locator) -> Option<Bytes> {
    Access::of(locator).env.remove("KUBECONFIG")
}

/// A locator of what cannot be read before the command runs, and why.
pub fn not_kept(at: Bytes, why: &str) -> Locator {
    let mut locator = Locator { at, ..Locator::default() };
    locator.opts.insert(NOT_KEPT.to_owned(), why.into());
    locator
}

// Arguments of a command hold no NUL.
fn joined(words: &[String]) -> Bytes {
    Bytes::from(words.join("\0"))
}

fn split(words: Option<&Bytes>) -> Vec<String> {
    let text = words.map(|w| w.lossy().into_owned()).unwrap_or_default();
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}

/// The names of a cluster: its context, and the URL of its server once it was asked.
pub fn contexts_of(resource: &Bytes, locator: Option<&Locator>) -> Vec<Context> {
    let words = resource.lossy();
    let named = words.strip_prefix("k8s:").and_then(|rest| rest.split('/').next()).map(str::to_owned);
    let named = named.filter(|name| name != "?");
    let flags = locator.map(|place| Access::of(place).flags).unwrap_or_default();
    let mut pairs = flags.iter().zip(flags.iter().skip(1));
    let flag = pairs.find(|(flag, _)| *flag == "--context").map(|(_, value)| value.clone());
    let server = locator.and_then(|place| Some(place.opts.get("server")?.lossy().into_owned()));
    contexts(ContextKind::Cluster, named.into_iter().chain(flag).chain(server))
}
