//! Services. A new one asks for its old address and ports; where another has taken them, it gets others.

use serde_json::Value;

use super::{Kind, Object};
use crate::systems::kubernetes::object::Key;

pub struct Service;

impl Service {
    /// Takes out addresses that the cluster gives; `None` says "no address" and stays.
    pub fn without_addresses(object: &mut Object) {
        if object.text("/spec/clusterIP") != "None" {
            object.remove("/spec", &["clusterIP", "clusterIPs"]);
        }
    }
    /// Takes out ports that the cluster gives.
    pub fn without_node_ports(object: &mut Object) {
        object.remove("/spec", &["healthCheckNodePort"]);
        let ports = object.value.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            port.remove("nodePort");
        }
    }
}

impl Kind for Service {
    fn is(&self, key: &Key) -> bool {
        key.is("", "Service")
    }
    fn loosen(&self, object: &mut Object) {
        Service::without_addresses(object);
        Service::without_node_ports(object);
    }
    fn lost(&self, object: &Object) -> Vec<String> {
        let outside = object.value.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
        let given =
            object.text("/spec/type") == "LoadBalancer" && outside.is_some_and(|list| !list.is_empty());
        if given {
            vec![format!("the outside address of {}: the provider gives a new one", object.key.short())]
        } else {
            Vec::new()
        }
    }
}
