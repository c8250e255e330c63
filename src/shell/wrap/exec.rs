//! Programs that run a command once per item (`xargs`, `parallel`, `find -exec`, `fd -x`) or elsewhere (containers).

use super::super::state::Shell;
use super::super::text;
use super::super::walk::{Ready, Status, Walker};
use super::table;
use crate::model::{Stdin, Word};

/// The most items that are put in as arguments.
const MAX_ITEMS: usize = 1000;

const XARGS: table::Wrapper = table::Wrapper {
    name: "xargs",
    short: "adEILnPs",
    long: &[
        "--arg-file",
        "--delimiter",
        "--max-lines",
        "--max-args",
        "--max-procs",
        "--max-chars",
        "--process-slot-var",
    ],
    quits: &[],
    operands: 0,
    assigns: false,
    joins: false,
    writes: &[],
};

const PARALLEL: table::Wrapper = table::Wrapper {
    name: "parallel",
    short: "jaIdCEnNSL",
    long: &[
        "--jobs",
        "--arg-file",
        "--delimiter",
        "--colsep",
        "--max-args",
        "--joblog",
        "--results",
        "--timeout",
        "--retries",
        "--delay",
        "--sshlogin",
        "--workdir",
        "--tmpdir",
        "--halt",
    ],
    quits: &["--help", "--version"],
    operands: 0,
    assigns: false,
    joins: false,
    writes: &[],
};

