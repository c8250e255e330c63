//! What changed fields is taken back field by field: what somebody else changed since stays.

use serde_json::json;

use super::SHOP;
use super::cluster::{Scene, meant};

#[test]
fn a_scale_to_nothing_is_scaled_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl scale deploy/web --replicas=0 -n NS").ok();
    scene.until("the pods are gone", || scene.names("pods").is_empty());
    scene.undo().ok();
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 3);
    scene.until("its pods are back", || scene.names("pods").len() == 3);
}

#[test]
fn each_way_to_change_an_object_is_taken_back_exactly() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let rows = [
        ("deploy web", "kubectl -n NS set image deploy/web web=shop:2"),
        ("deploy web", "kubectl -n NS set env deploy/web MODE=test NEW=1"),
        (
            "deploy web",
            "kubectl -n NS patch deploy web -p '{\"spec\":{\"template\":{\"spec\":{\"hostNetwork\":true}}}}'",
        ),
        (
            "cm settings",
            "kubectl -n NS patch cm settings --type merge -p '{\"data\":{\"mode\":null,\"more\":\"1\"}}'",
        ),
        ("cm settings", "kubectl -n NS label cm settings app- tier=x --overwrite"),
        ("cm settings", "kubectl -n NS annotate cm settings owner=team-b --overwrite"),
        ("svc web", "kubectl -n NS patch svc web -p '{\"spec\":{\"selector\":{\"app\":\"other\"}}}'"),
        ("cm settings", "kubectl -n NS replace -f new.yaml"),
        ("cm settings", "kubectl -n NS apply -f new.yaml"),
    ];
    scene.env.write(
        "new.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: test}\n",
    );
    for (what, line) in rows {
        let before = meant(scene.get(what).unwrap());
        scene.agent(line).ok();
        assert_ne!(meant(scene.get(what).unwrap()), before, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        assert_eq!(meant(scene.get(what).unwrap()), before, "{line}");
    }
}

#[test]
fn a_colleagues_change_of_another_field_stays() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS scale deploy web --replicas=0").ok();
    scene.kubectl("-n NS set image deploy/web web=shop:9").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let spec = scene.get("deploy web").unwrap()["spec"].clone();
    assert_eq!(spec["replicas"], 3);
    assert_eq!(spec["template"]["spec"]["containers"][0]["image"], "shop:9");
}

#[test]
fn what_was_created_is_deleted_and_nothing_else() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS create cm made --from-literal=a=b").ok();
    // Asking the server whether it would delete it deletes nothing.
    scene.env.fr(&["undo", "1", "--dry-run"]).ok();
    assert!(scene.has("cm made"));
    scene.undo().ok();
    assert!(!scene.has("cm made") && scene.has("cm settings"));
    let redo = scene.env.fr(&["redo", "2", "--yes"]);
    assert!(scene.has("cm made"), "{redo:?}");
    scene.agent("kubectl -n NS create cm again --from-literal=a=b").ok();
    scene.kubectl("-n NS delete cm again").ok();
    scene.kubectl("-n NS create cm again --from-literal=by=hand").ok();
    let out = scene.undo();
    assert_ne!(out.code, 0, "a namesake that somebody made: {out:?}");
    assert_eq!(scene.get("cm again").unwrap()["data"], json!({"by": "hand"}));
}

#[test]
fn a_replace_by_force_is_taken_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let before = meant(scene.get("deploy web").unwrap());
    scene.env.write("web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: shop}}\n  template:\n    metadata: {labels: {app: shop}}\n    spec: {containers: [{name: web, image: \"evil:1\"}]}\n");
    scene.agent("kubectl -n NS replace --force -f web.yaml").ok();
    assert_eq!(scene.get("deploy web").unwrap()["spec"]["replicas"], 1);
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    assert_eq!(meant(scene.get("deploy web").unwrap())["spec"], before["spec"]);
}

#[test]
fn an_apply_that_prunes_gives_back_what_it_pruned() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("less.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {app: shop}}\ndata: {mode: test}\n");
    let before =
        ["cm settings", "secret keys", "deploy web", "svc web"].map(|what| meant(scene.get(what).unwrap()));
    let out = scene.agent("kubectl -n NS apply --prune -l app=shop -f less.yaml");
    if out.stderr.contains("no matches for kind") {
        eprintln!("skipped: this kubectl prunes kinds that a server of 1.20 does not know");
        return;
    }
    out.ok();
    assert!(!scene.has("deploy web"), "it was pruned");
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    let after =
        ["cm settings", "secret keys", "deploy web", "svc web"].map(|what| meant(scene.get(what).unwrap()));
    assert_eq!(after, before);
}
