//! Services and scheduled jobs.

use crate::model::{EffectClass as C, Reversibility as R, Word};
use crate::systems::words::{Reader, Takes, Words};

/// One of their commands.
pub fn services(program: &str, out: &mut Reader<'_>) {
    let words = Words::split(
        out.inv.args(),
        Takes::One(&[
            "-p",
            "--property",
            "-t",
            "--type",
            "-H",
            "--host",
            "-M",
            "-n",
            "-o",
            "-s",
            "--signal",
            "--state",
        ]),
    );
    let (verb, names) = if program == "service" {
        let name: Vec<&Word> = words.operands.first().copied().into_iter().collect();
        (words.operand(1).to_owned(), name)
    } else {
        (words.operand(0).to_owned(), words.from(1).to_vec())
    };
    let bare = |w: &&Word| {
        let text = w.text.lossy().into_owned();
        let text = text
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".plist")
            .trim_end_matches(".service")
            .to_owned();
        Word { text: text.into(), ..(**w).clone() }
    };
    let named: Vec<Word> = names.iter().map(bare).collect();
    let named: Vec<&Word> = named.iter().collect();
    match verb.as_str() {
        "stop" | "restart" | "reload" | "kill" | "mask" | "disable" | "try-restart" | "unload"
        | "bootout" | "remove" | "isolate" | "condrestart" | "reload-or-restart" => {
            out.each(C::Disrupt, "svc:", &named, R::Exact);
        }
        "start" | "enable" | "unmask" | "load" | "bootstrap" | "kickstart" | "reset-failed"
        | "set-property" | "edit" | "revert" | "preset" => {
            out.each(C::Mutate, "svc:", &named, R::Exact);
        }
        "poweroff" | "reboot" | "halt" | "suspend" | "hibernate" | "rescue" | "emergency" | "kexec" => {
            out.add(C::Disrupt, "host", R::Irreversible)
        }
        "daemon-reload" | "daemon-reexec" => out.add(C::Mutate, "svc:systemd", R::Exact),
        "set-default" => out.add(C::Mutate, "host:default target", R::Exact),
        verb if verb.starts_with("list")
            || verb.starts_with("is-")
            || matches!(
                verb,
                "" | "status"
                    | "show"
                    | "cat"
                    | "help"
                    | "get-default"
                    | "print"
                    | "--status-all"
                    | "show-environment"
                    | "blame"
            ) => {}
        other => out.opaque(&format!("{program} {other}")),
    }
}

/// One of their commands.
pub fn crontab(out: &mut Reader<'_>) {
    let words = Words::split(out.inv.args(), Takes::One(&["-u"]));
    let who = words.text(&["-u"]).unwrap_or_else(|| "user".to_owned());
    if words.has(&["-l"]) {
    } else if words.has(&["-r"]) {
        out.add(C::Destroy, format!("cron:{who}"), R::Exact);
    } else if words.has(&["-e"]) {
        out.add(C::Opaque, format!("cron:{who}"), R::Exact);
    } else {
        out.add(C::Overwrite, format!("cron:{who}"), R::Exact);
    }
}
