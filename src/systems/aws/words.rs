//! The grammar of the AWS command line (argparse, measured on 1.45): global options anywhere, each with one value; every
//! other option takes all words up to the next one; names may be shortened; `s3` has options of its own.

use crate::model::Word;

/// Options of every command with one value.
const GLOBALS: &[&str] = &[
    "--region",
    "--profile",
    "--endpoint-url",
    "--output",
    "--query",
    "--color",
    "--ca-bundle",
    "--cli-read-timeout",
    "--cli-connect-timeout",
    "--cli-binary-format",
    "--cli-error-format",
];

/// Options of every command without one.
const SWITCHES: &[&str] = &[
    "--debug",
    "--no-verify-ssl",
    "--no-paginate",
    "--no-sign-request",
    "--no-cli-pager",
    "--cli-auto-prompt",
    "--no-cli-auto-prompt",
    "--version",
];

/// Options of `aws s3` with a value; of some, several words.
const S3_VALUES: &[&str] = &[
    "--exclude",
    "--include",
    "--acl",
    "--storage-class",
    "--content-type",
    "--content-language",
    "--cache-control",
    "--metadata",
    "--sse",
    "--sse-kms-key-id",
    "--sse-c-copy-source",
    "--sse-c-copy-source-key",
    "--sse-c",
    "--sse-c-key",
    "--grants",
    "--expires",
    "--source-region",
    "--page-size",
    "--request-payer",
    "--metadata-directive",
    "--copy-props",
    "--expected-size",
    "--index-document",
    "--error-document",
    "--content-encoding",
    "--content-disposition",
    "--website-redirect",
    "--checksum-algorithm",
    "--checksum-mode",
    "--expires-in",
];

/// A command of the AWS command line.
pub struct Words<'a> {
    /// Service, operation, and what else stands before the first option.
    pub operands: Vec<&'a Word>,
    /// Options with their dashes and values, in order.
    pub options: Vec<(String, Vec<Word>)>,
    /// Global options that take a value.
    pub globals: Vec<(&'static str, Word)>,
    /// Global options that take none.
    pub switches: Vec<&'static str>,
    /// The arguments without the global ones.
    pub own: Vec<&'a Word>,
}

impl<'a> Words<'a> {
    /// Splits a command's arguments.
    pub fn split(args: &'a [Word]) -> Words<'a> {
        let mut out = Words {
            operands: Vec::new(),
            options: Vec::new(),
            globals: Vec::new(),
            switches: Vec::new(),
            own: Vec::new(),
        };
        let mut it = args.iter();
        while let Some(word) = it.next() {
            let text = word.text.as_str().unwrap_or_default();
            let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
            if let Some(global) = global(name, GLOBALS) {
                let value = match value {
                    Some(value) => Some(Word { text: value.into(), ..word.clone() }),
                    None => it.next().cloned(),
                };
                out.globals.extend(value.map(|value| (global, value)));
            } else if let Some(switch) = global(text, SWITCHES) {
                out.switches.push(switch);
            } else {
                out.own.push(word);
            }
        }
        match out.own.first().and_then(|w| w.as_str()) {
            Some("s3") => out.split_s3(),
            _ => out.split_operation(),
        }
        out
    }

    fn split_operation(&mut self) {
        let own = std::mem::take(&mut self.own);
        let mut it = own.iter().peekable();
        while let Some(word) = it.next() {
            let text = word.text.as_str().unwrap_or_default();
            if !text.starts_with("--") || text.len() < 3 {
                self.operands.push(word);
                continue;
            }
            let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
            let mut values: Vec<Word> =
                value.map(|value| Word { text: value.into(), ..(**word).clone() }).into_iter().collect();
            while let Some(value) = it.next_if(|next| !next.text.as_slice().starts_with(b"--")) {
                values.push((*value).clone());
            }
            self.options.push((name.to_owned(), values));
        }
        self.own = own;
    }

    fn split_s3(&mut self) {
        let own = std::mem::take(&mut self.own);
        let mut it = own.iter().peekable();
        while let Some(word) = it.next() {
            let text = word.text.as_str().unwrap_or_default();
            if !text.starts_with("--") || text.len() < 3 {
                self.operands.push(word);
                continue;
            }
            let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
            let mut values: Vec<Word> =
                value.map(|value| Word { text: value.into(), ..(**word).clone() }).into_iter().collect();
            if S3_VALUES.contains(&name) && values.is_empty() {
                values.extend(it.next().map(|value| (*value).clone()));
            }
            self.options.push((name.to_owned(), values));
        }
        self.own = own;
    }

    /// True where one of the options is given.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(n, _)| names.contains(&n.as_str()))
    }

