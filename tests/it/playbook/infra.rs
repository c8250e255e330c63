//! The shipped playbooks on real infrastructure: terraform with its backends, and container engines.

use serde_json::{Value, json};

use super::{on_record, playbook, ran, step, to_the_end};
use crate::docker::engine;
use crate::env::TestEnv;
use crate::terraform::backends::Backend;
use crate::terraform::scene::{Apply, Scene, terraform};

/// What the record has as the answer of a step.
fn evidence(env: &TestEnv, step: &str) -> String {
    let events = env.fr(&["timeline", "--json", "--limit", "500"]).ok().json();
    let found = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["mark"]["step"]["id"] == step && event["mark"]["moment"] == "step-done");
    found.unwrap_or_else(|| panic!("{step} is not done"))["mark"]["evidence"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The founding incident. The configuration is not where the agent was, and nothing real is made before somebody has
/// approved it.
#[test]
fn infrastructure_that_was_destroyed() {
    if terraform().is_none() {
        return;
    }
    let scene = Scene::on(Backend::Local);
    scene.env.write("scratch", "x");
    scene.agent("terraform -chdir=infra destroy -auto-approve").ok();
    assert_eq!(scene.real(), [""; 0]);
    // What happened since is not what this playbook is for: it is not taken for it, and not taken back.
    scene.agent("rm scratch").ok();
    let fitting = playbook(&scene.env, &["list", "--for", "1"]).ok().stdout;
    assert!(fitting.contains("terraform-destroy"), "{fitting}");
    let told = ["nobody-applies=pipelines are off, Ada knows", "data=none: scratch disks"];
    let (code, report) = ran(
        &scene.env,
        &["run", "terraform-destroy", "--confirm", "undo,learn", "--answer", told[0], "--answer", told[1]],
    );
    assert_eq!((code, &report["at"]), (3, &json!("approve")), "{report:#}");
    assert_eq!(step(&report, "preview").0, "step-done", "{report:#}");
    assert!(evidence(&scene.env, "preview").contains("terraform apply: create"), "what costs is shown first");
    assert_eq!(scene.real(), [""; 0], "nobody has approved it");
    let (code, report) = ran(
        &scene.env,
        &["resume", "--confirm", "undo,learn", "--answer", "approve=Ada", "--answer", "smoke=it answers"],
    );
    assert_eq!((code, &report["moment"]), (0, &json!("finished")), "{report:#}");
    on_record(&scene.env, &report);
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
    assert_eq!((scene.listed().len(), scene.tf("plan -detailed-exitcode").code), (3, 0));
    // What is back is not what was: the record says so, by name.
    let told = evidence(&scene.env, "undo");
    assert!(
        told.lines()
            .any(|line| line.starts_with("not restored: ") && line.contains("terraform_data.web (id ")),
        "{told}"
    );
    assert!(!scene.env.exists("scratch"));
    scene.keeps_secrets();
}

/// The state of a workspace that only the agent's line named: it is looked at that one, not at the one that is selected.
#[test]
fn a_state_of_terraform_and_the_one_of_another_workspace() {
    if terraform().is_none() {
        return;
    }
    let scene = Scene::on(Backend::Local);
    let before = scene.says();
    let answers = ["nobody-applies=Ada has told everybody"];
    scene.agent("terraform -chdir=infra state rm terraform_data.web").ok();
    to_the_end(&scene.env, &["terraform-state"], "undo,apply-again,learn", &answers);
    assert_eq!(scene.says(), before);
    assert_eq!(scene.real().len(), 3, "nothing real was touched");
    scene.env.fr(&["release"]).ok();

    let copy = "cd infra && cp terraform.tfstate other.tfstate && TF_WORKSPACE=staging terraform state push other.tfstate";
    scene.env.sh(copy).ok();
    let staging = || scene.env.sh("cd infra && TF_WORKSPACE=staging terraform state list").ok().stdout;
    let all = staging();
    scene.agent("cd infra && TF_WORKSPACE=staging terraform state rm terraform_data.web").ok();
    assert_ne!(staging(), all);
    let dry = playbook(&scene.env, &["run", "terraform-state", "--dry-run"]).ok().stdout;
    let place = format!("# in {}\n", scene.root.display());
    assert!(dry.contains(&place) && dry.contains("# with TF_WORKSPACE=staging\n"), "{dry}");
    // What is in the selected workspace proves nothing: there, the plan has no changes all along.
    let (code, report) =
        ran(&scene.env, &["run", "terraform-state", "--skip", "undo,back", "--answer", answers[0]]);
    assert_eq!((code, &report["at"]), (1, &json!("plan")), "{report:#}");
    to_the_end(&scene.env, &["terraform-state"], "undo,apply-again,learn", &answers);
    assert_eq!((staging(), scene.says()), (all, before));
}

/// OpenTofu is in no registry that these tests may use. What its playbook would run is looked at without it.
#[test]
fn what_tofu_did_is_looked_at_with_tofu() {
    let env = TestEnv::new();
    env.write("infra/main.tf", "resource \"terraform_data\" \"web\" {}\n");
    for (line, mine, other) in [
        ("TF_WORKSPACE=staging tofu -chdir=infra destroy -auto-approve", "tofu", "terraform"),
        ("cd infra && terraform destroy -auto-approve", "terraform", "tofu"),
    ] {
        env.claude_pre(line);
        let dry = playbook(&env, &["run", "terraform-destroy", "--dry-run"]).ok().stdout;
        let lines: Vec<&str> = dry.lines().map(str::trim).collect();
        let runs = |tool: &str, what: &str| {
            let at = lines.iter().position(|said| said.starts_with(&format!("{tool} {what}")));
            at.is_some_and(|at| !lines[at + 1].starts_with("left out: "))
        };
        assert!(runs(mine, "state list") && runs(mine, "plan -detailed-exitcode"), "{line}: {dry}");
        assert!(!runs(other, "state list") && !runs(other, "plan "), "{line}: {dry}");
        assert!(dry.contains(&format!("# in {}\n", env.project.join("infra").display())), "{line}: {dry}");
    }
}

/// A lock that was broken cannot be handed back: the playbook asks what has come of it instead of undoing something.
#[test]
fn a_lock_that_was_broken() {
    if terraform().is_none() {
        return;
    }
    let scene = Scene::on(Backend::http_after(0));
    scene.tf("taint terraform_data.web").ok();
    let apply = Apply::waiting(&scene);
    let call = scene.env.claude_pre("terraform -chdir=infra force-unlock -force 1-2-3");
    assert_eq!(call.answer.code, 0, "{call:?}");
    apply.answer("no");
    scene.tf("untaint terraform_data.web").ok();
    let answers = ["nobody-applies=told", "two-at-once=only Bob, who said no"];
    let report = to_the_end(&scene.env, &["terraform-state", "--event", "1"], "apply-again,learn", &answers);
    assert_eq!(step(&report, "undo").0, "step-skipped", "{report:#}");
    assert_eq!(step(&report, "plan").0, "step-done", "{report:#}");
}

/// The state of a step, by its id, in all that was carried out.
fn moments(report: &Value, ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| step(report, id).0).collect()
}

