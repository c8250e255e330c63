//! The founding incident: a namespace that others shared, with sixty objects of twenty kinds.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use super::cluster::{Scene, meant};

/// Kinds whose objects make or change others are in it, and those that lean on cluster-wide ones.
const KINDS: &str = "cm secret sa role rolebinding deploy sts ds job cronjob svc ingress networkpolicy pdb hpa \
                     limitrange resourcequota pvc endpoints widgets.fr.example lease";

fn world(ns: &str) -> String {
    let mut text = format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.fr.example}}
spec:
  group: fr.example
  scope: Namespaced
  names: {{plural: widgets, singular: widget, kind: Widget}}
  versions:
  - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: pv-{ns}}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: none-{ns}
  hostPath: {{path: /tmp/none}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], storageClassName: none-{ns}, resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template: {{metadata: {{labels: {{app: db}}}}, spec: {{containers: [{{name: db, image: \"db:1\"}}]}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: agent}}
spec:
  selector: {{matchLabels: {{app: agent}}}}
  template: {{metadata: {{labels: {{app: agent}}}}, spec: {{containers: [{{name: a, image: \"a:1\"}}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: j, image: \"j:1\"}}]}}}}}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {{name: nightly}}
spec: {{schedule: \"0 3 * * *\", jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: j, image: \"j:1\"}}]}}}}}}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: front}}
spec: {{rules: [{{host: shop.example, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: 80}}}}}}}}]}}}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: only}}
spec: {{podSelector: {{}}, policyTypes: [Ingress]}}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {{name: some}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: shop}}}}}}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, minReplicas: 1, maxReplicas: 5}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: limits}}
spec: {{limits: [{{type: Container, default: {{cpu: 100m}}}}]}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {{name: quota}}
spec: {{hard: {{pods: \"100\"}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: robot}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: reader}}
rules: [{{apiGroups: [\"\"], resources: [pods], verbs: [get]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: reader}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}}
subjects: [{{kind: ServiceAccount, name: robot, namespace: {ns}}}]
---
apiVersion: v1
kind: Service
metadata: {{name: outside}}
spec: {{ports: [{{port: 5432}}]}}
---
apiVersion: v1
kind: Endpoints
metadata: {{name: outside}}
subsets: [{{addresses: [{{ip: 10.1.2.3}}], ports: [{{port: 5432}}]}}]
"
    );
    for n in 0..19 {
        text += &format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{n}}}, data: {{n: \"{n}\", \"yes\": \"on\"}}}}\n\
             ---\n{{apiVersion: v1, kind: Secret, metadata: {{name: s{n}}}, stringData: {{n: \"{n}\"}}}}\n"
        );
    }
    text
}

fn widgets() -> String {
    (0..3).map(|n| format!("---\n{{apiVersion: fr.example/v1, kind: Widget, metadata: {{name: w{n}}}, spec: {{n: {n}}}}}\n")).collect()
}

/// What people meant to be there: without what controllers make.
fn all(scene: &Scene) -> BTreeMap<String, Value> {
    let kinds = KINDS.split_whitespace().collect::<Vec<_>>().join(",");
    let listed = scene.kubectl(&format!("-n NS get {kinds} -o json")).ok().json();
    let mut found = BTreeMap::new();
    for object in listed["items"].as_array().unwrap() {
        let made = !object["metadata"]["ownerReferences"].is_null()
            || object["type"] == "kubernetes.io/service-account-token"
            || object["metadata"]["name"] == "default"
            || object["metadata"]["name"] == "kube-root-ca.crt"
            || object["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"]
                .is_string();
        if made {
            continue;
        }
        let name =
            format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let mut object = meant(object.clone());
        // Set by controllers on objects of their own making as well.
        if object["kind"] == "Job" {
            object["spec"]["selector"].take();
            object["spec"]["template"]["metadata"].take();
        }
        // Written when the claim is bound to a volume that it did not name: it names it now.
        if object["kind"] == "PersistentVolumeClaim" {
            object["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"].take();
        }
        if object["kind"] == "ServiceAccount" {
            object["secrets"].take();
        }
        found.insert(name, object);
    }
    found
}

#[test]
fn a_namespace_that_others_shared_is_back_with_all_that_was_in_it() {
    let Some(scene) = Scene::new() else { return };
    scene.apply(super::SHOP);
    scene.apply(&world(&scene.ns));
    scene.until("the new kind is served", || scene.kubectl("-n NS get widgets.fr.example").code == 0);
    scene.apply(&widgets());
    scene.until("the claim is bound", || scene.get("pvc data").unwrap()["status"]["phase"] == "Bound");
    scene.kubectl("create clusterrolebinding NS-view --clusterrole=view --serviceaccount=NS:robot").ok();
    let before = all(&scene);
    assert!(before.len() >= 60, "{:?}", before.keys());
    scene.agent("kubectl delete namespace NS").ok();
    assert!(!scene.has("namespace NS"));
    let begun = Instant::now();
    let out = scene.undo();
    eprintln!("undone in {:?}", begun.elapsed());
    // The job had begun; new tokens are no more than a note, since nothing refers to them by name.
    assert_eq!(out.code, 3, "{out:?}");
    assert_eq!(out.stdout.matches("    not restored: ").count(), 2, "at the plan and at the end: {out:?}");
    assert!(out.stdout.contains("not restored: the progress of job/once"), "{out:?}");
    scene.until("the claim is bound to its volume again", || {
        let claim = scene.get("pvc data").unwrap();
        claim["status"]["phase"] == "Bound" && claim["spec"]["volumeName"] == format!("pv-{}", scene.ns)
    });
    let after = all(&scene);
    let gone: Vec<_> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    assert!(gone.is_empty(), "{gone:?} {out:?}");
    for (name, object) in &before {
        assert_eq!(&after[name], object, "{name}");
    }
    scene.kubectl("delete pv pv-NS --wait=false").ok();
    scene.kubectl("delete clusterrolebinding NS-view").ok();
}
