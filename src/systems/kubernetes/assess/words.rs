//! kubectl's command line as pflag reads it: options anywhere, values after `=` or in the next word, short ones in a bundle,
//! `_` as good as `-`; of a repeated option the last value wins.

use crate::model::Word;

/// Options that take the next word as their value (`kubectl COMMAND --help` of 1.20 and 1.32, `kubectl options`).
const VALUED: &[&str] = &[
    "--kubeconfig",
    "--context",
    "--cluster",
    "--user",
    "--namespace",
    "--server",
    "--as",
    "--as-group",
    "--as-uid",
    "--token",
    "--username",
    "--password",
    "--cache-dir",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--tls-server-name",
    "--request-timeout",
    "--profile",
    "--profile-output",
    "--v",
    "--vmodule",
    "--log-file",
    "--log-dir",
    "--kuberc",
    "--filename",
    "--kustomize",
    "--selector",
    "--field-selector",
    "--output",
    "--patch",
    "--patch-file",
    "--type",
    "--container",
    "--containers",
    "--raw",
    "--grace-period",
    "--timeout",
    "--replicas",
    "--image",
    "--port",
    "--overrides",
    "--override-type",
    "--current-replicas",
    "--resource-version",
    "--to-revision",
    "--revision",
    "--from-literal",
    "--from-file",
    "--from-env-file",
    "--from",
    "--keys",
    "--min",
    "--max",
    "--cpu-percent",
    "--since",
    "--since-time",
    "--tail",
    "--clusterrole",
    "--role",
    "--serviceaccount",
    "--name",
    "--target-port",
    "--sort-by",
    "--label-columns",
    "--env",
    "--field-manager",
    "--subresource",
    "--labels",
    "--limits",
    "--requests",
    "--group",
    "--verb",
    "--resource",
    "--resource-name",
    "--non-resource-url",
    "--aggregation-rule",
    "--annotation",
    "--annotations",
    "--audience",
    "--bound-object-kind",
    "--bound-object-name",
    "--bound-object-uid",
    "--cert",
    "--key",
    "--chunk-size",
    "--class",
    "--cluster-ip",
    "--clusterip",
    "--copy-to",
    "--custom",
    "--default-backend",
    "--description",
    "--docker-email",
    "--docker-password",
    "--docker-server",
    "--docker-username",
    "--duration",
    "--external-ip",
    "--for",
    "--hard",
    "--image-pull-policy",
    "--limit-bytes",
    "--load-balancer-ip",
    "--max-log-requests",
    "--max-unavailable",
    "--min-available",
    "--pod-running-timeout",
    "--pod-selector",
    "--preemption-policy",
    "--protocol",
    "--prune-allowlist",
    "--prune-whitelist",
    "--applyset",
    "--restart",
    "--retries",
    "--rule",
    "--schedule",
    "--scopes",
    "--session-affinity",
    "--set-image",
    "--skip-wait-for-delete-timeout",
    "--target",
    "--tcp",
    "--template",
    "--value",
    "--generator",
    "--hostport",
    "--node-port",
    "--address",
    "--nodes",
];

/// Short options that take a value, with their long names.
const SHORT: &[(char, &str)] = &[
    ('n', "--namespace"),
    ('s', "--server"),
    ('f', "--filename"),
    ('k', "--kustomize"),
    ('l', "--selector"),
    ('o', "--output"),
    ('p', "--patch"),
    ('c', "--container"),
    ('L', "--label-columns"),
    ('e', "--env"),
    ('r', "--replicas"),
    ('v', "--v"),
];

/// Short flags, with their long names.
const FLAGS: &[(char, &str)] = &[
    ('A', "--all-namespaces"),
    ('R', "--recursive"),
    ('h', "--help"),
    ('i', "--stdin"),
    ('t', "--tty"),
    ('w', "--watch"),
    ('q', "--quiet"),
];

/// A command's words: operands, and options by their long names.
pub struct Words<'a> {
    /// What is no option.
    pub operands: Vec<&'a Word>,
    /// Options in order; `None` where no value was given.
    pub options: Vec<(String, Option<Word>)>,
}

