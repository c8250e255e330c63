//! Ways out of a conflict, and what each leaves of others' work.

use serde_json::json;

use super::SHOP;
use super::cluster::{Scene, meant};

fn env_of(scene: &Scene) -> serde_json::Value {
    scene.get("deploy web").unwrap()["spec"]["template"]["spec"]["containers"][0]["env"].clone()
}

#[test]
fn merge_takes_the_command_out_and_keeps_a_colleagues_variable() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS set env deploy/web MODE=test").ok();
    scene.kubectl("-n NS set env deploy/web EXTRA=1").ok();
    assert_eq!(scene.undo().code, 4, "the list is not as the command left it");
    let out = scene.undo_by(&["--on-conflict", "merge"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(env_of(&scene), json!([{"name": "MODE", "value": "live"}, {"name": "EXTRA", "value": "1"}]));
}

#[test]
fn merge_of_a_text_is_by_lines() {
    let Some(scene) = Scene::new() else { return };
    let conf = |first: &str, last: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: conf}}\ndata:\n  app.conf: |\n    {first}\n    b=1\n    c=1\n    d=1\n    {last}\n"
        )
    };
    scene.apply(&conf("a=1", "e=1"));
    scene.env.write("new.yaml", conf("a=2", "e=1"));
    scene.agent("kubectl -n NS apply -f new.yaml").ok();
    scene.apply(&conf("a=2", "e=9"));
    let out = scene.undo_by(&["--on-conflict", "merge"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(scene.get("cm conf").unwrap()["data"]["app.conf"], "a=1\nb=1\nc=1\nd=1\ne=9\n");
}

#[test]
fn merge_of_the_same_field_is_refused() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS scale deploy web --replicas=5").ok();
    let out = scene.undo_by(&["--on-conflict", "merge"]);
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 5);
}

#[test]
fn force_writes_only_what_the_command_changed_and_redo_brings_the_other_version_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS scale deploy web --replicas=5").ok();
    scene.kubectl("-n NS set image deploy/web web=shop:9").ok();
    let out = scene.undo_by(&["--on-conflict", "force"]);
    assert_eq!(out.code, 0, "{out:?}");
    let spec = scene.get("deploy web").unwrap()["spec"].clone();
    assert_eq!(spec["replicas"], 3);
    assert_eq!(spec["template"]["spec"]["containers"][0]["image"], "shop:9");
    scene.env.fr(&["redo", "--yes"]).ok();
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 5);
}

#[test]
fn force_over_a_namesake_and_over_fields_that_cannot_be_changed() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let before = ["cm settings", "deploy web"].map(|what| meant(scene.get(what).unwrap()));
    scene.agent("kubectl -n NS delete cm/settings deploy/web").ok();
    scene.until("it is gone", || !scene.has("deploy web") && scene.names("rs").is_empty());
    scene.kubectl("-n NS create cm settings --from-literal=by=hand").ok();
    // Another selector, which cannot be changed.
    scene.kubectl("-n NS create deploy web --image=other:1").ok();
    assert_eq!(scene.undo().code, 4);
    let out = scene.undo_by(&["--on-conflict", "force"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(["cm settings", "deploy web"].map(|what| meant(scene.get(what).unwrap())), before);
}

#[test]
fn force_deletes_what_the_command_made_and_brings_back_what_somebody_deleted_since() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS create cm made --from-literal=a=b").ok();
    scene.kubectl("-n NS label cm made by=hand").ok();
    assert_eq!(scene.undo().code, 4);
    let out = scene.undo_by(&["--on-conflict", "force"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(!scene.has("cm made"));
    let before = meant(scene.get("cm settings").unwrap());
    scene.agent("kubectl -n NS label cm settings tier=x").ok();
    scene.kubectl("-n NS delete cm settings").ok();
    assert_eq!(scene.undo().code, 4);
    let out = scene.undo_by(&["--on-conflict", "force"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(meant(scene.get("cm settings").unwrap()), before);
}

#[test]
fn side_by_side_leaves_the_namesake_and_says_how_the_old_one_is_had() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm/settings secret/keys").ok();
    scene.kubectl("-n NS create cm settings --from-literal=by=hand").ok();
    let shown = scene.undo_by(&["--dry-run"]);
    assert!(shown.stdout.contains("fr restore 1 --to DIR"), "{shown:?}");
    let out = scene.undo_by(&["--on-conflict", "side-by-side"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert_eq!(scene.get("cm settings").unwrap()["data"], json!({"by": "hand"}));
    assert!(scene.has("secret keys"));
}