#[test]
fn a_database_in_a_volume_of_docker_or_podman() {
    let Some(scene) = engine::Scene::new() else { return };
    scene.filled_volume("docker", "pgdata");
    scene.sh("docker create --name db -v pgdata:/var/lib/pg base:1 sleep 1000").ok();
    let before = scene.contents("docker", "pgdata");
    scene.agent("docker rm -f db && docker volume rm pgdata").ok();
    assert!(scene.inspect("volume pgdata").is_none() && scene.inspect("container db").is_none());
    let answers = ["stop=nothing runs", "check=pg_amcheck is clean"];
    // The line names the container first: the volume is known all the same.
    let report = to_the_end(&scene.env, &["docker-volume"], "undo,learn", &answers);
    assert_eq!(scene.contents("docker", "pgdata"), before, "{report:#}");
    assert!(scene.inspect("container db").is_some(), "{report:#}");
    let ended = moments(&report, &["volumes", "podman-volumes", "there", "podman-there"]);
    assert_eq!(ended, ["step-done", "step-skipped", "step-done", "step-skipped"], "{report:#}");
    if scene.sh("podman image exists localhost/base:1").code != 0 {
        eprintln!("skipped: podman does not work here");
        return;
    }
    scene.env.fr(&["release"]).ok();
    scene.filled_volume("podman", "pgdata");
    let before = scene.contents("podman", "pgdata");
    scene.agent("podman volume rm pgdata").ok();
    assert_ne!(scene.sh("podman volume exists pgdata").code, 0);
    let report = to_the_end(&scene.env, &["docker-volume"], "undo,learn", &answers);
    assert_eq!(scene.contents("podman", "pgdata"), before, "{report:#}");
    let ended = moments(&report, &["volumes", "podman-volumes", "there", "podman-there"]);
    assert_eq!(ended, ["step-skipped", "step-done", "step-skipped", "step-done"], "{report:#}");
}
