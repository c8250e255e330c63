//! Processes and the sessions of terminals.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// One of their commands.
pub fn processes(program: &str, out: &mut Reader<'_>) {
    if program == "kill" {
        return kill(out);
    }
    // `-KILL`, `-SIGTERM`, `-9` are signals, not bundles of options.
    let is_signal = |w: &&Word| {
        let name = w.as_str().and_then(|t| t.strip_prefix('-'));
        name.is_some_and(|n| n.len() > 1 && n.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
            || name.is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit() && c != b'0'))
    };
    let args: Vec<Word> = out.inv.args().iter().filter(|w| !is_signal(w)).cloned().collect();
    let words =
        Words::split(&args, Takes::One(&["-s", "-n", "-u", "-U", "-g", "-t", "-P", "--signal", "--user"]));
    if program == "fuser" {
        // Without `-k` it lists.
        if words.options.iter().any(|(n, _)| n == "--kill" || !n.starts_with("--") && n.contains('k')) {
            out.add(C::Disrupt, "dyn:processes that fuser lists", R::Irreversible);
        }
        return;
    }
    if words.has(&["-l", "-L", "--list", "-0"]) && program != "pkill"
        || words.has(&["-0"])
        || words.text(&["-s"]).as_deref() == Some("0")
    {
        return;
    }
    let names: Vec<Word> = words.from(0).iter().map(|w| (*w).clone()).collect();
    let names: Vec<&Word> = names.iter().collect();
    if program == "pkill" {
        let pattern = names.first().map(|w| w.text.lossy().into_owned()).unwrap_or_default();
        out.add(C::Disrupt, format!("dyn:pgrep {pattern}"), R::Irreversible);
        return;
    }
    out.each(C::Disrupt, "proc:", &names, R::Irreversible);
}

/// `kill`: behind the signal, `-PID` is a group of processes and `-1` all that one may signal.
fn kill(out: &mut Reader<'_>) {
    let args = out.inv.args();
    let first = args.first().and_then(Word::as_str).unwrap_or_default();
    let (signal, rest) = match first {
        "-s" | "-n" | "--signal" => (args.get(1).and_then(Word::as_str).unwrap_or_default(), args.get(2..)),
        "-l" | "-L" | "--list" | "--table" | "--" => ("", Some(args).filter(|_| first == "--")),
        other => match other.strip_prefix("--signal=").or_else(|| other.strip_prefix('-')) {
            Some(signal) => (signal, args.get(1..)),
            None => ("", Some(args)),
        },
    };
    if matches!(signal, "0" | "L" | "l") {
        return;
    }
    let targets = rest.unwrap_or_default().iter().filter(|word| word.as_str() != Some("--"));
    let (all, named): (Vec<&Word>, Vec<&Word>) = targets.partition(|word| word.as_str() == Some("-1"));
    if !all.is_empty() {
        out.add(C::Disrupt, "dyn:every process that the user may signal", R::Irreversible);
    }
    if !named.is_empty() || all.is_empty() && !matches!(first, "-l" | "-L" | "--list" | "--table") {
        out.each(C::Disrupt, "proc:", &named, R::Irreversible);
    }
}

/// What the shell room left of `tmux` and `screen`: commands on running sessions.
pub fn terminals(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-t", "-s", "-S", "-X"]));
    let ends = words.operand(0).starts_with("kill-")
        || words.value(&["-X"]).is_some_and(|w| matches!(w.as_str(), Some("quit" | "kill")));
    match words.text(&["-t", "-S"]) {
        Some(session) if ends => out.add(C::Disrupt, format!("proc:{program} {session}"), R::Irreversible),
        None if ends => out.add(C::Disrupt, format!("dyn:{program} sessions"), R::Irreversible),
        _ => out.opaque(program),
    }
}
