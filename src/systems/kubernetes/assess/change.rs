//! Commands that change fields of objects that are there, and those that act on nodes.

use super::Reader;
use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::kubernetes::query::Mode;

/// `patch`, `edit`, `label`, `annotate`, `scale`.
pub fn fields(verb: &str, out: &mut Reader<'_>) {
    if matches!(verb, "label" | "annotate") && out.words.has("--list") {
        return;
    }
    if out.words.has("--local") {
        return;
    }
    let patch = out.words.text("--patch").unwrap_or_default();
    let class = match verb {
        "scale" if out.words.text("--replicas").as_deref() == Some("0") => C::Disrupt,
        "patch" if patch.contains("finalizers") => C::Weaken,
        _ => C::Mutate,
    };
    let named: Vec<&Word> = match verb {
        // Labels and annotations follow the names.
        "label" | "annotate" => out.words.from(1).iter().filter(|w| !is_setting(w)).copied().collect(),
        _ => out.words.from(1).to_vec(),
    };
    targets(class, &named, out);
}

/// The plugin `modify-secret NAME`, which opens a Secret in an editor.
pub fn secret(out: &mut Reader<'_>) {
    let kind = Word::literal("secret");
    let named: Vec<&Word> = std::iter::once(&kind).chain(out.words.from(1).iter().copied()).collect();
    targets(C::Mutate, &named, out);
}

/// `env=prod`, `env-`.
fn is_setting(word: &Word) -> bool {
    word.text.as_str().is_some_and(|t| t.contains('=') || t.ends_with('-'))
}

/// The objects that words, selectors or manifests name.
fn targets(class: C, named: &[&Word], out: &mut Reader<'_>) {
    if out.has_files() {
        out.add(class, "dyn:objects that the same get lists", R::Exact);
        return super::make::files(Mode::Objects, out);
    }
    out.ask(named);
    out.ask_options();
    if out.words.any(&["--selector", "--field-selector", "--all", "--all-namespaces"]) {
        return out.add(class, "dyn:objects that the same get lists", R::Exact);
    }
    let objects = out.place.objects(named);
    // `rollout restart deployment` and `edit deployment`: of a kind alone all are meant, as with `get`.
    if objects.is_empty() && !named.is_empty() {
        return out.add(class, "dyn:objects that the same get lists", R::Exact);
    }
    out.each(class, objects, R::Exact);
}

/// `set image`, `set env`, `set resources`, `set selector`, `set serviceaccount`, `set subject`.
pub fn set(out: &mut Reader<'_>) {
    if out.words.has("--list") || out.words.has("--local") {
        return;
    }
    let mut named: Vec<&Word> = out.words.from(2).iter().filter(|w| !is_setting(w)).copied().collect();
    let slashed = named.first().is_some_and(|w| w.text.lossy().contains('/'));
    if slashed {
        named.truncate(named.iter().take_while(|w| w.text.lossy().contains('/')).count());
    } else if matches!(out.words.operand(1), "serviceaccount" | "sa") {
        named.truncate(2);
    }
    targets(C::Mutate, &named, out);
}

/// `rollout undo`, `restart`, `pause`, `resume`.
pub fn rollout(out: &mut Reader<'_>) {
    let (class, reversibility) = match out.words.operand(1) {
        "status" | "history" | "" => return,
        "restart" => (C::Disrupt, R::Compensating),
        _ => (C::Mutate, R::Exact),
    };
    let named: Vec<&Word> = out.words.from(2).to_vec();
    targets(class, &named, out);
    out.effects.iter_mut().for_each(|effect| effect.reversibility = reversibility);
}

/// `drain`, `cordon`, `uncordon`, `taint`.
pub fn nodes(verb: &str, out: &mut Reader<'_>) {
    let (class, reversibility) = match verb {
        "cordon" | "uncordon" => (C::Mutate, R::Exact),
        _ => (C::Disrupt, R::Compensating),
    };
    let is_taint = |w: &&&Word| w.text.as_str().is_some_and(|t| t.contains(['=', ':']) || t.ends_with('-'));
    let names: Vec<&Word> = match verb {
        "taint" => out.words.from(2).iter().filter(|w| !is_taint(w)).copied().collect(),
        _ => out.words.from(1).to_vec(),
    };
    out.ask.drains = verb == "drain";
    out.ask.words.push(Word::literal("nodes"));
    out.ask(&names);
    out.ask_options();
    if out.words.any(&["--selector", "--all"]) {
        return out.add(class, "dyn:nodes that the same get lists", reversibility);
    }
    for name in names {
        let text = name.text.lossy();
        let text = text.rsplit('/').next().unwrap_or_default();
        let object = if name.certain { out.place.object("node", text) } else { format!("dyn:{text}") };
        out.add(class, object, reversibility);
    }
}

/// `kubectl cp`: files in a pod, or ours.
pub fn copy(out: &mut Reader<'_>) {
    let to = out.words.from(2).first().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
    if to.contains(':') {
        let pod = format!("k8s:{}/{}/pod/{to}", out.place.context, out.place.namespace);
        out.not_kept("files inside a pod are not captured");
        return out.add(C::Overwrite, pod, R::Irreversible);
    }
    out.add(C::Overwrite, format!("path:{to}"), R::Exact);
    if let (Some(effect), Some(cwd)) = (out.effects.last_mut(), &out.inv.cwd) {
        effect.system = crate::model::SystemId::new("fs");
        let mut locator = crate::systems::locator(cwd.join(to.as_bytes()));
        locator.opts.insert("scope".to_owned(), "tree".into());
        effect.locator = Some(locator);
    }
}

/// `kubectl certificate approve|deny`.
pub fn certificate(out: &mut Reader<'_>) {
    out.not_kept("an approval cannot be taken back");
    let names: Vec<String> = out.words.from(2).iter().map(|w| w.text.lossy().into_owned()).collect();
    for name in names {
        let object = out.place.object("certificatesigningrequest", &name);
        out.add(C::Access, object, R::Compensating);
    }
}
