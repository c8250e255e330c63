//! Packet filters and interfaces.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::Reader;

/// One of their commands.
pub fn network(program: &str, out: &mut Reader<'_>) {
    let words: Vec<&str> = out.inv.args().iter().filter_map(Word::as_str).collect();
    let any = |names: &[&str]| words.iter().any(|w| names.contains(w));
    match program {
        "iptables-save" | "ip6tables-save" => {}
        "iptables-restore" | "ip6tables-restore" => {
            if !any(&["-t", "--test"]) {
                out.add(C::Access, format!("net:{}", program.trim_end_matches("-restore")), R::Exact);
            }
        }
        "iptables" | "ip6tables" | "iptables-legacy" | "iptables-nft" => {
            // Long options may be shortened, and a chain may stand right behind a short one (getopt_long(3)).
            let long = [
                "--append",
                "--insert",
                "--delete",
                "--flush",
                "--policy",
                "--replace",
                "--new-chain",
                "--zero",
                "--delete-chain",
                "--rename-chain",
            ];
            let writes = |word: &&str| match word.strip_prefix("--") {
                Some(rest) => rest.len() > 1 && long.iter().any(|long| long.starts_with(*word)),
                None => {
                    word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c| "AIDFXPRNZE".contains(c)))
                }
            };
            if words.iter().any(writes) {
                out.add(C::Access, format!("net:{program}"), R::Exact);
            }
        }
        "nft" => {
            if !any(&["list"]) {
                out.add(C::Access, "net:nft", R::Exact);
            }
        }
        "ufw" => {
            if !any(&["status", "version", "show", "--dry-run"]) {
                out.add(C::Access, "net:ufw", R::Exact);
            }
        }
        "firewall-cmd" => {
            if !words.iter().any(|w| {
                w.starts_with("--list")
                    || w.starts_with("--get")
                    || w.starts_with("--query")
                    || *w == "--state"
            }) {
                out.add(C::Access, "net:firewalld", R::Exact);
            }
        }
        "ip" => {
            if any(&["add", "del", "delete", "set", "flush", "change", "replace", "append"]) {
                let name = words
                    .iter()
                    .position(|w| *w == "dev")
                    .and_then(|i| words.get(i + 1))
                    .or_else(|| words.iter().skip_while(|w| **w != "set").nth(1));
                let name = name.copied().unwrap_or("routes").to_owned();
                out.add(C::Disrupt, format!("net:{name}"), R::Exact);
            }
        }
        _ => {
            if any(&["up", "down"]) || words.len() > 2 {
                let name = words.first().copied().unwrap_or_default().to_owned();
                out.add(C::Disrupt, format!("net:{name}"), R::Exact);
            }
        }
    }
}
