//! What an undo does about each thing, in words.

use crate::model::{Bytes, Reversibility as R, SystemId};
use crate::systems::github::kinds::{self, Kind};
use crate::systems::github::look::LACKING;
use crate::systems::things::{Deed, Hands, How, Thing};

/// What is known of GitHub's things.
#[derive(Default)]
pub struct GithubHands {
    /// New names of repositories and labels by their old ones.
    pub renamed: std::collections::BTreeMap<String, String>,
}

/// A thing in the target grammar: `gh:label:o/r:bug`.
pub fn shown(name: &str) -> String {
    let Some((kind, path)) = kinds::of(name) else { return format!("gh:{name}") };
    let word = if kind.name == "base" { "ref" } else { kind.name.as_str() };
    let path = kinds::decoded(path);
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["repos", owner, repo] => format!("gh:{word}:{owner}/{repo}"),
        ["repos", owner, repo, "branches", branch, "protection"] => {
            format!("gh:branch-protection:{owner}/{repo}:{branch}")
        }
        ["repos", owner, repo, "git", "ref", rest @ ..] => {
            format!("git:{owner}/{repo}/refs/{}", rest.join("/"))
        }
        ["repos", owner, repo, "environments", env, .., last] => {
            format!("gh:{word}:{owner}/{repo}:{env}/{last}")
        }
        ["repos", owner, repo, "releases", "tags", rest @ ..] => {
            format!("gh:{word}:{owner}/{repo}:{}", rest.join("/"))
        }
        _ if word == "api" => format!("gh:api:{path}"),
        ["repos", owner, repo, .., last] => format!("gh:{word}:{owner}/{repo}:{last}"),
        [.., last] => format!("gh:{word}:{last}"),
        [] => format!("gh:{word}"),
    }
}

impl Hands for GithubHands {
    fn system(&self) -> SystemId {
        SystemId::new(super::ID)
    }

    fn resource(&self, name: &str) -> Bytes {
        Bytes::from(shown(name))
    }

    fn rank(&self, name: &str) -> u32 {
        match kinds::of(name).map(|(kind, _)| kind.name.as_str()) {
            Some("repo") => 1,
            Some("ref" | "base") => 2,
            Some("pull") => 4,
            _ => 3,
        }
    }

    fn is_another(&self, name: &str, before: &Thing, now: &Thing) -> bool {
        // Where the path is the id, another one has another name.
        let at_its_name =
            kinds::of(name).is_some_and(|(kind, _)| matches!(kind.name.as_str(), "label" | "release"));
        at_its_name && before.id != now.id && !before.looks_like(now)
    }

    fn back(&self, name: &str, how: How<'_>) -> Deed {
        let Some((kind, path)) = kinds::of(name) else {
            return Deed::impossible(format!("leave {name} as it is"), "this fr does not know what it is");
        };
        let own = kinds::decoded(path.rsplit('/').next().unwrap_or_default());
        if let (Some(new), How::Anew(_)) = (self.renamed.get(name), how) {
            let new = kinds::decoded(new.rsplit('/').next().unwrap_or_default());
            return Deed::new(format!("rename {} {new} back to {own}", kind.name), R::Exact);
        }
        match how {
            How::Anew(thing) => anew(kind, path, &own, thing),
            How::Changed(before, now) => changed(kind, &own, before, now),
            How::Made(_) => made(kind, &own),
            How::InTheWay(_) => {
                let Deed { action, .. } = made(kind, &own);
                Deed::new(format!("{action} that took its place"), R::Exact)
            }
        }
    }
}

fn lacking(thing: &Thing) -> Vec<String> {
    let text = thing.fact(LACKING);
    if text.is_empty() { Vec::new() } else { vec![text.to_owned()] }
}

