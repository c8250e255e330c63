//! One line with several commands on the same objects: taken back as one, and brought about again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::SHOP;
use super::cluster::{Scene, meant};

const KINDS: &str = "cm,secret,deploy,svc";

/// What people meant to be in a namespace.
fn all(scene: &Scene, space: &str) -> BTreeMap<String, Value> {
    let list = scene.kubectl(&format!("-n {space} get {KINDS} -o json")).ok().json();
    let mut found = BTreeMap::new();
    for object in list["items"].as_array().unwrap() {
        let name = format!("{}/{}", object["kind"], object["metadata"]["name"]);
        let by_itself = object["type"] == "kubernetes.io/service-account-token"
            || object["metadata"]["name"] == "kube-root-ca.crt";
        if !by_itself {
            found.insert(name, meant(object.clone()));
        }
    }
    found
}

#[track_caller]
fn same(now: &BTreeMap<String, Value>, then: &BTreeMap<String, Value>, what: &str) {
    assert_eq!(now.keys().collect::<Vec<_>>(), then.keys().collect::<Vec<_>>(), "{what}");
    for (name, object) in then {
        // An address is the cluster's to give.
        let plain = |mut object: Value| {
            for field in ["clusterIP", "clusterIPs"] {
                object["spec"].as_object_mut().map(|spec| spec.remove(field));
            }
            object
        };
        assert_eq!(plain(now[name].clone()), plain(object.clone()), "{what}: {name}");
    }
}

#[test]
fn a_line_of_several_commands_is_taken_back_and_brought_about_again() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.env.write("a.yaml", SHOP);
    scene.env.write(
        "b.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {app: shop}}\ndata: {mode: new}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\ndata: {a: b}\n",
    );
    for line in [
        "kubectl -n NS scale deploy web --replicas=0 && kubectl -n NS delete deploy web",
        "kubectl -n NS delete cm settings; kubectl -n NS create cm settings --from-literal=by=agent",
        "kubectl -n NS delete -f a.yaml && kubectl -n NS apply -f b.yaml",
        "kubectl -n NS set image deploy/web web=shop:9 && kubectl -n NS scale deploy/web --replicas=1 && kubectl -n NS label deploy web tier=x",
        "kubectl -n NS create cm made --from-literal=a=b && kubectl -n NS label cm made x=y && kubectl -n NS delete cm settings",
        "kubectl -n NS label cm settings tier=x && kubectl -n NS delete cm -l tier=x",
    ] {
        let before = all(&scene, "NS");
        scene.agent(line).ok();
        scene.until("deployments that go are gone", || {
            let list = scene.kubectl("-n NS get deploy,rs,pods -o json").ok().json();
            list["items"].as_array().unwrap().iter().all(|o| o["metadata"]["deletionTimestamp"].is_null())
        });
        let left = all(&scene, "NS");
        assert_ne!(left, before, "{line}");
        let out = scene.undo();
        assert_eq!(out.code, 0, "{line}: {out:?}");
        same(&all(&scene, "NS"), &before, line);
        let out = scene.env.fr(&["redo", "--yes"]);
        assert!([0, 3].contains(&out.code), "{line}: {out:?}");
        same(&all(&scene, "NS"), &left, &format!("redo of {line}: {out:?}"));
        let out = scene.env.fr(&["undo", "--yes"]);
        assert!([0, 3].contains(&out.code), "{line}: {out:?}");
        same(&all(&scene, "NS"), &before, &format!("undo of the redo of {line}: {out:?}"));
    }
}

/// The founding incident, as a script that somebody wrote for test environments.
#[test]
fn a_loop_over_namespaces_is_taken_back() {
    let Some(mut scene) = Scene::new() else { return };
    let path = format!("{}:{}", scene.env.fr_home.join("shims").display(), scene.env.path());
    scene.env.vars.push(("PATH".into(), path));
    scene.env.fr(&["shims", "enable"]).ok();
    let spaces = ["NS-a", "NS-b"].map(|name| name.replace("NS", &scene.ns));
    for space in &spaces {
        scene.kubectl(&format!("create namespace {space}")).ok();
        scene.kubectl(&format!("label namespace {space} env=test-{}", scene.ns)).ok();
        scene.kubectl(&format!("-n {space} create cm settings --from-literal=a={space}")).ok();
        scene.kubectl(&format!("-n {space} create deploy web --image=web:1")).ok();
    }
    let script = format!(
        "#!/bin/bash\nfor ns in $(kubectl get ns -l env=test-{} -o name); do kubectl delete \"$ns\"; done\n",
        scene.ns
    );
    scene.env.write("cleanup.sh", script);
    let before = spaces.each_ref().map(|space| all(&scene, space));
    scene.agent("bash cleanup.sh").ok();
    assert!(spaces.iter().all(|space| !scene.has(&format!("namespace {space}"))));
    let out = scene.env.fr(&["undo", "--session", "--yes"]);
    assert_eq!(out.code, 0, "{out:?}");
    for (space, before) in spaces.iter().zip(&before) {
        same(&all(&scene, space), before, &format!("{space}: {out:?}"));
        scene.kubectl(&format!("delete namespace {space} --wait=false")).ok();
    }
}
