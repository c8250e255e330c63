//! Takes a command's change out of an object into which somebody has written since, where the two do not touch: fields of a
//! map, things of a list that have names, lines of a text. Before, after and now are normal forms.

use serde_json::{Map, Value};

/// The longest text whose lines are compared, in lines: comparing is quadratic where little is common.
const MOST_LINES: usize = 2000;
/// How the path of what `kubectl apply` has noted ends, as JSON pointers write it.
const APPLIED: &str = "/kubectl.kubernetes.io~1last-applied-configuration";
/// What names the things of a list (the merge keys of kubernetes/api `types.go`).
const NAMES: &[&str] =
    &["name", "mountPath", "containerPort", "port", "uid", "topologyKey", "ip", "key", "type"];

/// The present without the command's change; the fields that both have changed, where that cannot be.
pub fn merged(before: &Value, after: &Value, now: &Value) -> Result<Value, Vec<String>> {
    let mut clashes = Vec::new();
    let out = walk((Some(before), Some(after), Some(now)), "", &mut clashes);
    match (clashes.is_empty(), out) {
        (true, Some(value)) => Ok(value),
        (true, None) => Err(vec!["all of it".to_owned()]),
        (false, _) => Err(clashes),
    }
}

type Three<'v> = (Option<&'v Value>, Option<&'v Value>, Option<&'v Value>);

fn walk((before, after, now): Three<'_>, path: &str, clashes: &mut Vec<String>) -> Option<Value> {
    if before == after || now == before {
        return now.cloned();
    }
    if now == after {
        return before.cloned();
    }
    if let Some(three) = maps((before, after, now)) {
        return Some(Value::Object(map(three, path, clashes)));
    }
    if let (Some(Value::Array(b)), Some(Value::Array(a)), Some(Value::Array(n))) = (before, after, now)
        && let Some(name) = name_of([b, a, n], path)
    {
        return Some(Value::Array(list((b, a, n), &name, path, clashes)));
    }
    if let (Some(Value::String(b)), Some(Value::String(a)), Some(Value::String(n))) = (before, after, now)
        && let Some(text) = if path.ends_with(APPLIED) { noted([b, a, n]) } else { lines(b, a, n) }
    {
        return Some(Value::String(text));
    }
    clashes.push(path.to_owned());
    now.cloned()
}

/// Three maps; one that is not there is an empty one.
fn maps((before, after, now): Three<'_>) -> Option<[Map<String, Value>; 3]> {
    let one = |value: Option<&Value>| match value {
        None => Some(Map::new()),
        Some(Value::Object(map)) => Some(map.clone()),
        Some(_) => None,
    };
    now.filter(|now| now.is_object())?;
    Some([one(before)?, one(after)?, one(now)?])
}

fn map([b, a, n]: [Map<String, Value>; 3], path: &str, clashes: &mut Vec<String>) -> Map<String, Value> {
    let mut out = Map::new();
    let names = n.keys().chain(b.keys().filter(|name| !n.contains_key(*name)));
    for name in names {
        let below = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        if let Some(value) = walk((b.get(name), a.get(name), n.get(name)), &below, clashes) {
            out.insert(name.clone(), value);
        }
    }
    out
}

/// How the things of a list are told apart: by a field that all of them have, each another value; finalizers by themselves.
fn name_of(lists: [&Vec<Value>; 3], path: &str) -> Option<Name> {
    let tells = |name: &Name| {
        lists.iter().all(|list| {
            let mut names: Vec<String> = Vec::new();
            list.iter().all(|item| {
                name.of(item).is_some_and(|one| {
                    let new = !names.contains(&one);
                    names.push(one);
                    new
                })
            })
        })
    };
    let own = (path == "/metadata/finalizers").then_some(Name::Itself);
    NAMES.iter().map(|field| Name::Field(field)).chain(own).find(tells)
}

enum Name {
    Field(&'static str),
    Itself,
}

impl Name {
    fn of(&self, item: &Value) -> Option<String> {
        match self {
            Name::Field(field) => item.get(field).filter(|v| !v.is_null()).map(Value::to_string),
            Name::Itself => item.as_str().map(str::to_owned),
        }
    }
}

/// In the order of the present; what comes back stands at the end.
fn list(
    (b, a, n): (&[Value], &[Value], &[Value]),
    name: &Name,
    path: &str,
    clashes: &mut Vec<String>,
) -> Vec<Value> {
    let find = |list: &'_ [Value], wanted: &str| {
        list.iter().find(|item| name.of(item).as_deref() == Some(wanted)).cloned()
    };
    let is_new = |item: &&Value| name.of(item).is_some_and(|one| find(n, &one).is_none());
    let mut out = Vec::new();
    for item in n.iter().chain(b.iter().filter(is_new)) {
        let Some(one) = name.of(item) else { continue };
        let (before, after, now) = (find(b, &one), find(a, &one), find(n, &one));
        let below = format!("{path}/{}", one.trim_matches('"'));
        out.extend(walk((before.as_ref(), after.as_ref(), now.as_ref()), &below, clashes));
    }
    out
}

/// What `kubectl apply` has noted: JSON, with a line break at its end.
fn noted(three: [&String; 3]) -> Option<String> {
    let [b, a, n] = three.map(|text| serde_json::from_str::<Value>(text).ok());
    Some(format!("{}\n", merged(&b?, &a?, &n?).ok()?))
}

/// A text of several lines: the lines that somebody wrote since stay.
fn lines(before: &str, after: &str, now: &str) -> Option<String> {
    let all = [before, after, now];
    if all.iter().any(|text| !text.contains('\n') || text.lines().count() > MOST_LINES) {
        return None;
    }
    diffy::merge(after, now, before).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merged;

    #[test]
    fn what_does_not_touch_is_merged() {
        let env = |list: &[(&str, &str)]| {
            let list: Vec<_> = list.iter().map(|(n, v)| json!({"name": n, "value": v})).collect();
            json!({"spec": {"containers": [{"name": "web", "env": list}]}})
        };
        let (before, after) = (env(&[("A", "1")]), env(&[("A", "2"), ("B", "1")]));
        let now = env(&[("A", "2"), ("B", "1"), ("C", "theirs")]);
        assert_eq!(merged(&before, &after, &now).unwrap(), env(&[("A", "1"), ("C", "theirs")]));
        let text = |lines: &str| json!({"data": {"conf": lines}});
        let (before, after) = (text("a=1\nb=1\n\n\nc=1\nd=1\n"), text("a=2\nb=1\n\n\nc=1\nd=1\n"));
        let now = text("a=2\nb=1\n\n\nc=1\nd=9\n");
        assert_eq!(merged(&before, &after, &now).unwrap(), text("a=1\nb=1\n\n\nc=1\nd=9\n"));
    }

    #[test]
    fn what_both_have_changed_is_not_guessed() {
        let replicas = |n: u32| json!({"spec": {"replicas": n, "other": n > 3}});
        assert_eq!(merged(&replicas(3), &replicas(0), &replicas(5)).unwrap_err(), ["/spec/replicas"]);
        let args = |a: &[&str]| json!({"args": a});
        assert!(merged(&args(&["a"]), &args(&["a", "b"]), &args(&["x", "a", "b"])).is_err());
        let text = |t: &str| json!({"data": {"conf": t}});
        assert!(merged(&text("a=1\n"), &text("a=2\n"), &text("a=3\n")).is_err());
    }
}
