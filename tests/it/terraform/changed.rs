//! `terraform apply` that changes or makes things.

use super::scene::Scene;

on_each!([local pg] (changed_in_place made changed_nothing));

/// An input that is changed is changed in place. What made the old state is the old configuration: with it back, applying
/// it is offered, and everything is verifiably as it was.
fn changed_in_place(scene: Scene) {
    let (before, configuration) = (scene.says(), scene.env.read("infra/main.tf"));
    scene.env.write("infra/main.tf", configuration.replace("web on", "shop on"));
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert_ne!(scene.says(), before);
    let event = scene.event();
    let undone = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stdout.contains("put back the one that made the old state"), "{undone:?}");
    scene.env.write("infra/main.tf", configuration);
    let dry = scene.env.fr(&["undo", &event, "--dry-run"]).ok();
    assert!(dry.stdout.contains("terraform apply: change terraform_data.web"), "{dry:?}");
    let undone = scene.env.fr(&["undo", &event, "--yes", "--apply-infra"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.says(), before);
}

fn made(scene: Scene) {
    let before = scene.says();
    scene.env.write(
        "infra/more.tf",
        "resource \"terraform_data\" \"more\" {\n  provisioner \"local-exec\" {\n    command = \"touch real/more\"\n  }\n  \
         provisioner \"local-exec\" {\n    when = destroy\n    command = \"rm real/more\"\n  }\n}\n",
    );
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    assert!(scene.real().contains(&"more".to_owned()));
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 3, "{undone:?}");
    assert!(undone.stderr.contains("--apply-infra"), "{undone:?}");
    assert!(scene.real().contains(&"more".to_owned()), "nothing real is removed unasked");
    let undone = scene.undo(&["--apply-infra"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(scene.real(), ["disk-a-small", "disk-b-small", "web"]);
    assert_eq!(scene.says(), before);
}

fn changed_nothing(scene: Scene) {
    scene.agent("terraform -chdir=infra apply -auto-approve").ok();
    let undone = scene.undo(&[]);
    assert_eq!(undone.code, 5, "{undone:?}");
}