    /// The text of the last value of an option.
    pub fn text(&self, name: &str) -> Option<String> {
        let of_it = self.options.iter().rev().find(|(n, _)| n == name);
        of_it.and_then(|(_, v)| v.first()).map(|w| w.text.lossy().into_owned())
    }

    /// An operand's text; empty where there is none.
    pub fn operand(&self, at: usize) -> &str {
        self.operands.get(at).and_then(|w| w.text.as_str()).unwrap_or_default()
    }

    /// The operands from one on.
    pub fn from(&self, at: usize) -> &[&'a Word] {
        self.operands.get(at..).unwrap_or_default()
    }

    /// The values of an option or of what it may be shortened to.
    pub fn named(&self, option: &str) -> Option<Vec<&Word>> {
        let fits = |n: &str| is_short_for(n, option) || n.strip_suffix('s') == Some(option);
        let found: Vec<&Word> = self.options.iter().filter(|(n, _)| fits(n)).flat_map(|(_, v)| v).collect();
        (!found.is_empty()).then_some(found)
    }

    /// Nothing is called: it asks for help, for a skeleton, or only says what it would do.
    pub fn is_harmless(&self) -> bool {
        self.has(&["--generate-cli-skeleton", "--dryrun", "--dry-run"])
            || self.switches.contains(&"--version")
            || self.operands.last().is_some_and(|w| w.as_str() == Some("help"))
    }
}

/// True where an option is written out or shortened by at most what argparse still takes for it.
pub fn is_short_for(written: &str, option: &str) -> bool {
    written == option || (written.len() > 4 && option.starts_with(written))
}

/// The global option that a word is, or is short for.
fn global(text: &str, of: &[&'static str]) -> Option<&'static str> {
    if let Some(found) = of.iter().find(|name| **name == text) {
        return Some(found);
    }
    // Shorter ones are the service's own more often than not.
    if text.len() < 5 || !text.starts_with("--") || text.starts_with("--cli") || text.starts_with("--no-") {
        return None;
    }
    let mut found = of.iter().filter(|name| name.starts_with(text));
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Word> {
        line.split(' ').map(Word::literal).collect()
    }

    #[test]
    fn global_options_stand_anywhere_and_may_be_short() {
        for line in [
            "--profile prod ec2 terminate-instances --instance-ids i-1 i-2",
            "ec2 --profile prod terminate-instances --instance-ids i-1 i-2",
            "ec2 terminate-instances --instance-ids i-1 i-2 --prof prod",
            "ec2 terminate-instances --profile=prod --instance-ids i-1 i-2 --debug",
        ] {
            let args = words(line);
            let words = Words::split(&args);
            assert_eq!((words.operand(0), words.operand(1)), ("ec2", "terminate-instances"), "{line}");
            assert_eq!(words.globals, [("--profile", Word::literal("prod"))], "{line}");
            assert_eq!(words.named("--instance-ids").map(|ids| ids.len()), Some(2), "{line}");
        }
    }

    #[test]
    fn an_abbreviation_names_the_same_resource() {
        let args = words("ec2 terminate-instances --instance-id i-1");
        assert!(Words::split(&args).named("--instance-ids").is_some());
    }

    #[test]
    fn s3_has_places_behind_its_switches() {
        let args = words("s3 rm --recursive s3://b/p --exclude *.log --quiet");
        let words = Words::split(&args);
        assert_eq!(words.operand(2), "s3://b/p");
        assert!(words.has(&["--recursive"]) && words.has(&["--quiet"]));
    }
}
