//! Option files of MySQL's clients: read in the order in which these read them. Whoever can write such a file can make the
//! client run things; so we read it, and take from it only what leads to a server.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::connection::TAKEN;

/// Groups that the client reads; the program's own last.
const GROUPS: &[&str] = &["client", "client-server", "client-mariadb", "mysql", "mariadb-client"];
/// The longest file, and how deep files include others.
const LONGEST: u64 = 1 << 20;
const DEPTH: usize = 5;

/// Where option files lie.
pub struct Place {
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// `MYSQL_HOME`.
    pub own: Vec<PathBuf>,
    /// `--defaults-file`: only this one.
    pub only: Option<PathBuf>,
    /// `--defaults-extra-file`.
    pub extra: Option<PathBuf>,
    /// `--no-defaults`.
    pub none: bool,
    /// `--defaults-group-suffix`.
    pub suffix: String,
}

/// The options that count, without dashes; the last file wins.
pub fn read(place: &Place) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    if place.none {
        return out;
    }
    let files: Vec<PathBuf> = match &place.only {
        Some(only) => vec![only.clone()],
        None => {
            let fixed = ["/etc/my.cnf", "/etc/mysql/my.cnf"].map(PathBuf::from);
            let own = place.own.iter().map(|dir| dir.join("my.cnf"));
            let home = place.home.iter().map(|home| home.join(".my.cnf"));
            fixed.into_iter().chain(own).chain(place.extra.clone()).chain(home).collect()
        }
    };
    for file in files {
        one(&file, &place.suffix, DEPTH, &mut out);
    }
    out
}

fn one(path: &Path, suffix: &str, depth: usize, out: &mut BTreeMap<String, String>) {
    // The clients ignore a file that everybody may write to; so do we.
    let usable = std::fs::metadata(path)
        .is_ok_and(|m| m.is_file() && m.len() <= LONGEST && m.permissions().mode() & 0o002 == 0);
    let Some(text) = usable.then(|| std::fs::read(path).ok()).flatten() else { return };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut counts = false;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("!includedir") {
            included(Path::new(rest.trim()), suffix, depth, out);
        } else if let Some(rest) = line.strip_prefix("!include") {
            if depth > 0 {
                one(Path::new(rest.trim()), suffix, depth - 1, out);
            }
        } else if let Some(group) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
            let of =
                |known: &&str| group == *known || (!suffix.is_empty() && group == format!("{known}{suffix}"));
            counts = GROUPS.iter().any(of);
        } else if counts && !line.starts_with(['#', ';']) {
            option(line, out);
        }
    }
}

fn included(dir: &Path, suffix: &str, depth: usize, out: &mut BTreeMap<String, String>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "cnf"));
    files.sort();
    if depth > 0 {
        files.iter().for_each(|file| one(file, suffix, depth - 1, out));
    }
}

fn option(line: &str, out: &mut BTreeMap<String, String>) {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    let name = name.trim().trim_start_matches("loose-").replace('_', "-");
    if TAKEN.contains(&name.as_str()) {
        out.insert(name, unquoted(value.trim()));
    }
}

/// Quotes go, and so do the escapes that the manual names.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
    // A comment may stand behind a value that is not quoted.
    let text = inner.unwrap_or_else(|| value.split(" #").next().unwrap_or_default().trim());
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('s') => out.push(' '),
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, option};

    #[test]
    fn only_what_leads_to_a_server_is_taken() {
        let mut out = BTreeMap::new();
        for line in [
            "host = db # ours",
            "password=\"a#b\\s\"",
            "init-command=DROP TABLE t",
            "plugin_dir=/tmp/evil",
            "pager=sh -c 'rm -rf ~'",
            "tee=/etc/passwd",
            "ssl_ca=/etc/ca.pem",
        ] {
            option(line, &mut out);
        }
        let found: Vec<(&str, &str)> = out.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, [("host", "db"), ("password", "a#b "), ("ssl-ca", "/etc/ca.pem")]);
    }
}