impl Walker<'_> {
    pub(super) fn xargs(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        let peeled = table::peel(&XARGS, &ready.argv);
        if peeled.has(&["--help", "--version"]) {
            return Status::Unknown;
        }
        let text = |names: &[&str]| peeled.value(names).map(|w| w.text.lossy().into_owned());
        let file = text(&["-a", "--arg-file"]);
        let mut replace = text(&["-I", "--replace"]);
        if replace.is_none() && peeled.has(&["-i", "--replace"]) {
            replace = Some("{}".to_owned());
        }
        let null = peeled.has(&["-0", "--null"]);
        let plain = !peeled.has(&["-d", "--delimiter", "-E"]);
        let rest = peeled.rest;
        let items = match (&sh.frame.stdin, &file) {
            (Stdin::Text(word), None) if word.certain && plain => items(word, null, replace.is_some()),
            _ => None,
        };
        let whole = match (&file, &sh.frame.stdin) {
            (None, Stdin::Pipe) if plain => sh.frame.piped.clone(),
            _ => None,
        };
        let source = match (&file, &sh.frame.stdin) {
            (Some(file), _) => file.clone(),
            (None, Stdin::File(word)) => word.text.lossy().into_owned(),
            _ => "arguments from standard input".to_owned(),
        };
        let mut argv = ready.argv.split_off(rest);
        if argv.is_empty() {
            argv.push(Word::literal("echo"));
        }
        self.inside(sh, "xargs", ready.redirects, |w, sh| {
            sh.frame.stdin = Stdin::Inherited;
            match (items, replace) {
                (Some(items), Some(mark)) => {
                    for item in items {
                        let argv = argv.iter().map(|a| substitute(a, &mark, Some(&item))).collect();
                        w.program(sh, argv, Vec::new());
                    }
                }
                (Some(items), None) => {
                    argv.extend(items);
                    w.program(sh, argv, Vec::new());
                }
                (None, Some(mark)) => {
                    (sh.frame.dynamic, sh.frame.dynamic_from) = (Some(source), whole);
                    let argv = unknown_items(sh, &argv, &[&mark]);
                    w.program(sh, argv, Vec::new());
                }
                (None, None) => {
                    (sh.frame.dynamic, sh.frame.dynamic_from) = (Some(source.clone()), whole);
                    if is_shell_text(&argv) {
                        argv.push(Word { text: source.as_str().into(), certain: false, glob: false });
                    }
                    w.program(sh, argv, Vec::new());
                }
            }
            Status::Unknown
        })
    }

    pub(super) fn parallel(&mut self, sh: &mut Shell, mut ready: Ready) -> Status {
        let peeled = table::peel(&PARALLEL, &ready.argv);
        if peeled.has(&["--help", "--version", "--dry-run", "--dryrun"]) {
            return Status::Unknown;
        }
        let command = ready.argv.split_off(peeled.rest);
        let at = command.iter().position(|w| matches!(w.as_str(), Some(":::" | "::::" | ":::+" | "::::+")));
        let (template, items) = command.split_at(at.unwrap_or(command.len()));
        let literal = items.first().and_then(Word::as_str) == Some(":::")
            && !items.iter().skip(1).any(|w| w.text.as_slice().starts_with(b":::"));
        let items: Vec<Word> = items.iter().skip(1).cloned().collect();
        let marks = template.iter().any(|w| w.text.as_slice().windows(2).any(|p| p == b"{}"));
        let template = template.to_vec();
        self.inside(sh, "parallel", ready.redirects, |w, sh| {
            if !literal {
                let from = items.first().map(|w| w.text.lossy().into_owned());
                sh.frame.dynamic = Some(from.unwrap_or_else(|| "arguments from standard input".to_owned()));
                let argv = unknown_items(sh, &template, MARKS);
                return w.joined(sh, argv);
            }
            let parts = template
                .iter()
                .any(|w| MARKS.iter().skip(1).any(|m| text::from_bytes(w.text.as_slice()).contains(m)));
            if parts {
                sh.frame.dynamic = Some("parts of the items".to_owned());
                let argv = unknown_items(sh, &template, MARKS);
                return w.joined(sh, argv);
            }
            for item in items.into_iter().take(MAX_ITEMS) {
                let mut argv: Vec<Word> = template.iter().map(|a| substitute(a, "{}", Some(&item))).collect();
                if !marks {
                    argv.push(item);
                }
                w.joined(sh, argv);
            }
            Status::Unknown
        })
    }

    /// A single word is a text for the shell, several are an argv.
    fn joined(&mut self, sh: &mut Shell, mut argv: Vec<Word>) -> Status {
        let is_text = argv.first().is_some_and(|w| w.text.as_slice().contains(&b' '));
        if is_text {
            let text: Vec<_> = argv.iter().map(|w| text::from_bytes(w.text.as_slice())).collect();
            let certain = argv.iter().all(|w| w.certain) || sh.frame.dynamic.is_some();
            let word = Word { text: text::to_bytes(&text.join(" ")), certain, glob: false };
            argv.clear();
            return self.word_script(sh, &word);
        }
        if argv.is_empty() {
            self.opaque("commands from standard input");
            return Status::Unknown;
        }
        self.program(sh, argv, Vec::new())
    }

    /// `find … -exec command {} +`: the command is one invocation, `find` itself another.
    pub(super) fn find(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        let roots: Vec<Word> = find_starts(&ready.argv).cloned().collect();
        let starts: Vec<_> = roots.iter().map(|w| w.text.lossy().into_owned()).collect();
        let source = format!("find {}", if starts.is_empty() { ".".to_owned() } else { starts.join(" ") });
        let mut at = 1;
        while at < ready.argv.len() {
            let verb = ready.argv.get(at).and_then(Word::as_str).unwrap_or_default();
            let there = matches!(verb, "-execdir" | "-okdir");
            let is_exec = there || matches!(verb, "-exec" | "-ok");
            at += 1 + find_values(verb);
            if !is_exec {
                continue;
            }
            let end = ready.argv.iter().skip(at).position(|w| matches!(w.as_str(), Some(";" | "+")));
            let end = at + end.unwrap_or(ready.argv.len() - at);
            let words = ready.argv.get(at..end).unwrap_or_default();
            if !words.is_empty() {
                self.inside(sh, "find", Vec::new(), |w, sh| {
                    let argv = unknown_items(sh, words, &["{}"]);
                    sh.frame.dynamic = Some(source.clone());
                    sh.frame.roots.clone_from(&roots);
                    if there {
                        // Runs in the directory of each file that is found.
                        sh.cwd = None;
                    }
                    w.program(sh, argv, Vec::new())
                });
            }
            at = end;
        }
        self.push(sh, ready);
        Status::Unknown
    }

    /// `fd … -x command`
    pub(super) fn fd(&mut self, sh: &mut Shell, ready: Ready) -> Status {
        let exec = ready
            .argv
            .iter()
            .position(|w| matches!(w.as_str(), Some("-x" | "-X" | "--exec" | "--exec-batch")));
        let Some(at) = exec else {
            self.push(sh, ready);
            return Status::Unknown;
        };
        let words: Vec<Word> =
            ready.argv.iter().skip(at + 1).take_while(|w| w.as_str() != Some(";")).cloned().collect();
        self.inside(sh, "fd", ready.redirects, |w, sh| {
            let argv = unknown_items(sh, &words, MARKS);
            sh.frame.dynamic = Some("fd".to_owned());
            if argv.is_empty() { Status::Unknown } else { w.program(sh, argv, Vec::new()) }
        })
    }

    /// `docker exec c command`, `kubectl exec pod -- command`; everything else of these is the program itself.
    pub(super) fn container(&mut self, sh: &mut Shell, base: &str, mut ready: Ready) -> Status {
        let Some((place, at)) = exec_place(base, &ready.argv) else {
            self.push(sh, ready);
            return Status::Unknown;
        };
        let command = ready.argv.split_off(at.min(ready.argv.len()));
        if command.is_empty() {
            self.push(sh, ready);
            return Status::Unknown;
        }
        // With options of its own, or by way of compose, it need not be the engine and the name that `exec` alone would mean.
        let first = ready.argv.get(1).and_then(Word::as_str);
        let wrapper =
            if matches!(first, Some("exec" | "container")) { base.to_owned() } else { format!("{base} …") };
        self.remote(sh, &wrapper, &place, ready.redirects, |w, sh| w.program(sh, command, Vec::new()))
    }
}

