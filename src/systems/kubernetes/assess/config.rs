//! Commands that change a kubeconfig: a file, which is the files system's to capture.

use super::words::Words;
use crate::model::{Bytes, Effect, EffectClass, Invocation, Locator, Reversibility, SystemId, Word};
use crate::systems::AssessCx;

/// `kubectl config`.
pub fn config(words: &Words<'_>, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    match words.operand(1) {
        "view" | "current-context" | "get-contexts" | "get-clusters" | "get-users" | "" => Vec::new(),
        _ => vec![file(words.value("--kubeconfig"), inv, cx)],
    }
}

/// `oc login`, `oc logout`, `oc project NAME`: the kubeconfig is written.
pub fn own(words: &Words<'_>, inv: &Invocation, cx: &AssessCx<'_>) -> Effect {
    file(words.value("--kubeconfig"), inv, cx)
}

/// `kubectx`, `kubens`, and the plugins of the same kind: with a name they switch.
pub fn switch(args: &[Word], inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Effect> {
    let words = Words::split(args);
    let switches = !words.operands.is_empty() || words.any(&["-d", "-u", "--unset"]);
    if switches || args.iter().any(|w| w.as_str() == Some("-")) {
        vec![file(None, inv, cx)]
    } else {
        Vec::new()
    }
}

/// The kubeconfig that is written: the one that is named, else the first of `KUBECONFIG`, else the user's.
fn file(named: Option<&Word>, inv: &Invocation, cx: &AssessCx<'_>) -> Effect {
    let list = inv.env_value("KUBECONFIG").or_else(|| cx.env.get("KUBECONFIG"));
    let first =
        list.and_then(|l| l.as_slice().split(|b| *b == b':').find(|p| !p.is_empty())).map(Bytes::from);
    let named = named.filter(|w| w.certain).map(|w| w.text.clone()).or(first);
    let (resource, path) = match (named, cx.home) {
        (Some(path), _) => {
            let at = inv.cwd.clone().unwrap_or_default().join(path.as_slice());
            (Bytes([b"path:", path.as_slice()].concat()), Some(at))
        }
        (None, Some(home)) => ("path:~/.kube/config".into(), Some(Bytes::from(home.join(".kube/config")))),
        (None, None) => ("path:~/.kube/config".into(), None),
    };
    let locator = path.map(|at| {
        let mut locator = Locator { at, ..Locator::default() };
        locator.opts.insert("scope".to_owned(), "node".into());
        locator
    });
    Effect {
        system: SystemId::new("fs"),
        class: EffectClass::Mutate,
        resource,
        reversibility: Reversibility::Exact,
        certain: true,
        locator,
    }
}
