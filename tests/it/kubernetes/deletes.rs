//! What was deleted comes back as it was meant, under new identities, and its controllers do the rest.

use super::SHOP;
use super::cluster::{Scene, meant};

#[test]
fn a_deleted_deployment_is_back_with_its_replicas() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    let before = scene.get("deploy web").unwrap();
    scene.agent("kubectl delete deploy web -n NS").ok();
    scene.until("it is gone", || !scene.has("deploy web") && scene.names("pods").is_empty());
    let event = scene.event();
    assert_eq!(event["class"], "destroy", "{event:#}");
    // The context that is current, not one that is assumed.
    assert_eq!(event["effects"][0]["resource"], format!("k8s:fr/{}/deployment/web", scene.ns));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let after = scene.get("deploy web").unwrap();
    assert_eq!(meant(after.clone()), meant(before.clone()));
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
    scene.until("its pods are back", || scene.names("pods").len() == 3);
    assert_eq!(scene.names("rs").len(), 1, "owned objects are left to their controllers");
}

#[test]
fn a_delete_by_label_takes_several_kinds_and_all_come_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n");
    let kinds = ["cm settings", "secret keys", "deploy web", "svc web"];
    let before: Vec<_> = kinds.iter().map(|what| meant(scene.get(what).unwrap())).collect();
    let ip = scene.get("svc web").unwrap()["spec"]["clusterIP"].clone();
    scene.agent("kubectl -n NS delete cm,secret,deploy,svc -l app=shop").ok();
    assert!(kinds.iter().all(|what| !scene.has(what)) && scene.has("cm other"));
    scene.undo().ok();
    let after: Vec<_> = kinds.iter().map(|what| meant(scene.get(what).unwrap())).collect();
    assert_eq!(after, before);
    assert_eq!(scene.get("svc web").unwrap()["spec"]["clusterIP"], ip, "the address was free");
}

#[test]
fn a_delete_by_file_and_from_a_here_document() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("shop.yaml", SHOP);
    let before = meant(scene.get("cm settings").unwrap());
    scene.agent("kubectl delete -n NS -f shop.yaml").ok();
    assert!(!scene.has("cm settings"));
    scene.undo().ok();
    assert_eq!(meant(scene.get("cm settings").unwrap()), before);
    scene
        .agent(
            "kubectl delete -n NS -f - <<'X'\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\nX",
        )
        .ok();
    assert!(!scene.has("cm settings"));
    scene.undo().ok();
    assert_eq!(meant(scene.get("cm settings").unwrap()), before);
}

#[test]
fn a_redo_deletes_again_only_what_the_undo_made() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm settings").ok();
    scene.undo().ok();
    assert!(scene.has("cm settings"));
    scene.env.fr(&["redo", "--yes"]).ok();
    assert!(!scene.has("cm settings") && scene.has("secret keys"));
}

#[test]
fn no_secret_is_printed_or_journaled_in_clear() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete secret keys").ok();
    let id = scene.event()["id"].to_string();
    // Base64 of k8s-secret-in-object, as the server gives it.
    let hidden = ["k8s-secret-in-object", "azhzLXNlY3JldC1pbi1vYmplY3Q"];
    for args in
        [vec!["show", &id], vec!["show", &id, "--json"], vec!["diff", &id], vec!["undo", &id, "--dry-run"]]
    {
        let out = scene.env.fr(&args);
        assert!(hidden.iter().all(|text| !format!("{out:?}").contains(text)), "{args:?} {out:?}");
    }
    let journal = scene.env.sh("cat $FR_HOME/journal/* | strings").stdout;
    assert!(hidden.iter().all(|text| !journal.contains(text)));
    scene.undo().ok();
    assert_eq!(scene.get("secret keys").unwrap()["data"]["token"], "azhzLXNlY3JldC1pbi1vYmplY3Q=");
}
