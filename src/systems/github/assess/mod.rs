//! What gh commands will do, from their words alone, and what has to be read before they may run.

mod api;
mod verbs;

use super::query::{self, Access, Ask, VARIABLES};
use crate::model::{Bytes, Effect, EffectClass as C, Invocation, Reversibility as R, SystemId, Word};
use crate::systems::words::{Reader, Takes, Words};
use crate::systems::{AssessCx, locator};

/// The base names of the programs understood here.
pub const PROGRAMS: &[&str] = &["gh", "glab"];

const GH: Takes<'static> = Takes::One(&[
    "-R",
    "--repo",
    "-X",
    "--method",
    "-f",
    "--raw-field",
    "-F",
    "--field",
    "-H",
    "--header",
    "--input",
    "-b",
    "--body",
    "-t",
    "--title",
    "-e",
    "--env",
    "-o",
    "--org",
    "-q",
    "--jq",
    "--json",
    "-L",
    "--limit",
    "--template",
    "-s",
    "--state",
    "--label",
    "-l",
    "-B",
    "--base",
    "--visibility",
    "--hostname",
    "-a",
    "--assignee",
    "-w",
    "--workflow",
    "-n",
    "--name",
    "--notes",
    "-p",
    "--app",
    "--body-file",
    "--ref",
    "--cache",
    "--tag",
    "-c",
    "--color",
    "-d",
    "--description",
    "--comment",
    "-r",
    "--reason",
    "--branch",
    "--source",
    "--add-label",
    "--remove-label",
    "--add-assignee",
    "--remove-assignee",
    "--milestone",
    "-m",
    "--target",
    "--homepage",
    "--default-branch",
    "--add-topic",
    "--remove-topic",
    "--env-file",
    "--repos",
    "--user",
    "--notes-file",
    "--subject",
    "--match-head-commit",
    "-A",
    "--author-email",
    "--discussion-category",
    "--notes-start-tag",
    "--filename",
    "--add",
    "--remove",
    "--preview",
    "--duplicate-of",
]);

/// In some commands a letter that takes a value elsewhere is a flag (`gh help VERB`).
fn takes(noun: &str, verb: &str) -> Takes<'static> {
    const MERGE: &[&str] = &[
        "-R",
        "--repo",
        "-b",
        "--body",
        "-F",
        "--body-file",
        "-t",
        "--subject",
        "-A",
        "--author-email",
        "--match-head-commit",
        "--hostname",
    ];
    const CLOSE: &[&str] =
        &["-R", "--repo", "-c", "--comment", "-r", "--reason", "--hostname", "--duplicate-of"];
    const DELETE: &[&str] =
        &["-R", "--repo", "-e", "--env", "-o", "--org", "-a", "--app", "--hostname", "--ref"];
    const CREATE: &[&str] = &[
        "-R",
        "--repo",
        "-t",
        "--title",
        "-n",
        "--notes",
        "-F",
        "--notes-file",
        "--target",
        "--notes-start-tag",
        "--discussion-category",
    ];
    match (noun, verb) {
        ("pr", "merge") => Takes::One(MERGE),
        ("pr" | "issue", "close" | "reopen") => Takes::One(CLOSE),
        (_, "delete" | "delete-asset" | "remove") => Takes::One(DELETE),
        ("release", "create" | "edit" | "upload") => {
            if verb == "create" {
                Takes::One(CREATE)
            } else {
                GH
            }
        }
        _ => GH,
    }
}

/// A command that is being read.
pub struct Asking<'a> {
    out: Reader<'a>,
    asks: Vec<Ask>,
    not_kept: Option<String>,
    makes: bool,
}

impl Asking<'_> {
    fn add(&mut self, class: C, resource: impl Into<String>, back: R) {
        self.out.add(class, resource, back);
    }

    fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    fn not_kept(&mut self, why: &str) {
        self.not_kept.get_or_insert_with(|| why.to_owned());
    }

    /// It makes something that has its name only then.
    fn makes(&mut self) {
        self.makes = true;
    }

    /// A file of this machine, which is the files system's.
    fn local_file(&mut self, class: C, shown: &str, path: Option<Bytes>, back: R) {
        self.add(class, format!("path:{shown}"), back);
        if let Some(effect) = self.out.effects.last_mut() {
            effect.system = SystemId::new("fs");
            effect.locator = path.map(|path| {
                let mut place = locator(path);
                // Of a tree, what is about access is only its modes.
                place.opts.insert("scope".to_owned(), "node".into());
                place
            });
        }
    }

    fn finish(mut self, host: Option<String>, cx: &AssessCx<'_>) -> Vec<Effect> {
        let inv = self.out.inv;
        if inv.dynamic_args.is_some() || inv.args().iter().any(|w| w.as_str().is_none()) {
            self.not_kept("its targets are not known before it runs");
        }
        let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
        let place = match (self.not_kept, access(host, inv, cx)) {
            (Some(why), _) | (None, Err(why)) => query::not_kept(at, &why),
            (None, Ok(access)) if !self.asks.is_empty() => query::locator(&access, &self.asks),
            (None, Ok(_)) => query::not_kept(at, "fr does not read this before it runs"),
        };
        let is_asked = !self.asks.is_empty();
        let made = self.makes.then(|| {
            let at = inv.cwd.clone().unwrap_or_else(|| Bytes::from("/"));
            query::not_kept(at, "what it makes has its id only then: it stays, and is removed by hand")
        });
        for effect in &mut self.out.effects {
            let other = effect.system.0 != super::ID || effect.class == C::Opaque;
            let plain = matches!(effect.class, C::Create | C::Publish) && !is_asked;
            if !other && !plain {
                effect.locator = Some(place.clone());
            } else if !other {
                effect.locator.clone_from(&made);
            }
        }
        self.out.effects
    }
}

