//! The state is moved to another backend, or the lock file of providers changes: `terraform init`.

use super::scene::Scene;

on_each!([local http pg] (migrated_to_a_file reconfigured failed_half_way));

/// The block that names another place for the state.
fn elsewhere(scene: &Scene) -> String {
    at(scene, "elsewhere.tfstate")
}

fn at(scene: &Scene, path: &str) -> String {
    let block = scene.backend().block();
    let new = format!("  backend \"local\" {{\n    path = \"{path}\"\n  }}\n");
    let text = scene.env.read("infra/main.tf");
    match block.is_empty() {
        true => text.replacen("terraform {\n", &format!("terraform {{\n{new}"), 1),
        false => text.replace(&block, &new),
    }
}

/// The configuration names the new backend already when the command runs. Afterwards the old one is in use again, with
/// the state that it had; the copy stays and is named.
fn migrated_to_a_file(scene: Scene) {
    let (before, configuration) = (scene.says(), scene.env.read("infra/main.tf"));
    scene.env.write("infra/main.tf", elsewhere(&scene));
    scene.agent("terraform -chdir=infra init -migrate-state -force-copy -input=false").ok();
    assert!(scene.env.exists("infra/elsewhere.tfstate"));
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    scene.env.write("infra/main.tf", configuration);
    assert_eq!(scene.says(), before, "without another init: {undone:?}");
    scene.keeps_secrets();
}

/// The new backend takes no state: the configuration names it by then, and nobody knows which of the two is in use. The old
/// one is, with the state that it had.
fn failed_half_way(scene: Scene) {
    let (before, configuration) = (scene.says(), scene.env.read("infra/main.tf"));
    scene.env.write("infra/taken", "a file where the state's directory was to be\n");
    scene.env.write("infra/main.tf", at(&scene, "taken/elsewhere.tfstate"));
    let ran = scene.agent("terraform -chdir=infra init -migrate-state -force-copy -input=false");
    assert_ne!(ran.code, 0, "{ran:?}");
    let undone = scene.undo(&[]);
    assert!(matches!(undone.code, 0 | 5), "{undone:?}");
    scene.env.write("infra/main.tf", configuration);
    assert_eq!(scene.says(), before, "without another init: {undone:?}");
    scene.keeps_secrets();
}

/// The state is left behind and the new backend holds nothing: terraform would make everything a second time.
fn reconfigured(scene: Scene) {
    let (before, configuration) = (scene.says(), scene.env.read("infra/main.tf"));
    scene.env.write("infra/main.tf", elsewhere(&scene));
    let ran = scene.agent("cd infra && terraform init -reconfigure -input=false");
    if scene.backend().block().is_empty() {
        // From a file to a file terraform wants to ask, and does nothing.
        assert_eq!((ran.code, scene.undo(&[]).code), (1, 5));
        return;
    }
    assert_eq!(scene.tf("state list").stdout, "");
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 0, "{undone:?}");
    scene.env.write("infra/main.tf", configuration);
    assert_eq!(scene.says(), before);
}

/// The destroy works on the other backend, of which nothing was known before the line ran. It is not said that nothing
/// happened, and nothing is put back that would hide what the new state says.
#[test]
fn migrated_and_destroyed_by_one_line() {
    let (Some(_), Some(backend)) = (super::terraform(), super::backends::Backend::http()) else { return };
    let scene = Scene::on(backend);
    let before = scene.state();
    scene.env.write("infra/main.tf", elsewhere(&scene));
    scene
        .agent("cd infra && terraform init -migrate-state -force-copy -input=false && terraform destroy -auto-approve")
        .ok();
    assert_eq!(scene.real(), [""; 0]);
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 5, "{undone:?}");
    assert!(undone.stdout.contains("what it destroyed is not known"), "{undone:?}");
    scene.env.fr(&["restore", &scene.event(), "--to", "old"]).ok();
    let old: serde_json::Value = serde_json::from_str(&scene.env.read("old/terraform.tfstate")).unwrap();
    assert_eq!(old["resources"], before["resources"], "what was there is on record");
}
