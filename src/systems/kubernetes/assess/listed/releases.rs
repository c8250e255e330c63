//! `helm list -q | xargs helm uninstall` and its like: whatever the names come from, the releases are those of one namespace,
//! and all of them are captured. What is not uninstalled is as it was, and an undo leaves it alone.

use super::super::access;
use super::super::helm;
use super::super::words::Words;
use super::{Lister, is_same_cluster, is_whole, namespace, put};
use crate::model::{Effect, Invocation};
use crate::systems::AssessCx;
use crate::systems::kubernetes::query::{self, Mode, Query};

/// Options of a list that only choose among the releases of its namespace (`-f` reads as `--values`, as elsewhere in helm).
const CHOOSE: &[&str] = &[
    "--short",
    "--quiet",
    "--namespace",
    "--filter",
    "--values",
    "--selector",
    "--labels",
    "--all",
    "-a",
    "-d",
    "-r",
    "-m",
    "--deployed",
    "--failed",
    "--pending",
    "--uninstalling",
    "--date",
    "--reverse",
    "--max",
    "--offset",
];

/// What says nothing but names.
const LIST: Lister =
    Lister { is_command: |inv| is_helm(inv) && is_list(&helm::words(inv)), is_text: is_list_text };

/// True for helm itself.
pub fn is_helm(inv: &Invocation) -> bool {
    inv.remote.is_none() && inv.program() == Some("helm")
}

/// Gives an uninstall whose releases are not named a question that finds all that they can be.
pub fn from_the_line(effects: &mut [Effect], inv: &Invocation, earlier: &[Invocation], cx: &AssessCx<'_>) {
    let words = helm::words(inv);
    let is_open = |effect: &Effect| effect.locator.as_ref().is_some_and(query::is_unnamed);
    if !helm::uninstalls(&words) || !effects.iter().any(is_open) {
        return;
    }
    let Ok(access) = access::read("kubectl", &words, inv, cx) else { return };
    let options = words.options.iter().all(|(_, value)| value.as_ref().is_none_or(|word| word.certain));
    let here = |inv: &&Invocation| is_helm(inv) && is_list(&helm::words(inv));
    // Of several lists nothing says which one the names are of.
    let mut lists = earlier.iter().filter(here);
    let alone = lists.next().is_some_and(|list| {
        let of = access::read("kubectl", &helm::words(list), list, cx);
        of.is_ok_and(|of| is_same_cluster(&of, &access) && namespace(&of) == namespace(&access))
    }) && lists.next().is_none();
    let sure = (alone && options && is_whole(words.from(1), inv, earlier, &LIST)).then(Vec::new);
    put(effects, &Query { access, mode: Mode::Releases, destroys: true, sure, ..Query::default() });
}

/// `helm list -q`: names, each on a line of its own.
fn is_list(words: &Words<'_>) -> bool {
    let known = words.options.iter().all(|(name, _)| CHOOSE.contains(&name.as_str()) || is_of_cluster(name));
    matches!(words.operand(0), "list" | "ls") && words.any(&["--short", "--quiet"]) && known
}

fn is_of_cluster(name: &str) -> bool {
    matches!(
        name,
        "--context" | "--kubeconfig" | "--server" | "--as" | "--as-group" | "--certificate-authority"
    )
}

/// The same by the words of a substitution, or of what `xargs` reads.
fn is_list_text(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let of = words.next() == Some("helm") && words.any(|word| matches!(word, "list" | "ls"));
    of && text.split_whitespace().any(|word| matches!(word, "-q" | "--short"))
}
