//! Verbs that only change the state, each on the real thing; lines that combine them with a destroy; and `terraform test`,
//! which makes and destroys things of its own.

use super::backends::Backend;
use super::scene::{Scene, terraform};

on_each!([local http] (each_that_changes_only_the_state refreshed noticed_and_destroyed tested));
on_each!(workspaces [local pg] (
    destroyed_in_another_workspace destroyed_with_its_workspace another_workspace_is_selected_since
));

fn each_that_changes_only_the_state(scene: Scene) {
    scene.tf("taint terraform_data.web").ok();
    for line in [
        "terraform -chdir=infra untaint terraform_data.web",
        "terraform -chdir=infra taint 'terraform_data.disk[\"a\"]'",
        "terraform -chdir=infra state replace-provider -auto-approve terraform.io/builtin/terraform example.com/acme/terraform",
        "terraform -chdir=infra state rm 'terraform_data.disk'",
        "cd infra && terraform state mv terraform_data.web module.shop.terraform_data.web",
        "cd infra && TF_CLI_ARGS_state_rm=-lock=false terraform state rm terraform_data.web",
        "cd infra && terraform state pull > kept.json && terraform state rm terraform_data.web",
    ] {
        let (before, real) = (scene.says(), scene.real());
        scene.agent(line).ok();
        let left = scene.says();
        assert_ne!(left, before, "{line}");
        let undone = scene.undo(&[]);
        assert_eq!(undone.code, 0, "{line}: {undone:?}");
        assert_eq!((scene.says(), scene.real()), (before.clone(), real.clone()), "{line}");
        let redone = scene.env.fr(&["redo", "--yes"]);
        assert_eq!((redone.code, scene.says()), (0, left), "redo of {line}: {redone:?}");
        scene.env.fr(&["undo", "--yes"]).ok();
        assert_eq!(scene.says(), before, "{line}");
    }
    // Taken into the state by hand.
    scene.env.write("infra/extra.tf", "resource \"terraform_data\" \"extra\" {}\n");
    let before = scene.says();
    scene
        .agent("terraform -chdir=infra import terraform_data.extra 00000000-0000-4000-8000-000000000002")
        .ok();
    assert!(scene.listed().contains(&"terraform_data.extra".to_owned()));
    scene.undo(&[]).ok();
    assert_eq!(scene.says(), before);
}

/// A refresh writes what it notices, and asks nobody: here that an output has another value by now.
fn refreshed(scene: Scene) {
    let text = scene.env.read("infra/main.tf").replace("tf-secret-in-state", "tf-secret-of-another-kind");
    scene.env.write("infra/main.tf", text);
    let (before, real) = (scene.says(), scene.real());
    scene.agent("terraform -chdir=infra refresh").ok();
    let left = scene.says();
    assert_ne!(left, before);
    scene.undo(&[]).ok();
    assert_eq!((scene.says(), scene.real()), (before.clone(), real));
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.says(), left);
    scene.env.fr(&["undo", "--yes"]).ok();
    assert_eq!(scene.says(), before);
}

/// What a refresh notices and what a destroy destroys in one line: what is destroyed is gone, and is made again when asked.
fn noticed_and_destroyed(scene: Scene) {
    scene
        .agent("cd infra && terraform apply -refresh-only -auto-approve && terraform destroy -auto-approve")
        .ok();
    assert_eq!(scene.real(), [""; 0]);
    let made = scene.undo(&["--apply-infra"]);
    assert_eq!(made.code, 3, "{made:?}");
    assert!(made.stdout.contains("terraform_data.web (id "), "{made:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"], "{made:?}");
}

/// A test's run blocks make and destroy for real; the module's own state is not touched, and nobody claims to undo it.
fn tested(scene: Scene) {
    let (before, real) = (scene.says(), scene.real());
    scene.env.write(
        "infra/tests/one.tftest.hcl",
        "run \"makes\" {\n  module {\n    source = \"./tests/unit\"\n  }\n}\n",
    );
    scene.env.write(
        "infra/tests/unit/main.tf",
        "resource \"terraform_data\" \"thing\" {\n  provisioner \"local-exec\" {\n    command = \"echo made >> told; touch thing\"\n  }\n  \
         provisioner \"local-exec\" {\n    when = destroy\n    command = \"rm thing; echo gone >> told\"\n  }\n}\n",
    );
    scene.tf("init -input=false").ok();
    let ran = scene.agent("terraform -chdir=infra test");
    assert!(ran.code == 0 && ran.stdout.contains("1 passed"), "{ran:?}");
    assert_eq!(scene.env.read("infra/told"), "made\ngone\n", "it is real");
    assert_eq!(
        (scene.says(), scene.real()),
        (before.clone(), real.clone()),
        "the module's own is not touched"
    );
    let event = scene.event();
    let shown = scene.env.fr(&["show", &event, "--json"]).ok().json();
    assert_eq!(shown["class"], "mutate", "{shown:#}");
    assert!(shown.to_string().contains("tests keep their states in memory"), "{shown:#}");
    let undone = scene.env.fr(&["undo", &event, "--yes"]);
    assert!(undone.code != 0 && !undone.stdout.contains("is undone"), "{undone:?}");
    assert!(format!("{undone:?}").contains("could not destroy"), "what a person can do: {undone:?}");
    assert_eq!((scene.says(), scene.real()), (before, real));
}

