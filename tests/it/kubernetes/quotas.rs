//! Quotas: what comes back one by one and not together, whatever they count; and a quota that comes back itself.

use serde_json::json;

use super::SHOP;
use super::cluster::Scene;

/// Makes a quota and waits until it counts.
#[track_caller]
fn quota(scene: &Scene, hard: &str) {
    scene.kubectl("-n NS delete quota few --ignore-not-found").ok();
    scene.kubectl(&format!("-n NS create quota few --hard={hard}")).ok();
    let word = hard.split_once('=').unwrap().0.replace("NS", &scene.ns);
    scene.until("the quota counts", || !scene.get("quota few").unwrap()["status"]["used"][&word].is_null());
}

/// The refused undo of three objects of which two fit: nothing is written, and the quota's own word is told.
#[track_caller]
fn refused(scene: &Scene, said: &str) {
    let out = scene.undo();
    assert_eq!(out.code, 4, "{out:?}");
    let said = said.replace("NS", &scene.ns);
    assert!(format!("{out:?}").contains(&said), "{said}: {out:?}");
}

#[test]
fn the_storage_of_claims_is_added_up() {
    let Some(scene) = Scene::new() else { return };
    let claim = |name: &str, size: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}}}, spec: {{accessModes: [ReadWriteOnce],\n\
             storageClassName: fast-NS, resources: {{requests: {{storage: {size}}}}}}}}}\n"
        )
    };
    let all = ["pvc a", "pvc b", "pvc c"];
    scene.apply(&(claim("a", "1Gi") + &claim("b", "1024Mi") + &claim("c", "1.5Gi")));
    let gone = || all.iter().all(|what| !scene.has(what));
    scene.agent("kubectl -n NS delete pvc a b c").ok();
    scene.until("they are gone", gone);
    quota(&scene, "requests.storage=3Gi");
    refused(&scene, "few has room for 3Gi of the 3584Mi to be made (requests.storage, hard 3Gi)");
    assert!(gone(), "nothing was written");
    let class = "fast-NS.storageclass.storage.k8s.io/requests.storage";
    quota(&scene, &format!("{class}=2Gi"));
    refused(&scene, &format!("few has room for 2Gi of the 3584Mi to be made ({class}, hard 2Gi)"));
    let class = "fast-NS.storageclass.storage.k8s.io/persistentvolumeclaims";
    quota(&scene, &format!("{class}=1"));
    refused(&scene, &format!("few has room for 1 of the 3 to be made ({class}, hard 1)"));
    quota(&scene, "persistentvolumeclaims=2,requests.storage=20Gi");
    refused(&scene, "few has room for 2 of the 3 to be made (persistentvolumeclaims, hard 2)");
    assert!(gone(), "nothing was written");
    let out = scene.undo_by(&["--on-conflict", "skip"]);
    assert_eq!(out.code, 3, "{out:?}");
    assert!(scene.has("pvc a") && scene.has("pvc b") && !scene.has("pvc c"), "as many as fit: {out:?}");
    quota(&scene, "persistentvolumeclaims=3,requests.storage=3584Mi");
    let out = scene.undo();
    assert!(out.code == 0 && scene.has("pvc c"), "all of it fits exactly: {out:?}");
    assert_eq!(scene.get("pvc c").unwrap()["spec"]["resources"]["requests"]["storage"], "1536Mi");
}

#[test]
fn the_processors_of_pods_and_the_ports_of_services_are_added_up() {
    let Some(scene) = Scene::new() else { return };
    for name in ["a", "b"] {
        scene.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: c, image: \"c:1\", resources: {{requests: {{cpu: 500m}}}}}}]}}}}\n\
             ---\n{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{type: NodePort, ports: [{{port: 80}}]}}}}\n"
        ));
    }
    scene.agent("kubectl -n NS delete pod a b --now").ok();
    scene.until("they are gone", || !scene.has("pod a") && !scene.has("pod b"));
    quota(&scene, "requests.cpu=900m");
    refused(&scene, "few has room for 900m of the 1 to be made (requests.cpu, hard 900m)");
    quota(&scene, "pods=2,requests.cpu=1");
    assert_eq!(scene.undo().code, 0);
    scene.agent("kubectl -n NS delete svc a b").ok();
    quota(&scene, "services.nodeports=1");
    refused(&scene, "few has room for 1 of the 2 to be made (services.nodeports, hard 1)");
    assert!(!scene.has("svc a") && !scene.has("svc b"));
}

