//! Users and groups: the lines of their tables (passwd(5), shadow(5), group(5)), read from the files and written by the tools
//! that lock them. A hash of a password is in a description, and goes to `chpasswd` by its standard input.

use crate::error::{Error, Result};
use crate::model::{ObjectId, ObjectKind, ObjectSink};
use crate::systems::things::{ALONE, SHARED, Thing};

/// A command of an undo and what it is told.
pub type Command = (Vec<String>, Vec<u8>);

fn table(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))
}

fn line(text: &str, name: &str) -> Option<String> {
    text.lines().find(|line| line.split(':').next() == Some(name)).map(str::to_owned)
}

/// A user: its line, its secret line, the groups that it is in besides its own.
pub fn user(name: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let Some(own) = line(&table("/etc/passwd")?, name) else { return Ok(None) };
    // Not everybody may read it; then a password is not compared and not brought back.
    let secret = table("/etc/shadow").ok().and_then(|text| line(&text, name)).unwrap_or_default();
    let all = table("/etc/group")?;
    let member =
        |l: &&str| l.rsplit(':').next().is_some_and(|users| users.split(',').any(|user| user == name));
    let mut groups: Vec<&str> = all.lines().filter(member).filter_map(|l| l.split(':').next()).collect();
    groups.sort_unstable();
    let gid = own.split(':').nth(3).unwrap_or_default();
    let of_gid = |l: &&str| l.split(':').nth(2) == Some(gid);
    let primary = all.lines().find(of_gid).and_then(|l| l.split(':').next()).unwrap_or_default();
    let text = format!("{own}\n{secret}\n{}\n{primary}\n", groups.join(","));
    let mut thing = Thing::new(text.as_bytes(), sink)?;
    let normal = format!("{own}\n{secret}\n{}", groups.join(","));
    let alone = ObjectId::of(ObjectKind::State, format!("{own}\n{secret}").as_bytes());
    thing.facts = [(ALONE.to_owned(), alone.to_string()), (SHARED.to_owned(), groups.join(","))].into();
    thing.digest = ObjectId::of(ObjectKind::State, normal.as_bytes());
    Ok(Some(thing))
}

/// A group: its line.
pub fn group(name: &str, sink: &dyn ObjectSink) -> Result<Option<Thing>> {
    let Some(own) = line(&table("/etc/group")?, name) else { return Ok(None) };
    let mut thing = Thing::new(own.as_bytes(), sink)?;
    // In which order its members were added does not count.
    let (front, members) = own.rsplit_once(':').unwrap_or((&own, ""));
    let mut members: Vec<&str> = members.split(',').collect();
    members.sort_unstable();
    let normal = format!("{front}:{}", members.join(","));
    thing.digest = ObjectId::of(ObjectKind::State, normal.as_bytes());
    Ok(Some(thing))
}

fn words(words: &[&str]) -> Command {
    (words.iter().map(|w| (*w).to_owned()).collect(), Vec::new())
}

/// The commands that make a user what it was. `there`: it is there, in another form.
pub fn bring(name: &str, text: &str, there: bool) -> Option<Vec<Command>> {
    let mut lines = text.lines();
    let own: Vec<&str> = lines.next()?.split(':').collect();
    let secret: Vec<&str> = lines.next().unwrap_or_default().split(':').collect();
    let groups = lines.next().unwrap_or_default();
    let primary = lines.next().unwrap_or_default();
    let [_, _, uid, gid, comment, home, shell] = own.as_slice() else { return None };
    let mut out = Vec::new();
    // Its own group went with it (userdel(8), USERGROUPS_ENAB); `-f`: it may still be there.
    out.push(words(&["groupadd", "-f", "-g", gid, if primary.is_empty() { name } else { primary }]));
    if there {
        out.push(words(&[
            "usermod", "-u", uid, "-g", gid, "-c", comment, "-d", home, "-s", shell, "-G", groups, name,
        ]));
    } else {
        out.push(words(&[
            "useradd", "-M", "-N", "-u", uid, "-g", gid, "-c", comment, "-d", home, "-s", shell, "-G",
            groups, name,
        ]));
    }
    if let [_, hash, last, least, most, warn, idle, end, ..] = secret.as_slice() {
        if !hash.is_empty() {
            out.push((vec!["chpasswd".into(), "-e".into()], format!("{name}:{hash}\n").into_bytes()));
        }
        let or = |value: &str| if value.is_empty() { "-1".to_owned() } else { value.to_owned() };
        let (last, least, most, warn, idle, end) =
            (or(last), or(least), or(most), or(warn), or(idle), or(end));
        out.push(words(&[
            "chage", "-d", &last, "-m", &least, "-M", &most, "-W", &warn, "-I", &idle, "-E", &end, name,
        ]));
    }
    Some(out)
}

/// The commands that make a group what it was.
pub fn bring_group(name: &str, text: &str, there: bool) -> Option<Vec<Command>> {
    let own: Vec<&str> = text.trim_end().split(':').collect();
    let [_, _, gid, members] = own.as_slice() else { return None };
    let make =
        if there { words(&["groupmod", "-g", gid, name]) } else { words(&["groupadd", "-g", gid, name]) };
    // A member that is not there yet comes back with its groups.
    let all = table("/etc/passwd").ok()?;
    let there: Vec<&str> = members.split(',').filter(|member| line(&all, member).is_some()).collect();
    Some(vec![make, words(&["gpasswd", "-M", &there.join(","), name])])
}

/// The name that a user or a group has now that is the same but for its name, by its number.
pub fn renamed(kind: &str, text: &str) -> Result<Option<String>> {
    let file = if kind == "user" { "/etc/passwd" } else { "/etc/group" };
    let old: Vec<&str> = text.lines().next().unwrap_or_default().split(':').collect();
    let is_it = |line: &&str| {
        let now: Vec<&str> = line.split(':').collect();
        let same = |at: usize| now.get(at).is_some() && now.get(at) == old.get(at);
        now.first() != old.first() && same(2) && same(3)
    };
    Ok(table(file)?.lines().find(is_it).and_then(|line| line.split(':').next()).map(str::to_owned))
}