/// `workspace select prod && destroy`: the incident of the wrong workspace, in one line.
fn destroyed_in_another_workspace(scene: Scene) {
    scene.tf("workspace new prod").ok();
    scene.tf("apply -auto-approve -var size=large").ok();
    scene.tf("workspace select default").ok();
    let default = scene.says();
    let in_prod = || scene.env.sh("cd infra && TF_WORKSPACE=prod terraform state list").ok().stdout;
    let all = in_prod();
    scene
        .agent(
            "cd infra && terraform workspace select prod && terraform destroy -auto-approve -var size=large",
        )
        .ok();
    assert_eq!(in_prod(), "");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert_eq!(in_prod(), all, "{undone:?}");
    assert_eq!(scene.tf("workspace show").ok().stdout, "default\n", "{undone:?}");
    assert_eq!(scene.says(), default, "the other workspace was never touched");
    assert!(scene.real().contains(&"disk-a-large".to_owned()), "{undone:?}");
}

/// The usual end of a test environment: what was in it is destroyed, and then the workspace that terraform only deletes
/// where it is empty. Nothing of it is said to be merely forgotten.
fn destroyed_with_its_workspace(scene: Scene) {
    scene.tf("workspace new staging").ok();
    scene.tf("apply -auto-approve -var size=large").ok();
    let line = "cd infra && terraform destroy -auto-approve -var size=large && terraform workspace select default && terraform workspace delete staging";
    scene.agent(line).ok();
    assert!(!scene.tf("workspace list").stdout.contains("staging"));
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("not restored: terraform_data.web (id "), "{undone:?}");
    assert!(!undone.stdout.contains("may still exist"), "{undone:?}");
    assert!(scene.real().contains(&"disk-a-large".to_owned()), "made again: {undone:?}");
    let listed = scene.env.sh("cd infra && TF_WORKSPACE=staging terraform state list").ok().stdout;
    assert!(listed.contains("terraform_data.web"), "{undone:?}");
}

/// A person selects another workspace before taking it back: what was destroyed is made again where it was, and what the
/// other one holds is neither compared nor touched.
fn another_workspace_is_selected_since(scene: Scene) {
    let default = scene.says();
    scene.tf("workspace new staging").ok();
    scene.tf("apply -auto-approve -var size=large").ok();
    scene.agent("terraform -chdir=infra destroy -auto-approve -var size=large").ok();
    scene.tf("workspace select default").ok();
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(scene.real().contains(&"disk-a-large".to_owned()), "{undone:?}");
    assert_eq!(scene.says(), default, "{undone:?}");
    let listed = scene.env.sh("cd infra && TF_WORKSPACE=staging terraform state list").ok().stdout;
    assert!(listed.contains("terraform_data.web"), "{undone:?}");
}

/// Another data directory has another backend in use; it is followed.
#[test]
fn another_data_directory_is_followed() {
    let (Some(_), Some(backend)) = (terraform(), Backend::http()) else { return };
    let scene = Scene::on(backend);
    let before = scene.says();
    scene.env.sh("cd infra && mv .terraform .elsewhere").ok();
    scene.agent("cd infra && TF_DATA_DIR=.elsewhere terraform state rm terraform_data.web").ok();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    let mut now = scene.env.sh("cd infra && TF_DATA_DIR=.elsewhere terraform state pull").ok().json();
    for field in ["serial", "terraform_version"] {
        now.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(now, before);
}

/// A backup that is none is never taken for one: exit codes, texts that are no state, states of another format.
#[test]
fn what_is_no_state_is_no_backup() {
    let mut env = crate::env::TestEnv::new();
    let bin = env.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    env.vars.push(("PATH".to_owned(), format!("{}:{}", bin.display(), env.path())));
    env.write(
        ".terraform/terraform.tfstate",
        "{\"version\": 3, \"backend\": {\"type\": \"http\", \"config\": {}}}",
    );
    for (does, said) in [
        ("echo 'Error: Backend initialization required' >&2; exit 1", "Backend initialization required"),
        ("echo '{\"version\": 4, \"resources\": ['", "no JSON"),
        ("echo '{\"version\": 3}'", "format 3"),
        ("echo '{\"encrypted_data\": \"x\"}'", "encrypted"),
    ] {
        std::fs::write(bin.join("terraform"), format!("#!/bin/sh\n{does}\n")).unwrap();
        std::fs::set_permissions(bin.join("terraform"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let call = env.claude_pre("terraform destroy -auto-approve");
        assert_eq!(call.answer.code, 0, "{call:?}");
        let event = env.fr(&["timeline", "--limit", "1", "--json"]).ok().json()[0]["id"].to_string();
        let shown = env.fr(&["show", &event]).ok().stdout;
        assert!(shown.contains(said), "{does}: {shown}");
        env.claude_post(&call);
        let undone = env.fr(&["undo", &event, "--yes"]);
        assert!(undone.code != 0 && !undone.stdout.contains("is undone"), "{does}: {undone:?}");
    }
}
