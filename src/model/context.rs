//! Where a resource is, in the words by which people tell production from the rest: a branch, a cluster, an account.

use serde::{Deserialize, Serialize};

/// What kind of place it is; each has its list of patterns in the settings (`[production]`, `docs/policy.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextKind {
    /// A branch of a remote repository: `main`, `origin/main`.
    Branch,
    /// A tag of a remote repository. It has the patterns of branches.
    Tag,
    /// A Kubernetes context, or the URL of its server.
    Cluster,
    /// An account, project or subscription of a cloud, or the profile that leads to it.
    Account,
    /// A database, its server, or both: `shop`, `db.example.com`, `db.example.com/shop`.
    Database,
    /// A workspace of terraform.
    Workspace,
    /// An absolute path.
    Path,
    /// A machine whose container engine is spoken to.
    Host,
}

impl ContextKind {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            ContextKind::Branch => "branch",
            ContextKind::Tag => "tag",
            ContextKind::Cluster => "cluster",
            ContextKind::Account => "account",
            ContextKind::Database => "database",
            ContextKind::Workspace => "workspace",
            ContextKind::Path => "path",
            ContextKind::Host => "host",
        }
    }
}

/// One name of a place. A place may have several: a context and the URL of its server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Context {
    /// Of which kind.
    pub kind: ContextKind,
    /// The name.
    pub name: String,
}

impl Context {
    /// A name of that kind.
    pub fn new(kind: ContextKind, name: impl Into<String>) -> Context {
        Context { kind, name: name.into() }
    }

    /// In words for people: `branch main`.
    pub fn words(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.name)
    }
}

/// Names of one kind, empty ones left out.
pub fn contexts<N: Into<String>>(kind: ContextKind, names: impl IntoIterator<Item = N>) -> Vec<Context> {
    let named = names.into_iter().map(|name| Context::new(kind, name));
    named.filter(|context| !context.name.is_empty()).collect()
}
