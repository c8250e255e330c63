//! Settings of the running kernel and of the machine.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// One of their commands.
pub fn settings(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&["-t", "-o", "-u", "-n", "--unit", "-S", "-U", "--since", "--until", "-p"]),
    );
    match program {
        "sysctl" => {
            for word in out.inv.args().iter().filter(|w| !w.text.as_slice().starts_with(b"-")) {
                if let Some((name, _)) = word.text.as_str().and_then(|t| t.split_once('=')) {
                    out.add(C::Mutate, format!("host:sysctl {name}"), R::Exact);
                }
            }
            if words.has(&["-p", "--system"]) {
                out.add(C::Mutate, "dyn:sysctl settings", R::Exact);
            }
        }
        "journalctl" => {
            if words.options.iter().any(|(n, _)| n.starts_with("--vacuum") || n == "--rotate") {
                out.add(C::Weaken, "dyn:journal", R::Irreversible);
            }
        }
        "dmesg" => {
            if words.has(&["-C", "-c", "--clear", "--read-clear"]) {
                out.add(C::Weaken, "dyn:kernel log", R::Irreversible);
            }
        }
        "timedatectl" | "hostnamectl" | "loginctl" => {
            let verb = words.operand(0);
            if verb.starts_with("set-")
                || matches!(verb, "terminate-user" | "kill-session" | "terminate-session")
            {
                out.add(C::Mutate, format!("host:{verb}"), R::Exact);
            }
        }
        "mount" if words.operands.is_empty() || words.has(&["-l"]) => {}
        "swapon" if words.has(&["-s", "--show"]) => {}
        "logrotate" if words.has(&["-d", "--debug"]) => {}
        "logrotate" => out.add(C::Overwrite, "dyn:logs of its configuration", R::Exact),
        "umount" | "swapoff" if words.operands.is_empty() && words.has(&["-a", "--all"]) => {
            out.add(C::Disrupt, format!("dyn:all that {program} finds"), R::Exact);
        }
        "umount" | "swapoff" => out.each(C::Disrupt, "dev:", words.from(0), R::Exact),
        "mount" | "swapon" => {
            let last: Vec<&Word> = words.operands.last().copied().into_iter().collect();
            out.each(C::Mutate, "dev:", &last, R::Exact);
        }
        _ => out.each(C::Disrupt, "host:module ", words.from(0), R::Exact),
    }
}