/// How the command reaches GitHub.
fn access(host: Option<String>, inv: &Invocation, cx: &AssessCx<'_>) -> Result<Access, String> {
    let mut access = Access { host, ..Access::default() };
    for name in VARIABLES {
        let given = match inv.env.iter().rev().find(|(n, _)| n == name) {
            Some((_, value)) => {
                Some(value.clone().ok_or(format!("the value of {name} is not known before it runs"))?)
            }
            None => cx.env.get(*name).cloned(),
        };
        if let Some(value) = given {
            access.env.insert((*name).to_owned(), value);
        }
    }
    let other_user = |w: &String| matches!(w.as_str(), "sudo" | "doas" | "su" | "runuser" | "pkexec");
    if inv.wrappers.iter().any(other_user)
        && access.env.get("HOME").is_none_or(|home| home.as_slice() != b"/root")
    {
        return Err("it runs as another user, whose login is not ours".to_owned());
    }
    access.cwd = inv.cwd.clone().ok_or("the directory that it runs in is not known")?;
    Ok(access)
}

/// What an invocation of one of [`PROGRAMS`] does.
pub fn assess(inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let args = inv.args();
    if asks_only(args) {
        return Vec::new();
    }
    let mut out = Asking { out: Reader::new(inv, super::ID), asks: Vec::new(), not_kept: None, makes: false };
    if inv.program() == Some("glab") {
        out.not_kept("fr does not read GitLab");
    }
    let plain = Words::split(args, GH);
    let (noun, verb) = (plain.operand(0).to_owned(), plain.operand(1).to_owned());
    let words = Words::split(args, takes(&noun, &verb));
    let repo = words.text(&["-R", "--repo"]);
    let (mut host, repo) = match repo.map(|repo| split_repo(&repo)) {
        Some((host, repo)) => (host, Some(repo)),
        None => (None, None),
    };
    host = words.text(&["--hostname"]).or(host);
    match noun.as_str() {
        "api" => api::read(&words, &mut out),
        "auth" => auth(&verb, inv, cx, &mut out),
        _ => verbs::read((&noun, &verb), &words, repo, &mut out),
    }
    out.finish(host, cx)
}

/// Logins are in a file, or in the keyring of the desktop.
fn auth(verb: &str, inv: &Invocation, cx: &AssessCx<'_>, out: &mut Asking<'_>) {
    if matches!(verb, "status" | "token" | "") {
        return;
    }
    let value = |name: &str| match inv.env.iter().rev().find(|(n, _)| n == name) {
        Some((_, value)) => value.clone(),
        None => cx.env.get(name).cloned(),
    };
    let home = cx.home.map(|home| Bytes::from(home.join(".config/gh").as_path()));
    let dir = value("GH_CONFIG_DIR").or_else(|| value("XDG_CONFIG_HOME").map(|dir| dir.join(b"gh"))).or(home);
    out.local_file(
        C::Access,
        "~/.config/gh/hosts.yml",
        dir.map(|dir| dir.join(b"hosts.yml")),
        R::Compensating,
    );
}

/// `[HOST/]OWNER/REPO` or a URL.
fn split_repo(text: &str) -> (Option<String>, String) {
    let text = text.trim_end_matches('/').trim_end_matches(".git");
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.strip_prefix("git@").map_or(bare.to_owned(), |rest| rest.replacen(':', "/", 1));
    let parts: Vec<&str> = bare.split('/').collect();
    match parts.as_slice() {
        ["github.com", owner, repo, ..] => (None, format!("{owner}/{repo}")),
        [host, owner, repo, ..] if !host.is_empty() => (Some((*host).to_owned()), format!("{owner}/{repo}")),
        _ => (None, bare),
    }
}

/// Help and version change nothing.
fn asks_only(args: &[Word]) -> bool {
    let before = args.iter().take_while(|w| w.as_str() != Some("--"));
    let help = before.filter_map(Word::as_str).any(|w| w == "--help" || w == "-help");
    help || matches!(args, [w] if matches!(w.as_str(), Some("help" | "version" | "--version" | "-version" | "-V")))
        || args.first().and_then(Word::as_str) == Some("help")
}
