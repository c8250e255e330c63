//! Reading the things of a host, by the tools that show them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::place::NOT_KEPT;
use super::{ID, managers, users};
use crate::error::{Error, Result};
use crate::model::{Capture, Effect, ObjectId, ObjectKind, ObjectSink, StateRef, SystemId};
use crate::platform::runner::{self, Finished};
use crate::systems::CaptureCx;
use crate::systems::things::{Thing, Things, locator_of, names_of};

/// How long one tool may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs one of the host's tools.
pub fn tool(argv: &[&str], stdin: &[u8]) -> Result<Finished> {
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    // The tools of the administrator are not on everybody's path.
    path.push(":/usr/sbin:/sbin");
    env.extend([("PATH".into(), path), ("FR_SHIM".into(), "off".into()), ("LC_ALL".into(), "C".into())]);
    runner::errand_fed(&argv, stdin, &env, Path::new("/"), LIMIT)
}

/// Its output; only success is an answer.
fn said(argv: &[&str]) -> Result<String> {
    let done = tool(argv, b"")?;
    if done.code == 0 {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&done.stderr);
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("it says nothing");
    Err(Error::failure(format!("{}: {}", argv.first().unwrap_or(&""), line.trim())))
}

/// One thing as it is; `None`: it is not there.
pub fn look(name: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let (kind, own) = name.split_once('/').unwrap_or((name, ""));
    match kind {
        "crontab" => crontab(own, sink),
        "unit" => unit(own, &[], sink),
        "user-unit" => unit(own, &["--user"], sink),
        "sysctl" => Thing::new(said(&["sysctl", "-n", own])?.trim_end().as_bytes(), sink).map(Some),
        "rules" => {
            let text = rules(own)?;
            let mut thing = Thing::new(text.as_bytes(), sink)?;
            thing.digest = ObjectId::of(ObjectKind::State, without_empty_tables(&text).as_bytes());
            Ok(Some(thing))
        }
        "package" => package(own, sink),
        "packages" => managers::look(own, sink),
        "user" => users::user(own, sink),
        "group" => users::group(own, sink),
        _ => Err(Error::corrupt(format!("{name} is no thing of a host that this fr knows"))),
    }
}

fn crontab(who: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let mut argv = vec!["crontab"];
    if who != "user" {
        argv.extend(["-u", who]);
    }
    argv.push("-l");
    let done = tool(&argv, b"")?;
    if done.code == 0 {
        return Thing::new(&done.stdout, sink).map(Some);
    }
    let text = String::from_utf8_lossy(&done.stderr).into_owned();
    if text.contains("no crontab for") {
        return Ok(None);
    }
    Err(Error::failure(format!("crontab: {}", text.lines().next().unwrap_or("it says nothing"))))
}

/// A unit: whether it is enabled is its form, whether it is active is what it does.
fn unit(name: &str, whose: &[&str], sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let asks = ["show", "-p", "LoadState,ActiveState,UnitFileState,FragmentPath", name];
    let text = said(&[&["systemctl"], whose, &asks[..]].concat())?;
    let value = |key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    if value("LoadState") == "not-found" {
        return Ok(None);
    }
    let mut thing = Thing::new(value("UnitFileState").as_bytes(), sink)?;
    thing.state = value("ActiveState");
    thing.facts.insert("enabled".to_owned(), value("UnitFileState"));
    Ok(Some(thing))
}

/// Without tables that hold no rule, no chain of somebody's and no policy: the kernel makes such a one when it is first asked for.
fn without_empty_tables(text: &str) -> String {
    let mut out = String::new();
    for table in text.split_inclusive("COMMIT\n") {
        let says = |line: &str| match line.strip_prefix(':') {
            Some(chain) => chain.split(' ').nth(1) != Some("ACCEPT"),
            None => !line.starts_with('*') && line != "COMMIT",
        };
        if table.lines().any(says) {
            out.push_str(table);
        }
    }
    out
}

/// What makes tables empty that are there now and were not in an older listing: loading that one leaves them alone.
pub fn emptied(old: &str, now: &str) -> String {
    let mut out = String::new();
    for table in now.split_inclusive("COMMIT\n") {
        let name = table.lines().find(|line| line.starts_with('*'));
        let Some(name) = name.filter(|name| !old.lines().any(|line| line == *name)) else { continue };
        out.push_str(&format!("{name}\n"));
        let own = table.lines().filter(|line| line.starts_with(':') && line.split(' ').nth(1) != Some("-"));
        for chain in own.filter_map(|line| line.split(' ').next()) {
            out.push_str(&format!("{chain} ACCEPT [0:0]\n"));
        }
        out.push_str("COMMIT\n");
    }
    out
}

/// Rules without counters and dates, which differ from one reading to the next.
pub fn rules(which: &str) -> Result<String> {
    if which == "nft" {
        return said(&["nft", "-s", "list", "ruleset"]);
    }
    let text = said(&[&format!("{which}-save")])?;
    let counted = |line: &str| match (line.starts_with(':'), line.find('[')) {
        (true, Some(at)) => format!("{}[0:0]\n", line.get(..at).unwrap_or_default()),
        _ => format!("{line}\n"),
    };
    Ok(text.lines().filter(|line| !line.starts_with('#')).map(counted).collect())
}

fn package(name: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let done = tool(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", name], b"")?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["ii", version] if done.code == 0 => Thing::new(version.as_bytes(), sink).map(|mut thing| {
            thing.facts.insert("version".to_owned(), (*version).to_owned());
            Some(thing)
        }),
        _ => Ok(None),
    }
}

/// Stores what a command is about to change.
pub fn capture(effect: &Effect, cx: &CaptureCx<'_>) -> Result<Vec<Capture>> {
    let locator =
        effect.locator.as_ref().ok_or_else(|| Error::failure("the words do not say where it is"))?;
    if let Some(why) = locator.opts.get(NOT_KEPT) {
        return Err(Error::failure(why.lossy()));
    }
    let names = names_of(locator).ok_or_else(|| Error::corrupt("a target that does not say what it is"))?;
    let mut things = Things::new(ID, BTreeMap::new());
    for name in &names {
        things.note(name, look(name, cx.sink)?);
    }
    let state = things.store(cx.sink)?;
    let locator = locator_of(locator.clone(), things.names());
    let resource = effect.resource.clone();
    let (items, missing, bytes) = (things.count(), Vec::new(), 0);
    Ok(vec![Capture { system: SystemId::new(ID), resource, locator, state, missing, items, bytes }])
}

/// The same things as they are now.
pub fn observe(captured: &Capture, cx: &CaptureCx<'_>) -> Result<StateRef> {
    let earlier = Things::load(&captured.state, cx.source)?;
    let mut now = Things::new(ID, BTreeMap::new());
    for name in earlier.names() {
        now.note(name, look(name, cx.sink)?);
    }
    now.store(cx.sink)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_empty_is_as_good_as_none_and_one_that_was_not_there_is_emptied() {
        let filter = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n";
        let nat = "*nat\n:PREROUTING ACCEPT [0:0]\n:OWN - [0:0]\n-A PREROUTING -j OWN\nCOMMIT\n";
        let empty = "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n";
        assert_eq!(without_empty_tables(&format!("{filter}{empty}")), filter);
        assert_eq!(without_empty_tables(&format!("{filter}{nat}")), format!("{filter}{nat}"));
        assert_eq!(emptied(filter, &format!("{filter}{nat}")), empty);
        assert_eq!(emptied(&format!("{filter}{nat}"), filter), "");
    }
}
