//! Lines that list objects and then act on the list: `kubectl get … -o yaml | sed … | kubectl apply -f -`,
//! `kubectl get … > f && kubectl apply -f f`, `kubectl delete pod $(kubectl get …)`, `… | while read n; do kubectl delete pod $n; done`.
//! What the later command acts on stands nowhere before it runs; what the earlier one lists can be asked for, and so can all
//! of the kind that the words name. Whether that is all of it is said too: a filter may have put in other names.

use super::access;
use super::place::kind;
use super::words::Words;
use crate::model::{Bytes, Effect, EffectClass, Invocation, RedirectMode, Stdin, Word};
use crate::systems::AssessCx;
use crate::systems::kubernetes::query::{self, Access, Mode, Query};

mod filters;
mod releases;
mod source;

use filters::Filtered;

/// Programs whose words are kubectl's.
const KUBECTL: &[&str] = &["kubectl", "k", "oc", "kubecolor"];
/// Verbs that act on objects that are there, and where their operands begin.
const VERBS: &[(&str, usize)] = &[
    ("delete", 1),
    ("patch", 1),
    ("label", 1),
    ("annotate", 1),
    ("scale", 1),
    ("edit", 1),
    ("apply", 1),
    ("replace", 1),
    ("rollout", 2),
    ("set", 2),
    ("drain", 1),
    ("cordon", 1),
    ("uncordon", 1),
    ("taint", 1),
];
/// Kinds of which not all are read for one that is not named: that would be most of the cluster.
const TOO_MUCH: &[&str] = &["namespace", "project", "customresourcedefinition", "all"];

/// A question of the line's own.
struct Get<'a> {
    words: Words<'a>,
    access: Access,
    ask: Vec<String>,
}

/// What the objects of a command are looked for with.
#[derive(Default)]
struct Candidates {
    ask: Vec<Vec<String>>,
    /// Nothing else can be among them, unless one of these patterns is in their names.
    sure: Option<Vec<String>>,
}

/// True for kubectl by one of its names.
pub fn is_kubectl(inv: &Invocation) -> bool {
    inv.remote.is_none() && inv.program().is_some_and(|name| KUBECTL.contains(&name))
}

/// True for a command that may act on what the line has listed.
pub fn lists(inv: &Invocation) -> bool {
    is_kubectl(inv) || releases::is_helm(inv)
}

/// Gives the effects of a command whose targets are not known a question that finds what they can be. `earlier` are the
/// commands of the line before it.
pub fn from_the_line(effects: &mut [Effect], inv: &Invocation, earlier: &[Invocation], cx: &AssessCx<'_>) {
    if releases::is_helm(inv) {
        return releases::from_the_line(effects, inv, earlier, cx);
    }
    if !is_kubectl(inv) || effects.is_empty() {
        return;
    }
    let words = Words::split(inv.args());
    // What `--prune` removes is in no list.
    if words.has("--prune") {
        return;
    }
    let Some((verb, first)) = VERBS.iter().find(|(verb, _)| *verb == words.operand(0)) else { return };
    let from_files = words.any(&["--filename"]);
    let is_open = |effect: &Effect| effect.locator.as_ref().is_some_and(query::is_unnamed);
    if !(effects.iter().any(is_open) || (from_files && !earlier.is_empty())) {
        return;
    }
    let Ok(mut own) = access::read(inv.program().unwrap_or_default(), &words, inv, cx) else { return };
    let destroys = *verb == "delete" || effects.iter().any(|e| e.class == EffectClass::Destroy);
    if let Some((mode, ask)) = source::of(&words, inv, earlier) {
        let mode = if *verb == "delete" && mode == Mode::Manifests { Mode::Objects } else { mode };
        return put(effects, &Query { access: own, mode, ask, destroys, ..Query::default() });
    }
    let found = match from_files {
        true => from_manifests(&words, inv, earlier, (&own, cx)),
        false => from_names(&words, *first, inv, earlier, (&own, cx)),
    };
    let Some(found) = found.filter(|found| !found.ask.is_empty()) else { return };
    drop_namespace(&mut own);
    let (mode, drains, sure) = (Mode::Listed, *verb == "drain", found.sure);
    let ask = found.ask.join(&String::new());
    put(effects, &Query { access: own, mode, ask, destroys, drains, sure, ..Query::default() });
}

fn put(effects: &mut [Effect], query: &Query) {
    for effect in effects.iter_mut().filter(|e| e.system.0 == "kubernetes" && e.locator.is_some()) {
        effect.locator = Some(query.locator());
    }
}

