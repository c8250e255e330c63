//! Old objects in another namespace, beside the present.

use serde_json::json;

use super::SHOP;
use super::cluster::{Scene, meant};

const BINDING: &str = "---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: robot, namespace: NS}]}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: hosts}, data: {db: db.NS.svc.cluster.local}}
";

#[test]
fn a_deleted_namespace_is_made_anew_under_another_name() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.apply(BINDING);
    scene.kubectl("label namespace NS team=a").ok();
    scene.kubectl("create clusterrolebinding NS-view --clusterrole=view --serviceaccount=NS:robot").ok();
    let before = meant(scene.get("deploy web").unwrap());
    scene.agent("kubectl delete namespace NS").ok();
    let id = scene.event()["id"].to_string();
    let to = format!("namespace:{}-old", scene.ns);
    let out = scene.env.fr(&["restore", &id, "--to", &to]);
    assert_eq!(out.code, 0, "{out:?}");
    assert!(
        out.stdout.contains(&format!("clusterrolebinding/{}-view", scene.ns)),
        "left alone and named: {out:?}"
    );
    assert!(out.stdout.contains("configmap/hosts data.db"), "what still names the old namespace: {out:?}");
    assert!(!scene.has("namespace NS"), "the present is not touched");
    let there = |what: &str| scene.kubectl(&format!("-n NS-old get {what} -o json")).ok().json();
    let made = meant(there("deploy web"));
    assert_eq!(made["spec"], before["spec"]);
    assert_eq!(there("rolebinding reader")["subjects"][0]["namespace"], format!("{}-old", scene.ns));
    assert_eq!(there("secret keys")["data"], json!({"token": "azhzLXNlY3JldC1pbi1vYmplY3Q="}));
    assert_eq!(there("namespace NS-old")["metadata"]["labels"]["team"], "a");
    // Once more is harmless; over somebody's object nothing is written.
    scene.env.fr(&["restore", &id, "--to", &to]).ok();
    scene.kubectl("-n NS-old patch cm settings --type merge -p '{\"data\":{\"mode\":\"mine\"}}'").ok();
    let out = scene.env.fr(&["restore", &id, "--to", &to]);
    assert_eq!(out.code, 3, "{out:?}");
    assert_eq!(there("cm settings")["data"]["mode"], "mine");
    scene.undo().ok();
    assert!(scene.has("deploy web"));
    scene.kubectl("delete namespace NS-old --wait=false").ok();
    scene.kubectl("delete clusterrolebinding NS-view").ok();
}

#[test]
fn a_place_that_cannot_be_is_refused_in_one_line() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.agent("kubectl -n NS delete cm settings").ok();
    for to in ["namespace:Not_A_Name", &format!("namespace:{}", scene.ns)] {
        let out = scene.env.fr(&["restore", "1", "--to", to]);
        assert!(out.code != 0 && out.stderr.contains("error:") && !scene.has("cm settings"), "{out:?}");
    }
}
