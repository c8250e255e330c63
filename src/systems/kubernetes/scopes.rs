//! Scopes of a resource quota: which pods it counts (the server's `pkg/quota/v1/evaluator/core/pods.go`). A quota with
//! scopes counts pods only.

use serde_json::Value;

use super::quantity::Quantity;

/// What a pod must be like to be counted: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Terminating(bool),
    BestEffort(bool),
    CrossNamespaceAffinity,
    Class(Class),
}

/// A condition on the name of a pod's priority class.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Scopes {
    /// Those of a quota; `None` where one of them is not known here.
    pub fn of(quota: &Value) -> Option<Scopes> {
        let list = |at: &str| quota.pointer(at).and_then(Value::as_array).into_iter().flatten();
        let plain = list("/spec/scopes").map(|name| Scope::of(name.as_str()?, "Exists", Vec::new()));
        let chosen = list("/spec/scopeSelector/matchExpressions").map(|one| {
            let text = |name: &str| one.get(name).and_then(Value::as_str);
            let values = one.get("values").and_then(Value::as_array).into_iter().flatten();
            let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
            Scope::of(text("scopeName")?, text("operator")?, values)
        });
        plain.chain(chosen).collect::<Option<Vec<Scope>>>().map(Scopes)
    }

    /// True where the quota counts an object of this collection.
    pub fn count(&self, path: &str, object: &Value) -> bool {
        self.0.is_empty() || (path.ends_with("/pods") && self.0.iter().all(|scope| scope.holds(object)))
    }
}

impl Scope {
    fn of(name: &str, operator: &str, values: Vec<String>) -> Option<Scope> {
        match (name, operator) {
            ("Terminating", "Exists") => Some(Scope::Terminating(true)),
            ("NotTerminating", "Exists") => Some(Scope::Terminating(false)),
            ("BestEffort", "Exists") => Some(Scope::BestEffort(true)),
            ("NotBestEffort", "Exists") => Some(Scope::BestEffort(false)),
            ("CrossNamespacePodAffinity", "Exists") => Some(Scope::CrossNamespaceAffinity),
            ("PriorityClass", "Exists") => Some(Scope::Class(Class::Exists)),
            ("PriorityClass", "DoesNotExist") => Some(Scope::Class(Class::Absent)),
            ("PriorityClass", "In") => Some(Scope::Class(Class::In(values))),
            ("PriorityClass", "NotIn") => Some(Scope::Class(Class::NotIn(values))),
            _ => None,
        }
    }

    fn holds(&self, pod: &Value) -> bool {
        match self {
            Scope::Terminating(is) => {
                let deadline = pod.pointer("/spec/activeDeadlineSeconds").and_then(Value::as_i64);
                deadline.is_some_and(|seconds| seconds >= 0) == *is
            }
            Scope::BestEffort(is) => is_best_effort(pod) == *is,
            Scope::CrossNamespaceAffinity => looks_into_other_namespaces(pod),
            Scope::Class(class) => {
                let name = pod.pointer("/spec/priorityClassName").and_then(Value::as_str);
                class.holds(name.filter(|name| !name.is_empty()))
            }
        }
    }
}

impl Class {
    fn holds(&self, name: Option<&str>) -> bool {
        let among = |names: &[String]| name.is_some_and(|name| names.iter().any(|one| one == name));
        match self {
            Class::Exists => name.is_some(),
            Class::Absent => name.is_none(),
            Class::In(names) => among(names),
            Class::NotIn(names) => !among(names),
        }
    }
}

/// No container asks for a processor or memory, nor has a limit of them (`GetPodQOS`).
fn is_best_effort(pod: &Value) -> bool {
    let list = |at: &str| pod.pointer(at).and_then(Value::as_array).into_iter().flatten();
    let mut parts = list("/spec/containers").chain(list("/spec/initContainers")).chain(pod.get("spec"));
    !parts.any(|part| {
        let amounts = ["requests", "limits"].map(|kind| part.pointer(&format!("/resources/{kind}")));
        amounts.into_iter().flatten().any(|amounts| {
            let of = |name: &str| Quantity::parse(amounts.get(name)?.as_str()?);
            [of("cpu"), of("memory")].into_iter().flatten().any(|amount| amount > Quantity::default())
        })
    })
}

