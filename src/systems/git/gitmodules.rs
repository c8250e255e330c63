//! `.gitmodules`: which submodules a work tree names, by plain reading (gitmodules(5)).

use std::path::Path;

/// A longer file is not read.
const LONGEST: u64 = 1 << 20;

/// One submodule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Its name, which its git directory has below `modules/`.
    pub name: String,
    /// Where its work tree is, seen from the top.
    pub path: String,
}

/// The submodules that the work tree at `top` names.
pub fn submodules(top: &Path) -> Vec<Submodule> {
    let file = top.join(".gitmodules");
    let is_short = file.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LONGEST);
    let text = if is_short { std::fs::read(&file).unwrap_or_default() } else { Vec::new() };
    parse(&String::from_utf8_lossy(&text))
}

fn parse(text: &str) -> Vec<Submodule> {
    let mut found: Vec<Submodule> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            let name = named(line).unwrap_or_default();
            found.push(Submodule { name, path: String::new() });
        } else if let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("path")
            && let Some(last) = found.last_mut()
        {
            last.path = value.trim().trim_matches('"').to_owned();
        }
    }
    found.retain(|module| is_below(&module.name) && is_below(&module.path));
    found
}

/// The name in `[submodule "name"]`.
fn named(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("[submodule \"")?.strip_suffix("\"]")?;
    Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// A name must not lead out of the directory that it is put behind: git refuses those too (CVE-2018-11235).
fn is_below(name: &str) -> bool {
    !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_none() {
        let text = "[submodule \"a/b\"]\n\tpath = libs/b\n\turl = x\n[submodule \"../../evil\"]\n\tpath = e\n\
                    [submodule \"f\"]\n\tpath = ../f\n[other]\n\tpath = o\n[submodule \"q\\\"\"]\nPATH=\"q q\"\n";
        let found: Vec<(String, String)> = parse(text).into_iter().map(|m| (m.name, m.path)).collect();
        let wanted = [("a/b", "libs/b"), ("q\"", "q q")].map(|(n, p)| (n.to_owned(), p.to_owned()));
        assert_eq!(found, wanted);
    }
}
