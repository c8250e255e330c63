//! Kubernetes: a real API server with its controllers, the real kubectl, and what an agent does with them.

mod changes;
mod chosen;
pub mod cluster;
mod combined;
mod conflicts;
mod deletes;
mod drill;
mod elsewhere;
mod failures;
mod helm;
mod lines;
mod listed;
mod losses;
mod namespace;
mod quotas;
mod reads;
mod refused;
mod rivals;
mod together;
mod ways;

/// A Deployment, its Service and its configuration.
const SHOP: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: shop}, annotations: {owner: team-a}}
data: {mode: live, \"y\": \"no\", text: \"two\\nlines\"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, labels: {app: shop}}
stringData: {token: k8s-secret-in-object}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: shop}}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - {name: web, image: \"shop:1\", env: [{name: MODE, value: live}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: shop}}
spec: {selector: {app: shop}, ports: [{port: 80}]}
";