/// An affinity to pods, or against them, that names namespaces.
fn looks_into_other_namespaces(pod: &Value) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let list = |name: &str| {
            let at = format!("/spec/affinity/{kind}/{name}DuringSchedulingIgnoredDuringExecution");
            pod.pointer(&at).and_then(Value::as_array).into_iter().flatten()
        };
        let preferred = list("preferred").filter_map(|one| one.get("podAffinityTerm"));
        list("required").chain(preferred).any(|term| {
            let named =
                term.get("namespaces").and_then(Value::as_array).is_some_and(|names| !names.is_empty());
            named || term.get("namespaceSelector").is_some_and(|selector| !selector.is_null())
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PODS: &str = "/api/v1/namespaces/x/pods";

    #[track_caller]
    fn counts(spec: Value, pod: Value) -> bool {
        Scopes::of(&json!({"spec": spec})).unwrap().count(PODS, &json!({"spec": pod}))
    }

    #[test]
    fn pods_are_counted_by_what_they_are() {
        let of = |name: &str| json!({"scopes": [name]});
        let asks = json!({"containers": [{}, {"resources": {"requests": {"cpu": "1m"}}}]});
        let none =
            json!({"containers": [{"resources": {"limits": {"memory": "0", "ephemeral-storage": "1Gi"}}}]});
        let first =
            json!({"containers": [{}], "initContainers": [{"resources": {"limits": {"memory": "1Mi"}}}]});
        for (pod, best) in [(asks, false), (none, true), (first, false)] {
            assert_eq!(counts(of("BestEffort"), pod.clone()), best, "{pod}");
            assert_eq!(counts(of("NotBestEffort"), pod.clone()), !best, "{pod}");
        }
        for (pod, ends) in [(json!({"activeDeadlineSeconds": 9}), true), (json!({}), false)] {
            assert_eq!(counts(of("Terminating"), pod.clone()), ends);
            assert_eq!(counts(of("NotTerminating"), pod), !ends);
        }
        let term = json!({"namespaceSelector": {}, "topologyKey": "x"});
        let near = |term: Value| json!({"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term}]}}});
        assert!(counts(of("CrossNamespacePodAffinity"), near(term)));
        assert!(!counts(of("CrossNamespacePodAffinity"), near(json!({"topologyKey": "x"}))));
    }

    #[test]
    fn a_priority_class_is_compared_by_name() {
        let by = |operator: &str, values: Value| json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": operator, "values": values}]}});
        for (operator, values, high, no) in [
            ("In", json!(["high"]), true, false),
            ("In", json!(["low"]), false, false),
            ("NotIn", json!(["high"]), false, true),
            ("Exists", Value::Null, true, false),
            ("DoesNotExist", Value::Null, false, true),
        ] {
            let pod = json!({"priorityClassName": "high"});
            assert_eq!(counts(by(operator, values.clone()), pod), high, "{operator} {values}");
            assert_eq!(counts(by(operator, values.clone()), json!({})), no, "{operator} {values}");
        }
        let both =
            json!({"scopes": ["Terminating"], "scopeSelector": by("In", json!(["high"]))["scopeSelector"]});
        assert!(!counts(both.clone(), json!({"priorityClassName": "high"})), "all of them must hold");
        assert!(counts(both, json!({"priorityClassName": "high", "activeDeadlineSeconds": 1})));
    }

    #[test]
    fn other_kinds_are_not_counted_and_other_scopes_not_guessed_at() {
        let scoped = Scopes::of(&json!({"spec": {"scopes": ["BestEffort"]}})).unwrap();
        assert!(!scoped.count("/api/v1/namespaces/x/secrets", &json!({})));
        assert!(Scopes::default().count("/api/v1/namespaces/x/secrets", &json!({})));
        assert_eq!(Scopes::of(&json!({"spec": {"scopes": ["VolumeAttributesClass"]}})), None);
        let odd = json!({"spec": {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass"}]}}});
        assert_eq!(Scopes::of(&odd), None);
    }
}