/// Where `docker exec` and `kubectl exec` run, and where the command begins.
fn exec_place(base: &str, argv: &[Word]) -> Option<(String, usize)> {
    let kube = matches!(base, "kubectl" | "k" | "oc");
    let (short, long): (&str, &[&str]) = if kube {
        (
            "cnsf",
            &["--container", "--namespace", "--context", "--kubeconfig", "--cluster", "--user", "--server"],
        )
    } else {
        (
            "HceuwflpD",
            &[
                "--host",
                "--context",
                "--env",
                "--user",
                "--workdir",
                "--env-file",
                "--detach-keys",
                "--index",
                "--file",
                "--project-name",
                "--profile",
                "--log-level",
                "--config",
            ],
        )
    };
    let mut words = Vec::new();
    let (mut at, mut namespace) = (1, "default".to_owned());
    let wanted = if base.ends_with("compose") { 2 } else { 2 + usize::from(word_is(argv.get(1), "compose")) };
    while let Some(word) = argv.get(at) {
        let text = word.text.as_str().unwrap_or_default();
        at += 1;
        if text == "--" {
            break;
        }
        if let Some(name) = text.strip_prefix("--") {
            if text == "--namespace" {
                namespace = argv.get(at).map(|w| w.text.lossy().into_owned())?;
            } else if let Some(value) = name.strip_prefix("namespace=") {
                namespace = value.to_owned();
            }
            at += usize::from(long.contains(&text));
            continue;
        }
        if text.starts_with('-') && text.len() > 1 {
            let takes = text.chars().skip(1).position(|c| short.contains(c));
            if text == "-n" && kube {
                namespace = argv.get(at).map(|w| w.text.lossy().into_owned())?;
            }
            at += usize::from(takes.is_some_and(|i| i + 2 == text.len()));
            continue;
        }
        words.push(word.text.lossy().into_owned());
        let verbs = words.iter().filter(|w| matches!(w.as_str(), "exec" | "compose" | "container")).count();
        if verbs == words.len() && words.len() < 4 {
            continue;
        }
        if verbs + 1 == words.len() && !kube {
            break;
        }
        if words.len() > wanted {
            break;
        }
    }
    if kube && word_is(argv.get(at), "--") {
        at += 1;
    }
    if !words.iter().any(|w| w == "exec")
        || words.first().is_some_and(|w| !matches!(w.as_str(), "exec" | "compose" | "container"))
    {
        return None;
    }
    let name = words.last().filter(|w| w.as_str() != "exec")?;
    Some(if kube {
        let name = name.strip_prefix("pod/").or(name.strip_prefix("pods/")).unwrap_or(name);
        let what = if name.contains('/') { name.to_owned() } else { format!("pod/{name}") };
        (format!("k8s:dev/{namespace}/{what}"), at)
    } else {
        (format!("docker:container:{name}"), at)
    })
}

fn word_is(word: Option<&Word>, text: &str) -> bool {
    word.and_then(Word::as_str) == Some(text)
}

/// The starting points of a `find`.
pub fn find_starts(argv: &[Word]) -> impl Iterator<Item = &Word> {
    let is_option = |w: &&Word| {
        matches!(w.text.as_slice(), b"-H" | b"-L" | b"-P") || w.text.as_slice().starts_with(b"-O")
    };
    let ends = |w: &&Word| !(w.text.as_slice().starts_with(b"-") || matches!(w.text.as_slice(), b"(" | b"!"));
    argv.iter().skip(1).skip_while(is_option).take_while(ends)
}

