//! Which local modules a configuration calls, and by which names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::config::lexical;
use super::hcl;

/// The most calls that are followed. Terraform refuses modules that call each other in a circle.
const MOST: usize = 5_000;
/// The deepest that they are followed.
const DEEPEST: usize = 32;

/// The names that lead to each directory of a configuration, the root module's among them. A directory that is called
/// twice has two of them.
pub fn called(root: &Path, files: &[(PathBuf, String)]) -> BTreeMap<PathBuf, BTreeSet<Vec<String>>> {
    let mut calls: BTreeMap<&Path, Vec<(String, PathBuf)>> = BTreeMap::new();
    for (file, text) in files {
        if let Some(dir) = file.parent() {
            calls.entry(dir).or_default().extend(calls_in(file, text, dir));
        }
    }
    let mut out: BTreeMap<PathBuf, BTreeSet<Vec<String>>> = BTreeMap::new();
    let mut todo = vec![(root.to_path_buf(), Vec::new())];
    let mut seen = 0;
    while let Some((dir, path)) = todo.pop() {
        seen += 1;
        if seen > MOST || path.len() > DEEPEST {
            break;
        }
        for (name, to) in calls.get(dir.as_path()).into_iter().flatten() {
            todo.push((to.clone(), path.iter().chain([name]).cloned().collect()));
        }
        out.entry(dir).or_default().insert(path);
    }
    out
}

/// `module "net" { source = "../net" }`, in either syntax.
fn calls_in(file: &Path, text: &str, dir: &Path) -> Vec<(String, PathBuf)> {
    let is_json = file.extension().is_some_and(|end| end == "json");
    let calls = if is_json { of_json(text) } else { of_text(text) };
    let is_local = |source: &str| source.starts_with("./") || source.starts_with("../");
    let calls = calls.into_iter().filter(|(_, source)| is_local(source));
    calls.map(|(name, source)| (name, lexical(&dir.join(source)))).collect()
}

fn of_text(text: &str) -> Vec<(String, String)> {
    let blocks = hcl::blocks(text).into_iter().filter(|block| block.kind == "module");
    let call = |block: hcl::Block<'_>| {
        let source = hcl::attribute(block.body, "source")?;
        Some((block.labels.first()?.clone(), source.trim_matches('"').to_owned()))
    };
    blocks.filter_map(call).collect()
}

fn of_json(text: &str) -> Vec<(String, String)> {
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let modules = parsed.get("module").and_then(Value::as_object).into_iter().flatten();
    let call = |(name, body): (&String, &Value)| {
        let body = body.get(0).unwrap_or(body);
        Some((name.clone(), body.get("source")?.as_str()?.to_owned()))
    };
    modules.filter_map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_known_by_every_name_that_leads_to_it() {
        let file = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
        let files = [
            file(
                "/w/prod/main.tf",
                "module \"a\" {\n  source = \"../net\" # here\n}\nmodule \"far\" {\n source = \"git::x\"\n}\n",
            ),
            file("/w/prod/more.tf.json", "{\"module\": {\"b\": {\"source\": \"../net\"}}}"),
            file("/w/net/net.tf", "module \"sub\" {\n  source = \"./sub\"\n}\n"),
            file("/w/net/sub/sub.tf", ""),
        ];
        let called = called(Path::new("/w/prod"), &files);
        let names = |dir: &str| -> Vec<String> {
            called.get(Path::new(dir)).unwrap().iter().map(|path| path.join(".")).collect()
        };
        assert_eq!(names("/w/prod"), [""]);
        assert_eq!(names("/w/net"), ["a", "b"]);
        assert_eq!(names("/w/net/sub"), ["a.sub", "b.sub"]);
        let circle = [file("/w/x/main.tf", "module \"x\" {\n  source = \"../x\"\n}\n")];
        assert!(super::called(Path::new("/w/x"), &circle)[Path::new("/w/x")].len() <= DEEPEST + 1);
    }
}