/// A quota with scopes counts some pods only: those are added up, and the others come back beside them.
#[test]
fn of_a_quota_with_scopes_only_the_pods_in_them_are_added_up() {
    let Some(scene) = Scene::new() else { return };
    scene.kubectl("create priorityclass high-NS --value=10").ok();
    let pod = |name: &str, spec: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{spec} containers: [{{name: c, image: \"c:1\"}}]}}}}\n"
        )
    };
    let all = ["pod a", "pod b", "pod plain"];
    let special = "priorityClassName: high-NS, activeDeadlineSeconds: 9999,";
    scene.apply(&(pod("a", special) + &pod("b", special) + &pod("plain", "")));
    scene.agent("kubectl -n NS delete pod a b plain --now").ok();
    let gone = || all.iter().all(|what| !scene.has(what));
    scene.until("they are gone", gone);
    let scoped = |scopes: &str, pods: u32| {
        scene.kubectl("-n NS delete quota few --ignore-not-found").ok();
        scene.apply(&format!(
            "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: few}}, spec: {{hard: {{pods: \"{pods}\"}}, {scopes}}}}}"
        ));
        scene.until("the quota counts", || {
            !scene.get("quota few").unwrap()["status"]["used"]["pods"].is_null()
        });
    };
    let class =
        "scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high-NS]}]}";
    scoped(class, 1);
    refused(&scene, "few has room for 1 of the 2 to be made (pods, hard 1)");
    scoped("scopes: [Terminating]", 1);
    refused(&scene, "few has room for 1 of the 2 to be made (pods, hard 1)");
    scoped("scopes: [BestEffort]", 2);
    refused(&scene, "few has room for 2 of the 3 to be made (pods, hard 2)");
    assert!(gone(), "nothing was written");
    // Only one of them is in this one.
    scoped("scopes: [NotTerminating]", 1);
    let out = scene.undo();
    assert!([0, 3].contains(&out.code), "{out:?}");
    assert!(all.iter().all(|what| scene.has(what)), "{out:?}");
    scene.kubectl("delete priorityclass high-NS").ok();
}

/// A quota that the server has not counted yet lets nothing in. It comes back after what it counts.
#[test]
fn a_namespace_comes_back_with_its_own_quota() {
    let Some(scene) = Scene::new() else { return };
    let group = format!("{}.quota.example", scene.ns);
    let kind = format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: gizmos.{group}}}, spec: {{group: {group}, scope: Namespaced,\n\
         names: {{plural: gizmos, singular: gizmo, kind: Gizmo}}, versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]}}}}"
    );
    scene.apply(&kind);
    scene.apply(SHOP);
    scene.until("the new kind is served", || scene.kubectl(&format!("-n NS get gizmos.{group}")).code == 0);
    scene.apply(&format!("{{apiVersion: {group}/v1, kind: Gizmo, metadata: {{name: one}}, spec: {{a: 1}}}}"));
    scene.kubectl("-n NS create deploy zed --image=z:1").ok();
    quota(&scene, &format!("count/deployments.apps=9,configmaps=9,count/gizmos.{group}=9"));
    scene.agent("kubectl delete namespace NS").ok();
    let out = scene.undo();
    assert_eq!(out.code, 0, "{out:?}");
    for what in ["deploy web", "deploy zed", "cm settings", &format!("gizmos.{group} one")] {
        assert!(scene.has(what), "{what}: {out:?}");
    }
    let hard = &scene.get("quota few").unwrap()["spec"]["hard"];
    assert_eq!(hard["count/deployments.apps"], json!("9"));
    scene.kubectl(&format!("delete crd gizmos.{group} --wait=false")).ok();
}
