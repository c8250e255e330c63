//! Workspaces: deleted, made, selected. None of them is reached through the one that is selected.

use super::scene::Scene;

on_each!([local pg s3 kubernetes] (deleted made_and_selected deleted_while_empty));

fn deleted(scene: Scene) {
    scene.tf("workspace new staging").ok();
    scene.tf("apply -auto-approve -var size=large").ok();
    let staging = scene.says();
    scene.tf("workspace select default").ok();
    let default = scene.says();
    scene.agent("terraform -chdir=infra workspace delete -force staging").ok();
    assert!(!scene.tf("workspace list").stdout.contains("staging"));
    let undone = scene.undo(&[]).ok();
    assert!(undone.stdout.contains("workspace staging"), "{undone:?}");
    assert_eq!(scene.says(), default, "the selected workspace is the one that was selected");
    assert_eq!(
        scene.env.sh("cd infra && TF_WORKSPACE=staging terraform state pull").ok().json()["resources"],
        staging["resources"]
    );
}

fn made_and_selected(scene: Scene) {
    let before = scene.tf("workspace list").ok().stdout;
    scene.agent("terraform -chdir=infra workspace new feature").ok();
    assert_eq!(scene.tf("workspace show").ok().stdout, "feature\n");
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.tf("workspace list").ok().stdout, before);
    assert_eq!(scene.tf("workspace show").ok().stdout, "default\n");
    scene.tf("workspace new other").ok();
    scene.agent("cd infra && terraform workspace select default").ok();
    scene.undo(&[]).ok();
    assert_eq!(scene.tf("workspace show").ok().stdout, "other\n");
}

fn deleted_while_empty(scene: Scene) {
    scene.tf("workspace new empty").ok();
    scene.tf("workspace select default").ok();
    let before = scene.tf("workspace list").ok().stdout;
    scene.agent("terraform -chdir=infra workspace delete empty").ok();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.tf("workspace list").ok().stdout, before);
}
