//! Whether a remote in files refuses a rewritten history: its configuration is read as data, nothing in it is run. Of remotes on
//! other hosts nothing can be found out without asking them, and git has no question for it.

use std::path::{Path, PathBuf};

use crate::platform::{home, libgit};
use crate::systems::{RemotePlace, Safeguard, SafeguardCx, Safety};

/// Looks at every remote that is not GitHub's.
pub fn safeguards(cx: &SafeguardCx<'_>) -> Vec<Safeguard> {
    libgit::isolate();
    let one = |remote: &crate::systems::GitRemote| match remote.place() {
        RemotePlace::File(path) => Some(in_files(&path)),
        // `systems::github` asks.
        RemotePlace::Host(host, _) if crate::systems::is_github(&host) => None,
        RemotePlace::Host(host, path) => {
            let why = format!("fr cannot ask {host} whether it refuses a forced push");
            let next = format!("protect the default branch of {path} on {host} against forced pushes");
            Some(Safeguard::unknown(Safety::ForcePush, format!("{host}/{path}"), why).next(next))
        }
    };
    cx.remotes.iter().filter_map(one).collect()
}

fn in_files(path: &Path) -> Safeguard {
    let of = path.display().to_string();
    let repository = match git2::Repository::open(path) {
        Ok(repository) => repository,
        Err(e) => {
            return Safeguard::unknown(Safety::ForcePush, of, format!("it cannot be read: {}", e.message()));
        }
    };
    let head = repository.find_reference("HEAD").ok();
    let head = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned));
    let branch =
        head.as_deref().and_then(|name| name.strip_prefix("refs/heads/")).unwrap_or("HEAD").to_owned();
    let own = repository.config().ok();
    let set = |key: &str| own.as_ref().and_then(|c| c.get_bool(key).ok()).or_else(|| of_user(key));
    let (forced, deleted) = ("receive.denyNonFastForwards", "receive.denyDeletes");
    let refuses = set(forced) == Some(true);
    // A default branch cannot be deleted unless that is allowed (git-config(1), receive.denyDeleteCurrent).
    let keeps = set(deleted) == Some(true) || set("receive.denyDeleteCurrent") != Some(false);
    let told = |key: &str| format!("{key} = {}", set(key).map_or("not set".to_owned(), |on| on.to_string()));
    let evidence = format!("branch {branch}; {}, {}", told(forced), told(deleted));
    let key = if refuses { deleted } else { forced };
    Safeguard::found(Safety::ForcePush, of.clone(), refuses && keeps, evidence)
        .next(format!("git -C {} config {key} true", quoted(&of)))
}

/// A push to files runs as the user who pushes, with that user's configuration.
fn of_user(key: &str) -> Option<bool> {
    let home = home::user_home()?;
    let files: [PathBuf; 3] =
        [home.join(".gitconfig"), home.join(".config/git/config"), "/etc/gitconfig".into()];
    let quiet = |path: &PathBuf| path.is_file() && !(path.starts_with("/etc") && no_system());
    files.iter().filter(|path| quiet(path)).find_map(|path| git2::Config::open(path).ok()?.get_bool(key).ok())
}

fn no_system() -> bool {
    std::env::var_os("GIT_CONFIG_NOSYSTEM").is_some()
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
