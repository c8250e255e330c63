//! What was published: hidden, yanked, and said to be known to others all the same. And the key of a repository.

use serde_json::{Value, json};

use super::{step, to_the_end};
use crate::{github, registries};

const ANSWERS: [&str; 4] = [
    "leaked=an API key of the shop",
    "rotate=the key, by Ada",
    "legal=Bob of legal, 03:40",
    "copies=no forks, the proxy is purged",
];

#[test]
fn a_repository_that_became_public() {
    let Some(scene) = github::scene::Scene::new() else { return };
    let private = || scene.api("repos/R").unwrap()["private"].clone();
    assert_eq!(private(), true);
    scene.agent("gh repo edit R --visibility public --accept-visibility-change-consequences").ok();
    assert_eq!(private(), false);
    let report = to_the_end(&scene.env, &["publish-leak"], "repo-private,learn", &ANSWERS);
    assert_eq!(private(), true, "{report:#}");
    assert_eq!(step(&report, "repo-hidden").0, "step-done", "the event names the repository: {report:#}");
    assert_eq!(step(&report, "npm").0, "step-skipped", "{report:#}");
}

/// npm lets go of a version for a while; crates.io never does, it is yanked.
#[test]
fn packages_that_nobody_should_have() {
    let env = registries::scene("leaky");
    env.write("package.json", "{\"name\": \"leaky\", \"version\": \"2.1.0\"}\n");
    env.claude_runs("npm publish").ok();
    let version = || {
        serde_json::from_str::<Value>(&registries::look(&env, "leaky")).unwrap()["versions"]["2.1.0"].clone()
    };
    assert!(version().is_object());
    let package = ["publish-leak", "--var", "npm-package=leaky@2.1.0"];
    let report = to_the_end(&env, &package, "npm-unpublish,learn", &ANSWERS);
    assert_eq!(version(), Value::Null, "{report:#}");
    assert_eq!(
        (step(&report, "npm-gone").0.as_str(), step(&report, "npm").0.as_str()),
        ("step-done", "step-skipped")
    );
    env.fr(&["release"]).ok();

    // Another is too old to be unpublished: somebody leaves that out, and all who install it are warned.
    env.write("package.json", "{\"name\": \"leaky\", \"version\": \"2.2.0\"}\n");
    env.claude_runs("npm publish").ok();
    let package = ["publish-leak", "--var", "npm-package=leaky@2.2.0", "--skip", "npm-unpublish"];
    let report = to_the_end(&env, &package, "npm,learn", &ANSWERS);
    let now: Value = serde_json::from_str(&registries::look(&env, "leaky")).unwrap();
    assert_eq!(now["versions"]["2.2.0"]["deprecated"], "published by mistake, do not use", "{report:#}");
    assert_eq!(now["versions"]["2.0.0"]["deprecated"], Value::Null, "the others are not");
    env.fr(&["release"]).ok();

    env.write("Cargo.toml", "[package]\nname = \"leaky\"\nversion = \"1.0.2\"\nedition = \"2021\"\nlicense = \"MIT\"\ndescription = \"x\"\n");
    env.write("src/lib.rs", "");
    env.claude_runs("cargo publish --no-verify --allow-dirty").ok();
    let index = || registries::look(&env, "index/le/ak/leaky");
    let yanked = |text: &str| {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|one| one["yanked"] == true).map(|one| one["vers"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((index().contains("1.0.2"), yanked(&index()).len()), (true, 0));
    let package = ["publish-leak", "--var", "crate=leaky", "--var", "crate-version=1.0.2"];
    let report = to_the_end(&env, &package, "yank,learn", &ANSWERS);
    assert_eq!(yanked(&index()), [json!("1.0.2")], "{report:#}");
    assert_eq!(step(&report, "yanked").0, "step-done", "{report:#}");
}

/// The key opens the repository for whoever has it: it is gone there, and the run has seen that.
#[test]
fn a_deploy_key_of_a_repository() {
    let Some(scene) = github::scene::Scene::new() else { return };
    let make = "gh api -X POST repos/R/keys -f title=agent -f key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5vdEFLZXk' -F read_only=false";
    let id = scene.sh(make).ok().json()["id"].to_string();
    let keys = || scene.api("repos/R/keys").unwrap().as_array().unwrap().clone();
    assert_eq!(keys().len(), 1);
    let (repo, key) = (format!("repo={}", scene.repo), format!("deploy-key={id}"));
    let report = to_the_end(
        &scene.env,
        &["revoke-agent-credentials", "--var", &repo, "--var", &key],
        "deploy-key,learn",
        &["token=none", "rotate=nothing was read", "healthy=CI has a key of its own"],
    );
    assert_eq!(keys().len(), 0, "{report:#}");
    assert_eq!(scene.api(&format!("repos/R/keys/{id}")), None);
    assert_eq!(step(&report, "deploy-key-gone").0, "step-done");
    assert_eq!(step(&report, "aws-key").0, "step-skipped", "only what is named is revoked");
    // It was the wrong one after all: what the step ran is an event like any other.
    let line = report["steps"].as_array().unwrap().iter().find(|line| line["step"] == "deploy-key").unwrap();
    scene.env.fr(&["undo", "--yes", &line["event"].to_string()]);
    assert_eq!(keys().len(), 1);
}
