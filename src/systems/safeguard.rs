//! Safety nets that a system has of its own: what would still refuse, or bring back, where the recorder did not. They are looked at
//! by questions that only read, and only where agents have worked.

use std::path::PathBuf;
use std::time::Instant;

use crate::model::Locator;

/// A kind of safety net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// A shared branch refuses a rewritten history.
    ForcePush,
    /// Agents' credentials are not a person's.
    SeparateIdentity,
    /// Agents' credentials cannot destroy at large.
    LeastPrivilege,
    /// Terraform refuses to destroy what holds data.
    PreventDestroy,
    /// Terraform's state is remote and locked.
    RemoteState,
    /// Deleted objects of a bucket are kept.
    BucketVersioning,
    /// A thing refuses to be deleted.
    DeletionProtection,
    /// A database can go back to a moment.
    PointInTime,
    /// A volume outlives its claim.
    VolumesRetained,
}

impl Safety {
    /// What is said where no system has a word about it.
    pub fn nothing(self) -> &'static str {
        match self {
            Safety::ForcePush => "no repository that agents worked in has a remote",
            Safety::SeparateIdentity | Safety::LeastPrivilege => {
                "agents used no credentials of a cloud, a cluster or GitHub"
            }
            Safety::PreventDestroy => "agents worked in no terraform configuration that holds data",
            Safety::RemoteState => "agents worked in no terraform configuration",
            Safety::BucketVersioning => "agents used no account with buckets",
            Safety::DeletionProtection => "agents used no account with databases or instances",
            Safety::PointInTime => "agents used no account with databases",
            Safety::VolumesRetained => "agents used no cluster with volumes",
        }
    }
}

/// Whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It could not be found out: why.
    Unknown(String),
}

/// One safety net of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safeguard {
    /// Of which kind.
    pub safety: Safety,
    /// Of what.
    pub of: String,
    /// Whether it is there.
    pub holds: Holds,
    /// What shows that.
    pub evidence: String,
    /// A command that would put it there.
    pub next: Option<String>,
}

impl Safeguard {
    /// It is there, or it is not.
    pub fn found(
        safety: Safety,
        of: impl Into<String>,
        holds: bool,
        evidence: impl Into<String>,
    ) -> Safeguard {
        let holds = if holds { Holds::Yes } else { Holds::No };
        Safeguard { safety, of: of.into(), holds, evidence: evidence.into(), next: None }
    }

    /// It could not be found out.
    pub fn unknown(safety: Safety, of: impl Into<String>, why: impl Into<String>) -> Safeguard {
        let holds = Holds::Unknown(why.into());
        Safeguard { safety, of: of.into(), holds, evidence: String::new(), next: None }
    }

    /// With a command that would put it there.
    pub fn next(self, next: impl Into<String>) -> Safeguard {
        Safeguard { next: Some(next.into()), ..self }
    }
}

/// A remote of a repository that agents worked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRemote {
    /// The directory that an agent was in.
    pub dir: PathBuf,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Its default branch, where this clone knows.
    pub branch: Option<String>,
}

/// What a system may know while it looks.
pub struct SafeguardCx<'a> {
    /// Directories that agents worked in, and the one that we are in.
    pub dirs: &'a [PathBuf],
    /// The remotes of the repositories there.
    pub remotes: &'a [GitRemote],
    /// How agents reached this system, the latest first.
    pub ways: &'a [Locator],
    /// A person asks: their credentials can be told from the agents'.
    pub person: bool,
    /// When to give up.
    pub until: Instant,
}

/// A host that speaks GitHub's API as far as is known: its own, and the one that `GH_HOST` names.
pub fn is_github(host: &str) -> bool {
    let named = std::env::var("GH_HOST").is_ok_and(|own| own.eq_ignore_ascii_case(host));
    named || matches!(host, "github.com" | "ssh.github.com")
}

/// Where a remote is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemotePlace {
    /// In files that this machine sees.
    File(PathBuf),
    /// On a host, by the path there.
    Host(String, String),
}

impl GitRemote {
    /// Where it is, by the rules of git-fetch(1), "GIT URLS". Names and passwords in a URL are left out.
    pub fn place(&self) -> RemotePlace {
        let url = self.url.as_str();
        if let Some(path) = url.strip_prefix("file://") {
            return RemotePlace::File(path.into());
        }
        let without_user = |text: &str| text.rsplit_once('@').map_or(text, |(_, rest)| rest).to_owned();
        let cut = |host: &str, path: &str| {
            let host = without_user(host);
            let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
            let path = path.trim_matches('/').trim_end_matches(".git").to_owned();
            RemotePlace::Host(name, path)
        };
        if let Some((_, rest)) = url.split_once("://") {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            return cut(host, path);
        }
        // A colon before any slash: `git@host:path`.
        match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => cut(host, path),
            _ => RemotePlace::File(self.dir.join(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_found_without_the_password_in_its_url() {
        let host = |host: &str, path: &str| RemotePlace::Host(host.to_owned(), path.to_owned());
        for (url, place) in [
            ("https://me:tok@GitHub.com/o/r.git", host("github.com", "o/r")),
            ("git@github.com:o/r.git", host("github.com", "o/r")),
            ("ssh://git@example.org:2222/o/r", host("example.org", "o/r")),
            ("file:///srv/r.git", RemotePlace::File("/srv/r.git".into())),
            ("/srv/r.git", RemotePlace::File("/srv/r.git".into())),
            ("../r.git", RemotePlace::File("/w/../r.git".into())),
            ("./a:b", RemotePlace::File("/w/./a:b".into())),
        ] {
            let remote = GitRemote { dir: "/w".into(), name: "o".into(), url: url.into(), branch: None };
            assert_eq!(remote.place(), place, "{url}");
        }
    }
}
