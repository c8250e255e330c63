//! Several events of a session are one change, where their captures overlap only in part, too.

use super::SHOP;
use super::cluster::{Scene, meant};

#[test]
fn a_deployment_that_was_deleted_before_its_namespace_comes_back_with_it() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let kinds = ["cm settings", "deploy web", "svc web"];
    let before = kinds.map(|what| meant(scene.get(what).unwrap()));
    scene.agent("kubectl -n NS delete deploy web").ok();
    scene.until("it is gone", || !scene.has("deploy web") && scene.names("rs").is_empty());
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(out.code, 0, "{out:?}");
    assert_eq!(kinds.map(|what| meant(scene.get(what).unwrap())), before);
    scene.until("its pods are back", || scene.names("pods").len() == 3);
    // One undo, which can be taken back: the session's end.
    scene.env.fr(&["redo", "--yes"]).ok();
    scene.until("it is gone again", || !scene.has("namespace NS"));
}

#[test]
fn what_somebody_wrote_between_two_commands_stays() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS set image deploy/web web=shop:9").ok();
    scene.agent("kubectl -n NS label cm,deploy -l app=shop tier=x").ok();
    let out = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(out.code, 0, "{out:?}");
    let deploy = scene.get("deploy web").unwrap();
    assert_eq!(deploy["spec"]["replicas"], 3);
    assert_eq!(deploy["spec"]["template"]["spec"]["containers"][0]["image"], "shop:9");
    assert!(deploy["metadata"]["labels"]["tier"].is_null());
    assert!(scene.get("cm settings").unwrap()["metadata"]["labels"]["tier"].is_null());
}

#[test]
fn what_somebody_changed_between_two_commands_is_a_conflict_and_nothing_is_written() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS scale deploy web --replicas=7").ok();
    scene.agent("kubectl -n NS delete cm/settings deploy/web").ok();
    scene.until("it is gone", || !scene.has("deploy web"));
    let out = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(out.code, 4, "{out:?}");
    assert!(!scene.has("cm settings") && !scene.has("deploy web"));
    let out = scene.env.fr(&["undo", "--session", "--yes", "--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("cm settings"));
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 7, "as the person had left it");
}
