//! What somebody has done since is not overwritten.

use serde_json::json;

use super::SHOP;
use super::cluster::Scene;

#[test]
fn a_namesake_that_somebody_made_since_is_left_alone() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm settings").ok();
    scene.kubectl("-n NS create cm settings --from-literal=by=hand").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.get("cm settings").unwrap()["data"], json!({"by": "hand"}));
}

#[test]
fn the_same_field_changed_by_somebody_since_is_a_conflict() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS scale deploy web --replicas=5").ok();
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 5);
}

#[test]
fn what_is_back_already_is_not_made_twice() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS scale deploy web --replicas=3").ok();
    let version = scene.get("deploy web").unwrap()["metadata"]["generation"].clone();
    let out = scene.undo();
    assert!([0, 5].contains(&out.code), "{out:?}");
    assert_eq!(scene.get("deploy web").unwrap()["metadata"]["generation"], version);
}