fn anew(kind: &Kind, path: &str, own: &str, thing: &Thing) -> Deed {
    match kind.name.as_str() {
        "secret" => secret(own),
        "repo" => {
            let full = kinds::decoded(path.trim_start_matches("repos/"));
            let why = "GitHub gives it back with its issues and pull requests, for 90 days, in the settings of its owner \
                       (Repositories, Deleted repositories); a new one of its name stands in the way of that";
            let mut deed = Deed::on_request(
                format!("make {full} anew and push its commits, branches and tags"),
                R::Compensating,
                why,
            );
            deed.not_restored = lacking(thing);
            deed
        }
        "issue" => Deed::impossible(
            format!("leave issue {own} away"),
            "GitHub makes no issue with an old number; a moved one is moved back by `gh issue transfer`, and the text \
             and the comments are in the store (`fr restore ID --to DIR`)",
        ),
        "run" => Deed::impossible(
            format!("leave run {own} away"),
            "GitHub brings no run back; its log is in the store (`fr restore ID --to DIR`)",
        ),
        "ref" | "base" => Deed::new(format!("set {own} to the commit that it was at"), R::Exact),
        "protection" => Deed::new("protect the branch as before", R::Exact),
        "variable" => Deed::new(format!("make the variable {own} with its old value"), R::Exact),
        "release" => {
            let assets = thing.parts.len();
            let mut deed = Deed::new(
                format!("make the release {own} anew with {assets} assets; its id is a new one"),
                R::Recreate,
            );
            deed.not_restored = lacking(thing);
            deed.not_restored.push(format!("counts of downloads, reactions and dates of the release {own}"));
            deed
        }
        _ if kind.make.is_empty() => Deed::impossible(
            format!("leave {own} away"),
            "fr does not know how to make it; its description is in the store (`fr restore ID --to DIR`)",
        ),
        word => {
            let mut deed = Deed::new(format!("make the {word} {own} anew; its id is a new one"), kind.back);
            deed.not_restored = lacking(thing);
            deed
        }
    }
}

fn secret(own: &str) -> Deed {
    let why =
        format!("GitHub never gives out the value of a secret: set it again by hand (`gh secret set {own}`)");
    Deed::impossible(format!("leave the secret {own} as it is"), why)
}

fn changed(kind: &Kind, own: &str, before: &Thing, now: &Thing) -> Deed {
    match kind.name.as_str() {
        "secret" => secret(own),
        "pull" if now.state == "merged" => Deed::impossible(
            format!("leave pull request {own} merged"),
            format!("GitHub takes no merge back: `gh pr revert {own}` makes a pull request that does"),
        ),
        "base" => Deed::on_request(
            format!("move {own} back to where it was before the merge"),
            R::Compensating,
            "it rewrites a branch that others have",
        ),
        "run" => Deed::on_request(
            format!("run {own} again"),
            R::Compensating,
            "what was cancelled begins from the start and costs minutes",
        ),
        "issue" | "pull" => {
            let what = if kind.name == "pull" { "pull request" } else { "issue" };
            let doing = if before.state == now.state {
                "its old text and labels".to_owned()
            } else {
                format!("open or closed as before ({})", before.state)
            };
            Deed::new(format!("give the {what} {own} {doing}"), R::Exact)
        }
        "workflow" => Deed::new(format!("make the workflow {own} {} again", before.state), R::Exact),
        "ref" => Deed::new(format!("move {own} back to the commit that it was at"), R::Exact),
        "release" => {
            let mut deed = Deed::new(format!("give the release {own} its old text and assets"), R::Recreate);
            deed.not_restored = lacking(before);
            deed
        }
        "repo" if before.id != now.id => Deed::impossible(
            format!("leave {own} as it is"),
            "it is another repository: the old one is given back by GitHub, for 90 days, in the settings of its owner \
             (Repositories, Deleted repositories), once this one has another name; its commits are in the store \
             (`fr restore ID --to DIR`)",
        ),
        "api" if before.facts.is_empty() => Deed::impossible(
            format!("leave {own} as it is"),
            "fr does not know how it is written; its old description is in the store (`fr restore ID --to DIR`)",
        ),
        "repo" => Deed::new(format!("give {own} its old settings"), R::Exact),
        "hook" => {
            let mut deed = Deed::new(format!("give the hook {own} its old values"), kind.back);
            deed.not_restored = lacking(before);
            deed
        }
        word => Deed::new(format!("give the {word} {own} its old values"), kind.back),
    }
}

fn made(kind: &Kind, own: &str) -> Deed {
    if kind.remove.is_empty() {
        let why = "what was made on GitHub is removed by hand";
        return Deed::impossible(format!("leave {} {own} there", kind.name), why);
    }
    let back = if kind.name == "release" { R::Compensating } else { R::Exact };
    Deed::new(format!("remove the {} {own}", kind.name), back)
}
