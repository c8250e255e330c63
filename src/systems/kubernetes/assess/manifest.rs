//! The objects that the text of a manifest names: kind, version, name and namespace stand at fixed places.
//!
//! This is no YAML parser and need not be one: what is not in the plain block style that people and tools write is not
//! understood, and the command is recorded with the words that say so.

/// The objects of a here-document as `NAMESPACE|KIND.VERSION.GROUP/NAME`; `None` where one of them is not understood.
pub fn names(text: &str) -> Option<Vec<String>> {
    let documents = if text.trim_start().starts_with('{') { json(text)? } else { yaml(text)? };
    (!documents.is_empty()).then_some(documents)
}

fn json(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        let value = value.ok()?;
        let items = value.get("items").and_then(|items| items.as_array()).cloned();
        for object in items.unwrap_or_else(|| vec![value]) {
            let field = |pointer: &str| object.pointer(pointer).and_then(|v| v.as_str());
            let namespace = field("/metadata/namespace").unwrap_or_default();
            out.push(name(field("/apiVersion")?, field("/kind")?, namespace, field("/metadata/name")?)?);
        }
    }
    Some(out)
}

fn yaml(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    for document in text.split("\n---") {
        let document = document.strip_prefix("---").unwrap_or(document);
        let content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        let lines: Vec<&str> = document.lines().filter(content).collect();
        if !lines.is_empty() {
            out.push(one(&lines)?);
        }
    }
    Some(out)
}

/// One document in block style.
fn one(lines: &[&str]) -> Option<String> {
    let top = |key: &str| lines.iter().find_map(|line| value(line, key));
    let (version, kind) = (top("apiVersion")?, top("kind")?);
    let at =
        lines.iter().position(|line| line.trim_end() == "metadata:" || line.starts_with("metadata: {"))?;
    let inside: Vec<&str> = match lines.get(at)?.strip_prefix("metadata: {") {
        Some(flow) => flow.trim_end().strip_suffix('}')?.split(',').map(str::trim).collect(),
        None => {
            let rest = lines.get(at + 1..)?.iter();
            let indented: Vec<&str> = rest.take_while(|line| line.starts_with(' ')).copied().collect();
            let depth = indented.first()?.len() - indented.first()?.trim_start().len();
            indented.iter().filter_map(|line| line.get(depth..)).filter(|l| !l.starts_with(' ')).collect()
        }
    };
    let field = |key: &str| inside.iter().find_map(|line| value(line, key));
    name(version, kind, field("namespace").unwrap_or_default(), field("name")?)
}

/// The scalar of `key: value`.
fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(key)?.strip_prefix(':')?;
    let rest = rest.split(" #").next().unwrap_or_default().trim();
    Some(rest.trim_matches(['"', '\'']))
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
    fn plain_manifests_are_understood() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    name: no\n  name: one\n  namespace: a\n\
                    data:\n  name: x\n---\n# a comment\napiVersion: apps/v1\nkind: Deployment # it is\nmetadata: \
                    {name: \"web\", labels: a}\n";
        assert_eq!(names(text).unwrap(), ["a|ConfigMap.v1./one", "|Deployment.v1.apps/web"]);
        let json = r#"{"kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}]}"#;
        assert_eq!(names(json).unwrap(), ["|Pod.v1./p"]);
    }

    #[test]
    fn what_is_not_plain_is_not_guessed() {
        for text in [
            "",
            "{{ template }}",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n",
            "apiVersion: v1\nkind: Pod\nmetadata: *shared\n",
            "apiVersion: v1\nkind: ConfigMapList\nmetadata: {name: x}\n",
            "kind: Pod\nmetadata:\n  name: $NAME\n",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
