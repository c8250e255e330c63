//! `kubectl delete`: kubectl finds what to delete with the same words as `kubectl get` does, so the same words ask for it.

use super::Reader;
use super::place::{Place, kind};
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::kubernetes::query::Mode;

/// Reads `kubectl delete`.
pub fn delete(out: &mut Reader<'_>) {
    out.ask.destroys = true;
    if let Some(path) = out.words.text("--raw") {
        return raw(&path, out);
    }
    if out.has_files() {
        out.add(C::Destroy, "dyn:objects named in manifests", R::Recreate);
        return super::make::files(Mode::Objects, out);
    }
    let rest: Vec<&Word> = out.words.from(1).to_vec();
    out.ask(&rest);
    out.ask_options();
    out.ask.namespaces = namespaces(&rest);
    let selected = out.words.any(&["--all", "--selector", "--field-selector", "--all-namespaces"]);
    let named = out.place.objects(&rest);
    if selected || named.is_empty() {
        return out.add(C::Destroy, "dyn:objects that the same get lists", R::Recreate);
    }
    for object in named {
        let everything = object.contains("/namespace/") || object.contains("//project/");
        let object = if everything { format!("{object} + everything in it") } else { object };
        out.add(C::Destroy, object, R::Recreate);
    }
}

/// The plugin `evict-pod NAME`, or by `-l`.
pub fn evict(out: &mut Reader<'_>) {
    out.ask.destroys = true;
    let kind = Word::literal("pod");
    let named: Vec<&Word> = std::iter::once(&kind).chain(out.words.from(1).iter().copied()).collect();
    out.ask(&named);
    out.ask_options();
    let pods = out.place.objects(&named);
    if pods.is_empty() {
        return out.add(C::Destroy, "dyn:objects that the same get lists", R::Recreate);
    }
    out.each(C::Destroy, pods, R::Recreate);
}

/// The namespaces (and OpenShift's projects, which are namespaces) that operands name.
fn namespaces(operands: &[&Word]) -> Vec<String> {
    let is = |k: &str| matches!(kind(k).as_str(), "namespace" | "project");
    let mut words = operands.iter().filter_map(|w| w.as_str());
    let Some(first) = words.next() else { return Vec::new() };
    if first.contains('/') {
        let pairs = std::iter::once(first).chain(words).filter_map(|w| w.split_once('/'));
        return pairs.filter(|(k, _)| is(k)).map(|(_, name)| name.to_owned()).collect();
    }
    if first.split(',').any(is) { words.map(str::to_owned).collect() } else { Vec::new() }
}

/// `--raw /apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME`; without a name, all of them.
fn raw(path: &str, out: &mut Reader<'_>) {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (front, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => (format!("{version}."), rest),
        ["apis", group, version, rest @ ..] => (format!("{version}.{group}"), rest),
        _ => {
            out.add(C::Destroy, format!("dyn:{path}"), R::Recreate);
            return out.not_kept("it deletes by a path that is not understood");
        }
    };
    let context = out.place.context.clone();
    let (namespace, resource, name) = match rest {
        ["namespaces", name] => ("", "namespaces", Some(*name)),
        ["namespaces", namespace, resource] => (*namespace, *resource, None),
        ["namespaces", namespace, resource, name] => (*namespace, *resource, Some(*name)),
        [resource] => ("", *resource, None),
        [resource, name] => ("", *resource, Some(*name)),
        _ => {
            out.add(C::Destroy, format!("dyn:{path}"), R::Recreate);
            return out.not_kept("it deletes by a path that is not understood");
        }
    };
    let literal = |text: String| Word::literal(text);
    out.ask.words = match name {
        Some(name) => vec![literal(format!("{resource}.{front}/{name}"))],
        None => vec![literal(format!("{resource}.{front}"))],
    };
    if !namespace.is_empty() {
        out.ask.words.extend([literal("--namespace".into()), literal(namespace.to_owned())]);
    }
    let place = Place { context, namespace: namespace.to_owned() };
    let resource = name.map(|name| place.object(resource, name));
    if let (Some(name), true) = (name, parts.get(2) == Some(&"namespaces") && rest.len() == 2) {
        out.ask.namespaces.push(name.to_owned());
    }
    out.add(C::Destroy, resource.unwrap_or_else(|| format!("dyn:{path}")), R::Recreate);
}
