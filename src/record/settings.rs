//! Changing the settings' file: one value at a time, what people wrote beside it stays, and what is no setting is refused
//! before anything is written.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;

use toml_edit::{DocumentMut, Item, Table, Value};

use super::Config;
use crate::error::{Error, ExitCode, Result};
use crate::platform::home::Home;

/// Sets `key` (`mode`, `production.branches`) to one value or to a list of them.
///
/// # Errors
/// Usage, where there is no such setting or it takes no such value; where the file cannot be read or written.
pub fn set(home: &Home, key: &str, values: &[String]) -> Result<()> {
    let old = text(home)?;
    let mut refused = None;
    // A word may be a number, a truth value or a string; a list may have one member.
    for value in readings(values) {
        let mut document = parse(&old)?;
        place(&mut document, key)?.1.insert(last(key), Item::Value(value));
        let new = document.to_string();
        match Config::parse(&new) {
            Ok(_) => return write(home, &new),
            // What was wrong before is not the fault of this value.
            Err(error) if refused.as_ref().is_none_or(is_of_type) => refused = Some(error),
            Err(_) => {}
        }
    }
    let (why, hints) =
        refused.map_or_else(|| ("it has no value".to_owned(), Vec::new()), |e| (e.what, e.hints));
    let error = Error::new(ExitCode::Usage, format!("{key} cannot be {}: {why}", values.join(" ")));
    let error = hints.into_iter().fold(error, Error::hint);
    Err(error.hint("`fr config` shows the settings that there are, and their values"))
}

/// It was read as what it was not meant to be: another reading may say what is really wrong with it.
fn is_of_type(error: &Error) -> bool {
    error.what.contains("invalid type")
}

/// Takes a setting out of the file; its default is in force again. False where it was not in it.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn unset(home: &Home, key: &str) -> Result<bool> {
    let mut document = parse(&text(home)?)?;
    let (depth, table) = place(&mut document, key)?;
    let is_there = table.remove(last(key)).is_some();
    if is_there && depth > 0 && table.is_empty() {
        document.remove(key.split('.').next().unwrap_or_default());
    }
    if is_there {
        write(home, &document.to_string())?;
    }
    Ok(is_there)
}

/// One setting in force.
///
/// # Errors
/// Usage, where there is none of that name; where the file cannot be read.
pub fn get(home: &Home, key: &str) -> Result<toml::Value> {
    let all = toml::Value::try_from(Config::load(home)?)
        .map_err(|e| Error::failure(format!("the settings cannot be shown: {e}")))?;
    let found = key.split('.').try_fold(&all, |value, name| value.get(name));
    found.cloned().ok_or_else(|| {
        Error::new(ExitCode::Usage, format!("no setting is called {key}"))
            .hint("`fr config` shows the settings that there are")
    })
}

fn text(home: &Home) -> Result<String> {
    let path = home.config();
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(e) => Err(Error::io("read", &path, &e)),
    }
}

fn parse(text: &str) -> Result<DocumentMut> {
    text.parse().map_err(|e: toml_edit::TomlError| {
        let what = e.message().lines().next().unwrap_or_default().to_owned();
        Error::failure(format!("the settings' file is no TOML: {what}"))
            .hint("`fr config check` names the line")
    })
}

/// The table that a setting stands in, made where it is missing, and how deep it is.
fn place<'d>(document: &'d mut DocumentMut, key: &str) -> Result<(usize, &'d mut Table)> {
    let names: Vec<&str> = key.split('.').collect();
    let (_, above) = names.split_last().unwrap_or((&"", &[]));
    let mut table = document.as_table_mut();
    for name in above {
        table = table.entry(name).or_insert(Item::Table(Table::new())).as_table_mut().ok_or_else(|| {
            Error::new(ExitCode::Usage, format!("{name} is a setting, it has no others in it"))
        })?;
    }
    Ok((above.len(), table))
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn readings(values: &[String]) -> Vec<Value> {
    let list = || Value::Array(values.iter().map(String::as_str).collect());
    match values {
        [one] => {
            let literal = one.parse::<Value>().ok();
            literal.into_iter().chain([Value::from(one.as_str()), list()]).collect()
        }
        _ => vec![list()],
    }
}

fn write(home: &Home, text: &str) -> Result<()> {
    let path = home.config();
    let failed = |e: std::io::Error| Error::io("write", &path, &e);
    crate::store::Store::open_or_create(home)?;
    let new = home.root.join(format!("config.{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let written =
        options.write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)
        });
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Mode;

    fn home(text: &str) -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("fr"));
        crate::store::Store::open_or_create(&home).unwrap();
        std::fs::write(home.config(), text).unwrap();
        (dir, home)
    }

    fn words(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn what_people_wrote_beside_a_setting_stays() {
        let (_dir, home) = home("# mine\n[caps]\ntree_bytes = 7 # small\n");
        set(&home, "mode", &words(&["guard"])).unwrap();
        set(&home, "production.branches", &words(&["main", "release/*"])).unwrap();
        set(&home, "production.paths", &words(&["/srv/**"])).unwrap();
        set(&home, "caps.tree_bytes", &words(&["8"])).unwrap();
        let text = text(&home).unwrap();
        assert!(text.contains("# mine") && text.contains("[caps]"), "{text}");
        let config = Config::load(&home).unwrap();
        assert_eq!((config.mode, config.caps.tree_bytes), (Mode::Guard, 8));
        assert_eq!(config.production.branches, ["main", "release/*"]);
        assert_eq!(config.production.paths, ["/srv/**"]);
        assert_eq!(get(&home, "production.branches").unwrap().to_string(), "[\"main\", \"release/*\"]");
        assert!(
            unset(&home, "production.branches").unwrap() && !unset(&home, "production.branches").unwrap()
        );
        assert!(Config::load(&home).unwrap().production.branches.is_empty());
    }

    #[test]
    fn what_is_no_setting_is_refused_and_nothing_is_written() {
        let (_dir, home) = home("mode = \"observe\"\n");
        for (key, value) in [
            ("mode", "watch"),
            ("mod", "guard"),
            ("caps.tree_bytes", "many"),
            ("mode.x", "1"),
            ("", "1"),
            ("production.branches", "ma[in"),
            ("production.paths", "srv"),
        ] {
            let error = set(&home, key, &words(&[value])).unwrap_err();
            assert_eq!(error.code, ExitCode::Usage, "{key}: {error}");
        }
        assert_eq!(text(&home).unwrap(), "mode = \"observe\"\n");
        assert!(get(&home, "caps.nothing").is_err());
    }
}