/// `-f -` at the end of a pipe, `-f FILE` where the line has written the file.
fn from_manifests(
    words: &Words<'_>,
    inv: &Invocation,
    earlier: &[Invocation],
    (own, cx): (&Access, &AssessCx<'_>),
) -> Option<Candidates> {
    let mut out = Candidates { sure: Some(Vec::new()), ..Candidates::default() };
    for file in words.values("--filename") {
        let (at, mut filtered) = match (file.as_str()?, &inv.stdin) {
            ("-", Stdin::Pipe) => head(earlier),
            ("-", Stdin::File(file)) => written(file.as_str()?, earlier)?,
            ("-", _) => return None,
            (file, _) => written(file, earlier)?,
        };
        // `sed s/TAG/2/ web.yaml`, `envsubst < web.yaml`: what it makes of the names is not known.
        if let Some(mut ask) = source::template(earlier.get(at)?) {
            ask.extend(namespace_words(own));
            out.sure = None;
            out.ask.push(ask);
            continue;
        }
        let get = get(earlier.get(at)?, cx).filter(|get| is_same_cluster(&get.access, own))?;
        if !matches!(output(&get.words).as_str(), "yaml" | "json") {
            filtered = Filtered::Anyhow;
        }
        out.sure = filtered.and(out.sure);
        out.ask.push(get.ask);
    }
    Some(out)
}

/// Where the pipe that a command reads begins, and what is between.
fn head(earlier: &[Invocation]) -> (usize, Filtered) {
    let piped = earlier.iter().rev().take_while(|inv| matches!(inv.stdin, Stdin::Pipe)).count();
    let at = earlier.len().saturating_sub(piped + 1);
    (at, filters::of(earlier.get(at + 1..).unwrap_or_default()))
}

/// What has written a file, by way of which filters, and what has touched it since.
fn written(file: &str, earlier: &[Invocation]) -> Option<(usize, Filtered)> {
    let writes = |inv: &Invocation| {
        inv.redirects.iter().any(|r| r.mode == RedirectMode::Truncate && r.target.as_str() == Some(file))
    };
    let last = earlier.iter().rposition(writes)?;
    let (at, before) = match earlier.get(last)?.stdin {
        Stdin::Pipe => head(earlier.get(..=last)?),
        _ => (last, Filtered::Not),
    };
    let before = if at == last { Filtered::Not } else { before };
    Some((at, before.then(filters::since(file, earlier.get(last + 1..)?))))
}

/// Names that come out of a substitution, a variable, a pipe.
fn from_names(
    words: &Words<'_>,
    first: usize,
    inv: &Invocation,
    earlier: &[Invocation],
    (own, cx): (&Access, &AssessCx<'_>),
) -> Option<Candidates> {
    let operands = words.from(first);
    let of_nodes = matches!(words.operand(0), "drain" | "cordon" | "uncordon" | "taint");
    let named = if of_nodes { Some("node".to_owned()) } else { kind_of(operands, inv) };
    let fits = |get: &Get<'_>| {
        let listed = get.words.operand(1).to_ascii_lowercase();
        let mut kinds = listed.split(',').map(|k| kind(k.split('/').next().unwrap_or_default()));
        let has_kind = named.as_ref().is_none_or(|named| kinds.any(|k| k == *named));
        let namespace = get.words.any(&["--all-namespaces"]) || namespace(&get.access) == namespace(own);
        is_same_cluster(&get.access, own) && has_kind && (namespace || of_nodes)
    };
    let all: Vec<Get<'_>> = earlier.iter().filter_map(|inv| get(inv, cx)).collect();
    let is_list = |get: &&Get<'_>| output(&get.words) == "name";
    // Of several lists nothing says which one the names are of.
    let mut lists = all.iter().filter(is_list);
    let alone = lists.next().is_some_and(|get| fits(get) && namespace(&get.access) == namespace(own))
        && lists.next().is_none();
    let gets: Vec<Get<'_>> = all.into_iter().filter(fits).collect();
    let mut out = Candidates::default();
    if gets.is_empty() {
        // All of the kind: what is meant is among them.
        let named = named.filter(|kind| !TOO_MUCH.contains(&kind.as_str()))?;
        let all = words.any(&["--all-namespaces"]).then(|| "--all-namespaces".to_owned());
        out.ask.push([named].into_iter().chain(all).chain(namespace_words(own)).collect());
        return Some(out);
    }
    let options = words.options.iter().all(|(_, value)| value.as_ref().is_none_or(|word| word.certain));
    if alone && options && is_whole(operands, inv, earlier, &GET) {
        out.sure = Some(Vec::new());
    }
    out.ask.extend(gets.into_iter().map(|get| get.ask));
    out.ask.extend(own_names(operands, named.as_deref()).map(|mut ask| {
        ask.extend(namespace_words(own));
        ask
    }));
    Some(out)
}

/// The kind that the words name, where a name of that kind is what they leave open.
fn kind_of(operands: &[&Word], inv: &Invocation) -> Option<String> {
    let (first, rest) = operands.split_first()?;
    let text = first.text.as_str()?;
    let (of, name) = text.split_once('/').unwrap_or((text, ""));
    let plain = !of.is_empty() && of.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let names_follow = first.certain && name.is_empty() && (!rest.is_empty() || inv.dynamic_args.is_some());
    // Of names alone (`xargs kubectl delete -n x pod/a`) the kind of the first says nothing of the others.
    let in_one = !first.certain && !name.is_empty() && rest.iter().all(|w| w.text.lossy().contains('='));
    let selected = first.certain && name.is_empty() && rest.is_empty() && inv.dynamic_args.is_none();
    (plain && (names_follow || in_one || selected)).then(|| kind(of))
}

/// The objects that the words name themselves, beside those that they leave open.
fn own_names(operands: &[&Word], kind: Option<&str>) -> Option<Vec<String>> {
    let mut known = operands.iter().filter_map(|word| word.as_str()).peekable();
    if known.peek()?.contains('/') {
        return Some(known.filter(|word| word.contains('/')).map(str::to_owned).collect());
    }
    let names: Vec<String> = known.skip(1).filter(|w| !w.contains('=')).map(str::to_owned).collect();
    let kind = kind.filter(|_| !names.is_empty())?;
    Some([kind.to_owned()].into_iter().chain(names).collect())
}

/// The program whose lists a command takes.
struct Lister {
    /// True for its list as a command of the line.
    is_command: fn(&Invocation) -> bool,
    /// The same by the words of a substitution.
    is_text: fn(&str) -> bool,
}

const GET: Lister = Lister { is_command: |inv| is_kubectl(inv) && is_get_of(inv), is_text: is_get };

/// The names are all that one command lists, untouched.
fn is_whole(operands: &[&Word], inv: &Invocation, earlier: &[Invocation], lister: &Lister) -> bool {
    let direct = matches!(inv.stdin, Stdin::Pipe) && {
        let (at, filtered) = head(earlier);
        // `read` and what else the loop does to the names.
        let loops = earlier.get(at + 1..).unwrap_or_default();
        let from = earlier.get(at).is_some_and(lister.is_command);
        from && (filtered == Filtered::Not || loops.iter().all(|inv| inv.program() == Some("read")))
    };
    if inv.dynamic_args.is_some() {
        return inv.dynamic_from.as_deref().is_some_and(lister.is_text);
    }
    operands.iter().filter(|word| !word.certain).all(|word| {
        let text = word.text.lossy();
        let inner = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
        let is_variable = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        match inner {
            Some(inner) => {
                (lister.is_text)(inner) && !inner.contains(['|', ';', '&', '<', '>', '`', '\n', '('])
            }
            None => {
                direct
                    && text.strip_prefix('$').is_some_and(|name| is_variable(name.trim_matches(['{', '}'])))
            }
        }
    })
}

fn is_get(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next().is_some_and(|program| KUBECTL.contains(&program)) && words.any(|word| word == "get")
}

fn is_get_of(inv: &Invocation) -> bool {
    Words::split(inv.args()).operand(0) == "get"
}

/// A `kubectl get` as a question, if it is one that can be asked again.
fn get<'a>(inv: &'a Invocation, cx: &AssessCx<'_>) -> Option<Get<'a>> {
    if !is_kubectl(inv) || inv.dynamic_args.is_some() {
        return None;
    }
    let words = Words::split(inv.args());
    if words.operand(0) != "get"
        || words.any(&["--raw", "--watch", "--watch-only"])
        || words.operands.len() < 2
    {
        return None;
    }
    let access = access::read(inv.program()?, &words, inv, cx).ok()?;
    let mut ask: Vec<String> =
        words.from(1).iter().map(|w| Some(w.as_str()?.to_owned())).collect::<Option<_>>()?;
    for (name, value) in &words.options {
        match name.as_str() {
            "--selector" | "--field-selector" => {
                ask.extend([name.clone(), value.as_ref()?.as_str()?.to_owned()]);
            }
            "--filename" | "--kustomize" => return None,
            "--all-namespaces" if words.has(name) => ask.push(name.clone()),
            _ => {}
        }
    }
    ask.extend(namespace_words(&access));
    Some(Get { words, access, ask })
}

/// `-o yaml`: what a list looks like to who reads it.
fn output(words: &Words<'_>) -> String {
    words.text("--output").unwrap_or_default()
}

fn namespace(access: &Access) -> Option<&String> {
    let at = access.flags.iter().rposition(|flag| flag == "--namespace")?;
    access.flags.get(at + 1)
}

fn namespace_words(access: &Access) -> Vec<String> {
    namespace(access).map(|name| vec!["--namespace".to_owned(), name.clone()]).unwrap_or_default()
}

fn drop_namespace(access: &mut Access) {
    while let Some(at) = access.flags.iter().position(|flag| flag == "--namespace") {
        access.flags.drain(at..(at + 2).min(access.flags.len()));
    }
}

/// The same cluster, as the same user; the namespace may be another one.
fn is_same_cluster(one: &Access, other: &Access) -> bool {
    let without = |access: &Access| -> (Vec<String>, Vec<(String, Bytes)>) {
        let mut access = access.clone();
        drop_namespace(&mut access);
        (access.flags, access.env.into_iter().collect())
    };
    without(one) == without(other)
}
