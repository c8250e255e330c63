//! The words of a terraform command as Go's flag package and terraform's own command line read them: single and double
//! dashes are the same, `-flag=value` and `-flag value`, `-flag=false`, and `TF_CLI_ARGS*` put in behind the verb.

use crate::model::{Bytes, Invocation, Word};
use crate::systems::AssessCx;

/// Flags whose value may stand in the next word. All others are switches.
const VALUED: &[&str] = &[
    "target",
    "exclude",
    "replace",
    "var",
    "var-file",
    "state",
    "state-out",
    "backup",
    "backup-out",
    "out",
    "lock-timeout",
    "parallelism",
    "config",
    "provider",
    "backend-config",
    "from-module",
    "plugin-dir",
    "lockfile",
    "generate-config-out",
    "target-file",
    "exclude-file",
    "filter",
    "test-directory",
    "junit-xml",
    "cloud-run",
    "platform",
    "fs-mirror",
    "net-mirror",
    "ignore-remote-version",
    "chdir",
];

/// A command's verb, flags and operands.
pub struct Words {
    /// The words of the verb: `["state", "rm"]`, `["apply"]`; empty where there is none.
    pub verb: Vec<String>,
    /// Flags without their dashes, in order, with their values.
    flags: Vec<(String, Option<Word>)>,
    /// What is no flag.
    pub operands: Vec<Word>,
    /// Where `-chdir` leads.
    pub chdir: Option<Word>,
}

impl Words {
    /// Reads a command.
    pub fn of(inv: &Invocation, cx: &AssessCx<'_>) -> Words {
        let mut out = Words { verb: Vec::new(), flags: Vec::new(), operands: Vec::new(), chdir: None };
        let args = inv.args();
        let is_flag = |word: &&Word| word.text.as_slice().starts_with(b"-");
        // What stands before the verb are global flags; they take their values behind `=` only.
        let globals = args.iter().take_while(is_flag).count();
        for word in args.iter().take(globals) {
            out.flag(word, None);
        }
        out.chdir = out.value("chdir").cloned();
        let mut at = globals;
        while let Some(word) = args.get(at).filter(|_| out.verb.len() < nested(&out.verb)) {
            out.verb.push(word.as_str().unwrap_or_default().to_owned());
            at += 1;
        }
        let mut rest = out.injected(inv, cx);
        rest.extend(args.iter().skip(at).cloned());
        out.read(&rest);
        out
    }

    fn read(&mut self, words: &[Word]) {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let text = word.text.as_slice();
            if text == b"--" {
                self.operands.extend(words.get(at..).unwrap_or_default().iter().cloned());
                return;
            }
            if text.len() < 2 || !text.starts_with(b"-") {
                self.operands.push(word.clone());
            } else if self.flag(word, words.get(at)) {
                at += 1;
            }
        }
    }

    /// Reads one flag; true where it has taken the next word.
    fn flag(&mut self, word: &Word, next: Option<&Word>) -> bool {
        let text = word.text.lossy().into_owned();
        let name = text.strip_prefix("--").or(text.strip_prefix('-')).unwrap_or(&text);
        if let Some((name, value)) = name.split_once('=') {
            self.flags.push((name.to_owned(), Some(Word { text: Bytes::from(value), ..word.clone() })));
            return false;
        }
        let value = next.filter(|_| VALUED.contains(&name)).cloned();
        let took = value.is_some();
        self.flags.push((name.to_owned(), value));
        took
    }

    /// `TF_CLI_ARGS` and `TF_CLI_ARGS_<verb>` are words that nobody sees on the line (terraform's `mergeEnvArgs`).
    fn injected(&self, inv: &Invocation, cx: &AssessCx<'_>) -> Vec<Word> {
        let verb = self.verb.join("_").replace('-', "_");
        let mut words = Vec::new();
        for name in [format!("TF_CLI_ARGS_{verb}"), "TF_CLI_ARGS".to_owned()] {
            let Some(value) = variable(inv, cx, &name) else { continue };
            words.extend(value.lossy().split_whitespace().map(|w| Word::literal(unquoted(w))));
        }
        words
    }

    /// A switch is on: given, and not as `-switch=false`.
    pub fn on(&self, name: &str) -> bool {
        let last = self.flags.iter().rev().find(|(n, _)| n == name);
        let off = |v: &Word| matches!(v.text.as_slice(), b"false" | b"f" | b"F" | b"FALSE" | b"False" | b"0");
        last.is_some_and(|(_, value)| !value.as_ref().is_some_and(off))
    }

    /// The last value of a flag.
    pub fn value(&self, name: &str) -> Option<&Word> {
        self.flags.iter().rev().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref())
    }

    /// All values of a flag.
    pub fn values(&self, name: &str) -> Vec<Word> {
        let named = self.flags.iter().filter(|(n, _)| n == name);
        named.filter_map(|(_, v)| v.clone()).collect()
    }

    /// The arguments that set variables, as they are given again when a plan is made: `-var=…`, `-var-file=…`.
    pub fn variables(&self) -> Vec<Bytes> {
        let sets = |name: &str| matches!(name, "var" | "var-file");
        let set = self.flags.iter().filter(|(n, v)| sets(n) && v.as_ref().is_some_and(|v| v.certain));
        set.filter_map(|(n, v)| Some(Bytes([b"-", n.as_bytes(), b"=", v.as_ref()?.text.as_slice()].concat())))
            .collect()
    }
}

/// How many words a verb has.
fn nested(verb: &[String]) -> usize {
    let first = verb.first().map(String::as_str);
    match first {
        Some("state" | "workspace" | "env" | "providers" | "metadata" | "stacks") => 2,
        _ => 1,
    }
}

/// The value of a variable as the command finds it.
pub fn variable<'a>(inv: &'a Invocation, cx: &'a AssessCx<'_>, name: &str) -> Option<&'a Bytes> {
    match inv.env.iter().rev().find(|(n, _)| n == name) {
        Some((_, value)) => value.as_ref(),
        None => cx.env.get(name),
    }
    .filter(|value| !value.is_empty())
}

/// Quotes around a whole word or its value: enough for what people put there.
fn unquoted(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '\'' | '"')).collect()
}