/// How many of the words after a `find` expression's word are its values, not words of the expression (find(1)).
pub fn find_values(word: &str) -> usize {
    match word {
        "-name" | "-iname" | "-path" | "-ipath" | "-wholename" | "-iwholename" | "-regex" | "-iregex"
        | "-lname" | "-ilname" | "-type" | "-xtype" | "-perm" | "-size" | "-mtime" | "-mmin" | "-atime"
        | "-amin" | "-ctime" | "-cmin" | "-newer" | "-anewer" | "-cnewer" | "-user" | "-group" | "-uid"
        | "-gid" | "-links" | "-inum" | "-samefile" | "-maxdepth" | "-mindepth" | "-printf" | "-fstype"
        | "-context" | "-regextype" | "-used" | "-D" | "-files0-from" => 1,
        _ => usize::from(word.starts_with("-newer") && word.len() == 8),
    }
}

fn is_shell_text(argv: &[Word]) -> bool {
    let is_shell = argv.first().and_then(Word::as_str).map(|w| w.rsplit('/').next().unwrap_or(w));
    matches!(is_shell, Some("sh" | "bash" | "zsh" | "dash" | "ksh"))
        && argv.iter().any(|w| w.as_str() == Some("-c"))
}

/// A word in which the mark stands for an item, or for what only run time knows.
fn substitute(word: &Word, mark: &str, item: Option<&Word>) -> Word {
    let text = text::from_bytes(word.text.as_slice());
    if !text.contains(mark) {
        return word.clone();
    }
    match item {
        Some(item) => Word {
            text: text::to_bytes(&text.replace(mark, &text::from_bytes(item.text.as_slice()))),
            certain: word.certain && item.certain,
            glob: false,
        },
        None => Word { certain: false, ..word.clone() },
    }
}

/// The marks of `parallel` and `fd`: the item, and parts of it.
const MARKS: &[&str] = &["{}", "{.}", "{/}", "{//}", "{/.}", "{#}"];

/// A command whose items only run time knows. In a text for a shell a mark becomes a variable without a value, so
/// that the text can still be understood.
fn unknown_items(sh: &mut Shell, argv: &[Word], marks: &[&str]) -> Vec<Word> {
    const ITEM: &str = "_item";
    sh.forget(ITEM);
    let text_at = if is_shell_text(argv) {
        let has_c = |w: &Word| {
            w.as_str().is_some_and(|t| t.starts_with('-') && !t.starts_with("--") && t.contains('c'))
        };
        argv.iter().position(has_c).map(|at| at + 1)
    } else {
        argv.first().filter(|w| w.text.as_slice().contains(&b' ')).map(|_| 0)
    };
    let fill = |(at, word): (usize, &Word)| {
        if Some(at) == text_at {
            let text = text::from_bytes(word.text.as_slice());
            let text = marks.iter().fold(text.into_owned(), |t, mark| with_variable(&t, mark, ITEM));
            return Word { text: text::to_bytes(&text), ..word.clone() };
        }
        marks.iter().fold(word.clone(), |w, mark| substitute(&w, mark, None))
    };
    argv.iter().enumerate().map(fill).collect()
}

/// A shell's text with a variable in the place of a mark, whatever quotes the mark stands in.
fn with_variable(text: &str, mark: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut single = false;
    let mut double = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(mark) {
            match single {
                true => out.push_str(&format!("'\"${{{name}}}\"'")),
                false => out.push_str(&format!("${{{name}}}")),
            }
            rest = after;
            continue;
        }
        let mut taken = c.len_utf8();
        match c {
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '\\' if !single => taken += rest.chars().nth(1).map_or(0, char::len_utf8),
            _ => {}
        }
        out.push_str(rest.get(..taken).unwrap_or_default());
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// The items on a known standard input. Quotes mean something to xargs; they are left to run time.
fn items(word: &Word, null: bool, lines: bool) -> Option<Vec<Word>> {
    let text = word.text.as_slice();
    if !null && text.iter().any(|c| matches!(c, b'\'' | b'"' | b'\\')) {
        return None;
    }
    let split = |c: &u8| match (null, lines) {
        (true, _) => *c == 0,
        (false, true) => *c == b'\n',
        (false, false) => c.is_ascii_whitespace(),
    };
    let items: Vec<Word> = text.split(split).filter(|i| !i.is_empty()).map(Word::literal).collect();
    (items.len() <= MAX_ITEMS).then_some(items)
}