impl<'a> Words<'a> {
    /// Splits the words of a command of which `valued` and `short` take values.
    pub fn split(args: &'a [Word]) -> Words<'a> {
        Words::split_by(args, VALUED, SHORT)
    }

    /// The same for another program.
    pub fn split_by(args: &'a [Word], valued: &[&str], short: &[(char, &str)]) -> Words<'a> {
        let mut out = Words { operands: Vec::new(), options: Vec::new() };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let text = word.text.as_str().unwrap_or_default();
            if text == "--" {
                out.operands.extend(words.by_ref());
            } else if let Some(long) = text.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
                let name = format!("--{}", name.replace('_', "-"));
                let value = value.map(|v| Word { text: v.into(), ..word.clone() });
                let takes_next = value.is_none() && valued.contains(&name.as_str());
                let value = if takes_next { words.next().cloned() } else { value };
                out.options.push((name, value));
            } else if text.len() > 1 && text.starts_with('-') {
                out.bundle(word, &mut words, short);
            } else {
                out.operands.push(word);
            }
        }
        out
    }

    fn bundle(&mut self, word: &'a Word, rest: &mut std::slice::Iter<'a, Word>, short: &[(char, &str)]) {
        let text = word.text.as_str().unwrap_or_default();
        for (at, letter) in text.char_indices().skip(1) {
            let Some((_, long)) = short.iter().find(|(c, _)| *c == letter) else {
                let long = FLAGS.iter().find(|(c, _)| *c == letter).map(|(_, long)| (*long).to_owned());
                self.options.push((long.unwrap_or_else(|| format!("-{letter}")), None));
                continue;
            };
            let attached = text.get(at + letter.len_utf8()..).unwrap_or_default();
            let attached = attached.strip_prefix('=').unwrap_or(attached);
            let value = match attached {
                "" => rest.next().cloned(),
                value => Some(Word { text: value.into(), ..word.clone() }),
            };
            self.options.push(((*long).to_owned(), value));
            return;
        }
    }

    /// True where a flag is on: given, and not switched off again.
    pub fn has(&self, name: &str) -> bool {
        let last = self.options.iter().rev().find(|(n, _)| n == name);
        let off = |word: &Word| matches!(word.as_str(), Some("false" | "False" | "FALSE" | "0" | "f" | "F"));
        last.is_some_and(|(_, value)| !value.as_ref().is_some_and(off))
    }

    /// True where one of these options is there at all.
    pub fn any(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(n, _)| names.contains(&n.as_str()))
    }

    /// The last value of an option.
    pub fn value(&self, name: &str) -> Option<&Word> {
        self.options.iter().rev().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref())
    }

    /// The text of the last value of an option.
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|w| w.text.lossy().into_owned())
    }

    /// All values of an option.
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Word> {
        self.options.iter().filter(move |(n, _)| n == name).filter_map(|(_, v)| v.as_ref())
    }

    /// An operand's text; empty where there is none.
    pub fn operand(&self, at: usize) -> &str {
        self.operands.get(at).and_then(|w| w.text.as_str()).unwrap_or_default()
    }

    /// The operands from one on.
    pub fn from(&self, at: usize) -> &[&'a Word] {
        self.operands.get(at..).unwrap_or_default()
    }

    /// Nothing is done: `--dry-run` with any value but `none`.
    pub fn is_dry(&self) -> bool {
        let last = self.options.iter().rev().find(|(n, _)| n == "--dry-run");
        let executes = |word: &Word| matches!(word.as_str(), Some("none" | "false"));
        last.is_some_and(|(_, value)| !value.as_ref().is_some_and(executes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> (Vec<String>, Vec<(String, Option<String>)>) {
        let args: Vec<Word> = line.split_whitespace().map(Word::literal).collect();
        let words = Words::split(&args);
        let text = |w: &Word| w.text.lossy().into_owned();
        let options = words.options.iter().map(|(n, v)| (n.clone(), v.as_ref().map(text))).collect();
        (words.operands.iter().map(|w| text(w)).collect(), options)
    }

    #[test]
    fn options_are_read_as_pflag_reads_them() {
        let (operands, options) =
            split("-n=a delete -Rf x/ --grace_period 0 pod/a --all=false -lapp=x -- -b");
        assert_eq!(operands, ["delete", "pod/a", "-b"]);
        let options: Vec<String> =
            options.into_iter().map(|(n, v)| format!("{n}={}", v.unwrap_or_default())).collect();
        let want = [
            "--namespace=a",
            "--recursive=",
            "--filename=x/",
            "--grace-period=0",
            "--all=false",
            "--selector=app=x",
        ];
        assert_eq!(options, want);
    }

    #[test]
    fn the_last_dry_run_counts() {
        for (line, dry) in [
            ("--dry-run", true),
            ("--dry-run=server", true),
            ("--dry-run=client --dry-run=none", false),
            ("--dry-run=none --dry-run=client", true),
            ("--dry-run none", true),
            ("", false),
        ] {
            let args: Vec<Word> = line.split_whitespace().map(Word::literal).collect();
            assert_eq!(Words::split(&args).is_dry(), dry, "{line}");
        }
    }
}
