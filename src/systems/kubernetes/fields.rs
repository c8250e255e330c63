//! Three states of an object, field by field: only what the command changed is given back, and what others have changed
//! since stays. Before, after and now are normal forms ([`super::object::Object::normal`]).

use serde_json::{Map, Value, json};

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// Operations of a JSON Patch (RFC 6902).
    pub patch: Vec<Value>,
    /// The fields that it writes.
    pub written: Vec<String>,
    /// Fields that are neither as before nor as the command left them.
    pub changed_since: Vec<String>,
    /// These are written too.
    pub force: bool,
}

/// What gives the fields that differ between `before` and `after` their old values.
pub fn back(before: &Value, after: &Value, now: &Value) -> Fields {
    let mut out = Fields::default();
    walk(Some(before), Some(after), Some(now), "", &mut out);
    out
}

/// The same, over what others have written into these fields since.
pub fn forced(before: &Value, after: &Value, now: &Value) -> Fields {
    let mut out = Fields { force: true, ..Fields::default() };
    walk(Some(before), Some(after), Some(now), "", &mut out);
    out
}

/// What makes an object that is there what it was, whoever changed it.
pub fn exactly(before: &Value, now: &Value) -> Fields {
    back(before, now, now)
}

fn walk(before: Option<&Value>, after: Option<&Value>, now: Option<&Value>, path: &str, out: &mut Fields) {
    if before == after || now == before {
        return;
    }
    let empty = Value::Object(Map::new());
    let is_map = |value: Option<&Value>| value.is_some_and(Value::is_object);
    // A map that the command made or removed, and into which others have written since.
    if is_map(now) && (is_map(before) || is_map(after)) && now != after {
        let or_empty = |value: Option<&'_ Value>| value.cloned().unwrap_or_else(|| empty.clone());
        let (before, after) = (or_empty(before), or_empty(after));
        if let (Some(b), Some(a), Some(n)) =
            (before.as_object(), after.as_object(), now.and_then(Value::as_object))
        {
            return maps((b, a, n), path, out);
        }
    }
    match (before, after, now) {
        (Some(Value::Object(b)), Some(Value::Object(a)), Some(Value::Object(n))) => {
            maps((b, a, n), path, out)
        }
        (Some(Value::Array(b)), Some(Value::Array(a)), Some(Value::Array(n)))
            if aligned(b, a) && aligned(a, n) =>
        {
            for (at, ((b, a), n)) in b.iter().zip(a).zip(n).enumerate() {
                walk(Some(b), Some(a), Some(n), &format!("{path}/{at}"), out);
            }
        }
        _ if now == after || out.force => {
            out.written.push(path.to_owned());
            out.patch.push(match before {
                Some(value) => json!({"op": "add", "path": path, "value": value}),
                None => json!({"op": "remove", "path": path}),
            });
            // "add" to a place in a list would insert.
            let in_list = path.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
            if let (true, Some(op)) = (in_list && now.is_some(), out.patch.last_mut()) {
                op["op"] = json!(if before.is_some() { "replace" } else { "remove" });
            }
        }
        _ => out.changed_since.push(path.to_owned()),
    }
}

/// The object with these fields written: what the server would make of the patch.
pub fn applied(object: &Value, fields: &Fields) -> Value {
    let mut out = object.clone();
    for op in &fields.patch {
        let text = |name: &str| op.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some((parent, last)) = text("path").rsplit_once('/') else { continue };
        let last = last.replace("~1", "/").replace("~0", "~");
        let value = op.get("value").cloned();
        match (out.pointer_mut(parent), value) {
            (Some(Value::Object(map)), Some(value)) => drop(map.insert(last, value)),
            (Some(Value::Object(map)), None) => drop(map.remove(&last)),
            (Some(Value::Array(list)), value) => {
                let at = last.parse::<usize>().ok().filter(|at| *at < list.len());
                match (at, value) {
                    (Some(at), Some(value)) => list[at] = value,
                    (Some(at), None) => drop(list.remove(at)),
                    (None, _) => {}
                }
            }
            _ => {}
        }
    }
    out
}

type Maps<'v> = (&'v Map<String, Value>, &'v Map<String, Value>, &'v Map<String, Value>);

fn maps((b, a, n): Maps<'_>, path: &str, out: &mut Fields) {
    let mut names: Vec<&String> = b.keys().chain(a.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let below = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        walk(b.get(name), a.get(name), n.get(name), &below, out);
    }
}

/// Lists of the same named things in the same order (containers, ports, volumes) are compared thing by thing.
fn aligned(one: &[Value], other: &[Value]) -> bool {
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| name(a).is_some() && name(a) == name(b))
}

/// Field paths as people write them: `spec.replicas`.
pub fn shown(paths: &[String]) -> String {
    const NAMED: usize = 4;
    let plain =
        |path: &String| path.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~");
    let mut text = paths.iter().take(NAMED).map(plain).collect::<Vec<_>>().join(", ");
    if paths.len() > NAMED {
        text.push_str(&format!(" and {} more", paths.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_changed_since_stays() {
        let before = json!({"spec": {"replicas": 3, "containers": [{"name": "a", "image": "x:1"}]}});
        let after = json!({"spec": {"replicas": 0, "containers": [{"name": "a", "image": "x:1"}]}});
        let now = json!({"spec": {"replicas": 0, "containers": [{"name": "a", "image": "x:2"}]}});
        let fields = back(&before, &after, &now);
        assert_eq!(fields.patch, [json!({"op": "add", "path": "/spec/replicas", "value": 3})]);
        assert!(fields.changed_since.is_empty());
        let moved = json!({"spec": {"replicas": 5, "containers": [{"name": "a", "image": "x:1"}]}});
        assert_eq!(back(&before, &after, &moved).changed_since, ["/spec/replicas"]);
        assert!(back(&before, &after, &before).patch.is_empty());
        assert_eq!(applied(&now, &fields)["spec"]["replicas"], 3);
        assert_eq!(applied(&now, &fields)["spec"]["containers"], now["spec"]["containers"]);
    }

    #[test]
    fn a_map_that_the_command_made_loses_only_its_part() {
        let before = json!({"metadata": {"name": "x"}});
        let after = json!({"metadata": {"name": "x", "labels": {"a/b": "1"}}});
        let now = json!({"metadata": {"name": "x", "labels": {"a/b": "1", "theirs": "2"}}});
        assert_eq!(
            back(&before, &after, &now).patch,
            [json!({"op": "remove", "path": "/metadata/labels/a~1b"})]
        );
        let image = |tag: &str| json!({"c": [{"name": "a", "image": tag}, {"name": "b", "image": "y"}]});
        let fields = back(&image("1"), &image("2"), &image("2"));
        assert_eq!(fields.patch, [json!({"op": "add", "path": "/c/0/image", "value": "1"})]);
        assert_eq!(shown(&fields.written), "c.0.image");
    }
}
