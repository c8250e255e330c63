//! What goes with the targets, and what of it cannot come back.

use super::SHOP;
use super::cluster::Scene;

#[test]
fn a_volume_with_policy_delete_is_gone_with_its_data_and_that_is_said() {
    let Some(scene) = Scene::new() else { return };
    let dir = format!("/tmp/fr-pv-{}-{}", std::process::id(), scene.ns);
    std::fs::create_dir(&dir).unwrap();
    scene.apply(&format!(
        "{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: pv-del-NS, annotations: {{pv.kubernetes.io/provisioned-by: kubernetes.io/host-path}}}},\n\
         spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Delete, storageClassName: del-NS, hostPath: {{path: {dir}}}}}}}\n\
         ---\n{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: data}},\n\
         spec: {{accessModes: [ReadWriteOnce], storageClassName: del-NS, resources: {{requests: {{storage: 1Gi}}}}}}}}\n"
    ));
    scene.until("the claim is bound", || scene.get("pvc data").unwrap()["status"]["phase"] == "Bound");
    scene.agent("kubectl -n NS delete pvc data").ok();
    scene.until("the volume went with it", || !scene.has("pv pv-del-NS"));
    assert!(!std::path::Path::new(&dir).exists(), "the controller has removed the data");
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stdout.contains("the data of persistentvolumeclaim/data"), "{out:?}");
    let claim = scene.get("pvc data").unwrap();
    assert!(
        claim["spec"]["volumeName"].is_null(),
        "a claim that names a dead volume is lost for ever: {claim:#}"
    );
}

#[test]
fn pods_without_a_controller_that_a_drain_evicts_come_back_without_their_data() {
    let Some(scene) = Scene::new() else { return };
    let node = format!("node-{}", scene.ns);
    scene.apply("{apiVersion: v1, kind: Node, metadata: {name: node-NS}}");
    scene.apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: lone, labels: {a: b}}, spec: {nodeName: node-NS, tolerations: [{operator: Exists}],\n\
         containers: [{name: c, image: \"c:1\"}], volumes: [{name: scratch, emptyDir: {}}]}}",
    );
    scene.agent("kubectl drain node-NS --force --ignore-daemonsets --delete-emptydir-data --delete-local-data --grace-period=0 --timeout=20s");
    if scene.has("pod lone") {
        // Newer kubectls know only one of the two words for the same option.
        scene.agent("kubectl drain node-NS --force --ignore-daemonsets --delete-emptydir-data --grace-period=0 --timeout=20s").ok();
    }
    scene.until("it is evicted", || !scene.has("pod lone"));
    assert_eq!(scene.get(&format!("node {node}")).unwrap()["spec"]["unschedulable"], true);
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stdout.contains("emptyDir (scratch)"), "{out:?}");
    assert!(scene.get(&format!("node {node}")).unwrap()["spec"]["unschedulable"].is_null());
    assert_eq!(scene.get("pod lone").unwrap()["metadata"]["labels"]["a"], "b");
    scene.kubectl("delete node node-NS").ok();
}

#[test]
fn a_token_that_something_refers_to_by_name_is_named() {
    let Some(scene) = Scene::new() else { return };
    scene.kubectl("-n NS create sa robot").ok();
    let token = || {
        let names = scene.names("secrets");
        names.iter().find_map(|name| {
            name.strip_prefix("secret/").filter(|n| n.starts_with("robot-token-")).map(str::to_owned)
        })
    };
    scene.until("the account has a token", || token().is_some());
    let name = token().unwrap();
    scene.apply(&SHOP.replace(
        "env: [{name: MODE, value: live}]",
        &format!("env: [{{name: T, valueFrom: {{secretKeyRef: {{name: {name}, key: token}}}}}}]"),
    ));
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.undo();
    assert_eq!(out.code, 3, "{out:?}");
    assert!(out.stdout.contains(&name) && out.stdout.contains("deployment/web refers to it"), "{out:?}");
}

#[test]
fn what_a_custom_resource_owns_comes_back_with_it() {
    let Some(scene) = Scene::new() else { return };
    scene.until("the new kind is served", || scene.kubectl("get fleets.fr.fleet").code == 0);
    scene.apply("{apiVersion: fr.fleet/v1, kind: Fleet, metadata: {name: one}, spec: {a: 1}}");
    let uid = scene.get("fleets.fr.fleet one").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    scene.apply(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: owned, ownerReferences: [{{apiVersion: fr.fleet/v1, kind: Fleet, name: one, uid: {uid}}}]}}, data: {{a: b}}}}"
    ));
    scene.agent("kubectl delete fleets.fr.fleet one").ok();
    scene.until("the garbage collector was here", || !scene.has("cm owned"));
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let owner = scene.get("fleets.fr.fleet one").unwrap()["metadata"]["uid"].clone();
    assert_ne!(owner, uid.as_str());
    assert_eq!(scene.get("cm owned").unwrap()["metadata"]["ownerReferences"][0]["uid"], owner);
}

#[test]
fn labels_of_pods_that_a_controller_owns_are_given_back() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(SHOP);
    scene.until("its pods are there", || scene.names("pods").len() == 3);
    scene.agent("kubectl -n NS annotate pods --all note=x").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    let pods = scene.kubectl("-n NS get pods -o json").ok().json();
    let notes = |pod: &serde_json::Value| pod["metadata"]["annotations"]["note"].clone();
    assert!(pods["items"].as_array().unwrap().iter().all(|pod| notes(pod).is_null()), "{pods:#}");
}
