//! The objects that the text of a manifest names: kind, version, name and namespace.

use serde_json::Value;

use crate::platform::yaml;

/// The objects of a here-document as `NAMESPACE|KIND.VERSION.GROUP/NAME`; `None` where one of them is not understood.
pub fn names(text: &str) -> Option<Vec<String>> {
    let documents: Vec<Value> = match text.trim_start().starts_with('{') {
        // JSON documents follow each other without a separator.
        true => serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()?,
        false => yaml::documents(text).ok()?,
    };
    let mut out = Vec::new();
    for value in documents {
        let items = value.get("items").and_then(|items| items.as_array()).cloned();
        for object in items.unwrap_or_else(|| vec![value]) {
            let field = |pointer: &str| object.pointer(pointer).and_then(|v| v.as_str());
            let namespace = field("/metadata/namespace").unwrap_or_default();
            out.push(name(field("/apiVersion")?, field("/kind")?, namespace, field("/metadata/name")?)?);
        }
    }
    (!out.is_empty()).then_some(out)
}

fn name(version: &str, kind: &str, namespace: &str, name: &str) -> Option<String> {
    let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
    let odd = |text: &str| text.contains(['&', '*', '|', '{', '$', '"', ' ', '\0']) || text.starts_with('!');
    let plain = ![group, version, kind, namespace, name].into_iter().any(odd);
    let named = !kind.is_empty() && !name.is_empty() && !kind.ends_with("List");
    (plain && named).then(|| format!("{namespace}|{kind}.{version}.{group}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn manifests_are_understood() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    name: no\n  name: one\n  namespace: a\n\
                    data:\n  name: x\n---\n# a comment\napiVersion: apps/v1\nkind: Deployment # it is\nmetadata: \
                    {name: \"web\", labels: a}\n";
        assert_eq!(names(text).unwrap(), ["a|ConfigMap.v1./one", "|Deployment.v1.apps/web"]);
        let shared = "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: x}\ndata: {a: b}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: z}}\n";
        assert_eq!(names(shared).unwrap(), ["|ConfigMap.v1./x", "|Secret.v1./z"]);
        let json = r#"{"kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}]}"#;
        assert_eq!(names(json).unwrap(), ["|Pod.v1./p"]);
    }

    #[test]
    fn what_does_not_name_its_objects_is_not_guessed() {
        for text in [
            "",
            "{{ template }}",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n",
            "apiVersion: v1\nkind: Pod\nmetadata: *nowhere\n",
            "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: x}\n",
            "kind: Pod\nmetadata:\n  name: $NAME\n",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
