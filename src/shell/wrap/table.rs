//! The wrappers whose own words can be told by a table.

use super::Peeled;
use crate::model::Word;

/// How a wrapper's own words look.
pub struct Wrapper {
    /// Its base name.
    pub name: &'static str,
    /// Short options that take a value.
    pub short: &'static str,
    /// Long options that take a value in the next word.
    pub long: &'static [&'static str],
    /// Options after which nothing is run.
    pub quits: &'static [&'static str],
    /// Operands before the command.
    pub operands: usize,
    /// `NAME=value` words may precede the command.
    pub assigns: bool,
    /// A single word is a text for the shell.
    pub joins: bool,
    /// The option whose value is a file that the wrapper itself writes.
    pub writes: &'static [&'static str],
}

/// A wrapper of which only these are known.
pub const fn plain(
    name: &'static str,
    short: &'static str,
    long: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper { name, short, long, quits: &[], operands, assigns: false, joins: false, writes: &[] }
}

const SUDO_LONG: &[&str] = &[
    "--user",
    "--group",
    "--host",
    "--prompt",
    "--chdir",
    "--chroot",
    "--close-from",
    "--command-timeout",
    "--type",
    "--role",
    "--other-user",
    "--auth-type",
    "--login-class",
];

const OUTPUT: &[&str] = &["-o", "--output"];

const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        name: "sudo",
        short: "ugpCDRTthUra",
        long: SUDO_LONG,
        quits: &[
            "-l",
            "-v",
            "-k",
            "-K",
            "-V",
            "--list",
            "--validate",
            "--reset-timestamp",
            "--remove-timestamp",
        ],
        operands: 0,
        assigns: true,
        joins: false,
        writes: &[],
    },
    Wrapper { quits: &["-L"], ..plain("doas", "uC", &[], 0) },
    plain("nohup", "", &[], 0),
    Wrapper { writes: OUTPUT, ..plain("time", "fo", &["--format", "--output"], 0) },
    Wrapper { writes: OUTPUT, ..plain("gtime", "fo", &["--format", "--output"], 0) },
    plain("nice", "n", &["--adjustment"], 0),
    Wrapper {
        quits: &["-p", "-P", "-u"],
        ..plain("ionice", "cnpPu", &["--class", "--classdata", "--pid"], 0)
    },
    Wrapper { quits: &["-p", "-m"], ..plain("chrt", "TPD", &[], 1) },
    Wrapper { quits: &["-p"], ..plain("taskset", "", &[], 1) },
    plain("timeout", "sk", &["--signal", "--kill-after"], 1),
    plain("gtimeout", "sk", &["--signal", "--kill-after"], 1),
    plain("stdbuf", "ioe", &["--input", "--output", "--error"], 0),
    plain("setsid", "", &[], 0),
    plain("unbuffer", "", &[], 0),
    Wrapper { joins: true, ..plain("watch", "n", &["--interval"], 0) },
    Wrapper {
        writes: OUTPUT,
        ..plain("strace", "abeEIoOpPsSuUX", &["--output", "--trace", "--attach", "--string-limit"], 0)
    },
    Wrapper { writes: OUTPUT, ..plain("ltrace", "aAeFlLnopsuwxX", &["--output"], 0) },
    plain("flock", "wEc", &["--timeout", "--wait", "--conflict-exit-code", "--command"], 1),
    plain("chroot", "", &[], 1),
    plain("nsenter", "tSGWw", &["--target", "--setuid", "--setgid", "--wdns"], 0),
    plain("unshare", "SGRw", &["--setuid", "--setgid", "--root", "--wd"], 0),
    plain(
        "systemd-run",
        "tpuEGHMd",
        &["--unit", "--property", "--setenv", "--uid", "--gid", "--working-directory"],
        0,
    ),
    plain("systemd-inhibit", "", &["--what", "--who", "--why", "--mode"], 0),
    plain("caffeinate", "tw", &[], 0),
    plain("pkexec", "", &["--user"], 0),
    plain("dbus-run-session", "", &["--config-file"], 0),
    plain("fakeroot", "lis", &["--lib", "--faked"], 0),
    plain("proxychains", "f", &[], 0),
    plain("proxychains4", "f", &[], 0),
    plain("catchsegv", "", &[], 0),
    plain("setarch", "", &[], 1),
    plain("linux64", "", &[], 0),
    plain("numactl", "NCmipl", &["--cpunodebind", "--membind", "--interleave", "--physcpubind"], 0),
    plain("cpulimit", "lpe", &["--limit"], 0),
    plain("direnv", "", &[], 2),
    plain("dotenv", "ef", &[], 0),
    plain("chronic", "", &[], 0),
];

/// The wrapper of that name.
pub fn wrapper(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|w| w.name == name)
}

/// Steps over a wrapper's own words.
pub fn peel<'a>(wrapper: &Wrapper, argv: &'a [Word]) -> Peeled<'a> {
    let mut out = Peeled { options: Vec::new(), operands: Vec::new(), assigns: Vec::new(), rest: argv.len() };
    let mut at = 1;
    while let Some(word) = argv.get(at) {
        let text = word.text.as_str().unwrap_or_default();
        if text == "--" {
            at += 1;
            break;
        }
        if !text.starts_with('-') || text == "-" {
            break;
        }
        at += 1;
        if text.starts_with("--") {
            if let Some((name, value)) = text.split_once('=') {
                let value = Word { text: value.into(), ..word.clone() };
                out.options.push((name.to_owned(), Some(value)));
                continue;
            }
            let takes = wrapper.long.contains(&text);
            out.options.push((text.to_owned(), if takes { argv.get(at).cloned() } else { None }));
            at += usize::from(takes);
            continue;
        }
        for (i, c) in text.char_indices().skip(1) {
            let takes = wrapper.short.contains(c);
            let last = i + c.len_utf8() == text.len();
            let value = match (takes, last) {
                (true, true) => argv.get(at).cloned(),
                (true, false) => {
                    let rest = text.get(i + c.len_utf8()..).unwrap_or_default();
                    Some(Word { text: rest.into(), ..word.clone() })
                }
                _ => None,
            };
            out.options.push((format!("-{c}"), value));
            at += usize::from(takes && last);
            if takes {
                break;
            }
        }
    }
    while wrapper.assigns && argv.get(at).is_some_and(is_assign) {
        out.assigns.extend(argv.get(at));
        at += 1;
    }
    for _ in 0..wrapper.operands {
        out.operands.extend(argv.get(at));
        at += 1;
    }
    out.rest = at.min(argv.len());
    out
}

/// `NAME=value`
pub fn is_assign(word: &Word) -> bool {
    let name = word.text.as_str().and_then(|t| t.split_once('=')).map(|(n, _)| n);
    name.is_some_and(super::super::word_is_name)
}
