//! A repository that is about to be deleted: all its refs as a git bundle, within the budget.

use std::path::Path;

use serde_json::{Value, json};

use super::cli::Gh;
use super::kinds::Kind;
use super::look::{Eyes, over};
use crate::error::{Error, Result};
use crate::model::{ObjectSource, StepOutcome};
use crate::platform::random;
use crate::systems::things::{Part, Thing};

/// The part that holds the bundle.
const BUNDLE: &str = "bundle";

/// Clones a repository and stores it.
pub fn take(
    eyes: &Eyes<'_>,
    path: &str,
    (repo, thing): (&Value, &mut Thing),
    lacking: &mut Vec<(String, String)>,
) -> Result<()> {
    let name = path.trim_start_matches("repos/").to_owned();
    let rest = "issues, pull requests, releases, secrets, stars, wiki and LFS files";
    lacking.push((
        format!("{name}: {rest}"),
        "a mirror has only commits, branches and tags; GitHub keeps all of it for 90 days".to_owned(),
    ));
    let what = format!("the commits of {name}");
    // In KiB, of GitHub's own packs.
    if repo.get("size").and_then(Value::as_u64).unwrap_or(0).saturating_mul(1024) > eyes.left.get() {
        lacking.push((what, over()));
        return Ok(());
    }
    let url = repo.get("clone_url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let taken = within(&eyes.scratch, |dir| {
        eyes.gh.git(&["clone", "--quiet", "--mirror", "--", &url, "mirror.git"], dir)?;
        let git = dir.join("mirror.git");
        eyes.gh.git_read(&["bundle", "create", "--quiet", "-", "--all"], &git, |from| {
            Part::take(from, eyes.taking())
        })
    });
    match taken {
        Ok(Some(part)) => {
            eyes.spend(part.bytes);
            thing.parts.insert(BUNDLE.to_owned(), part);
        }
        Ok(None) => lacking.push((what, over())),
        Err(error) if error.what.contains("empty bundle") => {}
        Err(error) => lacking.push((what, error.what)),
    }
    Ok(())
}

/// Runs with a directory of our own that is gone afterwards.
fn within<T>(scratch: &Path, with: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let mut noise = [0u8; 6];
    random::fill(&mut noise);
    let noise: String = noise.iter().map(|b| format!("{b:02x}")).collect();
    let dir = scratch.join(format!("github-{noise}"));
    std::fs::create_dir_all(&dir).map_err(|e| Error::io("make", &dir, &e))?;
    let done = with(&dir);
    let _ = std::fs::remove_dir_all(&dir);
    done
}

/// Makes a repository of the same name and pushes the mirror: another repository, with the same commits.
pub fn make(
    gh: &Gh,
    scratch: &Path,
    kind: &Kind,
    (path, thing): (&str, &Thing),
    source: &dyn ObjectSource,
) -> Result<StepOutcome> {
    let before: Value = serde_json::from_slice(&source.get(&thing.object)?)
        .map_err(|e| Error::corrupt(format!("a repository cannot be read: {e}")))?;
    let Some(part) = thing.parts.get(BUNDLE) else {
        return Ok(StepOutcome::Failed { reason: "its commits were not captured".to_owned() });
    };
    let (owner, name) = path.trim_start_matches("repos/").split_once('/').unwrap_or_default();
    let of_user = before.pointer("/owner/type").and_then(Value::as_str) != Some("Organization");
    let to = if of_user { "user/repos".to_owned() } else { format!("orgs/{owner}/repos") };
    let fields = kind.normal(&before);
    let mut first: serde_json::Map<String, Value> = fields
        .iter()
        .filter(|(key, _)| {
            matches!(key.as_str(), "description" | "homepage" | "private" | "has_issues" | "has_wiki")
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    first.insert("name".to_owned(), json!(name));
    let made = gh.api("POST", &to, Some(&Value::Object(first)))?.good()?;
    let url = made.get("clone_url").and_then(Value::as_str).unwrap_or_default().to_owned();
    within(scratch, |dir| {
        let file = dir.join("bundle");
        let mut out = std::fs::File::create(&file).map_err(|e| Error::io("write", &file, &e))?;
        part.write(source, &mut out)?;
        gh.git(&["clone", "--quiet", "--mirror", "bundle", "mirror.git"], dir)?;
        // What GitHub makes of pull requests it does not take from a push.
        let refs = ["push", "--quiet", &url, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"];
        gh.git(&refs, &dir.join("mirror.git"))
    })?;
    gh.api("PATCH", path, Some(&Value::Object(fields)))?.good()?;
    if let Some(topics) =
        before.get("topics").filter(|topics| topics.as_array().is_some_and(|t| !t.is_empty()))
    {
        gh.api("PUT", &format!("{path}/topics"), Some(&json!({ "names": topics })))?.good()?;
    }
    Ok(StepOutcome::Done)
}
