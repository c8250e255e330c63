//! Hostile lines: no panic, no hang, never "safe" where something was not understood.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use fr::model::{Bytes, EffectClass};
use fr::record::{assess, explain};
use fr::shell::{ShellCx, Understood, understand};
use fr::systems::AssessCx;
use proptest::prelude::*;

fn look(line: &[u8]) -> (Understood, EffectClass, Duration) {
    let started = Instant::now();
    let cwd = Bytes::from("/nonexistent/project");
    let env = BTreeMap::new();
    let home = Some(Path::new("/home/dev"));
    let understood = understand(line, &ShellCx { cwd: &cwd, env: &env, home, globs: false, deadline: None });
    let effects = assess::assess(&understood, &AssessCx { env: &env, home });
    let class = explain::most_severe(&effects);
    (understood, class, started.elapsed())
}

/// A second as released; the parser unoptimised on a loaded machine is given more.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 1 });

fn quick(line: &[u8]) -> EffectClass {
    let (_, class, took) = look(line);
    let shown: String = String::from_utf8_lossy(line).chars().take(60).collect();
    assert!(took < LIMIT, "{took:?} for {shown:?}");
    class
}

#[test]
fn deep_nesting_ends_quickly_and_is_never_safe() {
    for n in [5, 12, 20, 40, 1000, 100_000] {
        for (open, close) in [
            ("(", ""),
            ("( ", " )"),
            ("$(", ")"),
            ("{ ", "; }"),
            ("if ", ""),
            ("if true; then ", "; fi"),
            ("while ", ""),
            ("case x in x) ", ";; esac"),
            ("`", "`"),
            ("\"$(", ")\""),
            ("${a:-", "}"),
            ("$((", "))"),
            ("<(", ")"),
            ("[[ ( ", " ) ]]"),
            ("! ", ""),
            ("f() { ", "; }"),
            ("{a,", "}"),
            ("sudo ", ""),
            ("eval ", ""),
            ("a && ", ""),
            ("a | ", ""),
            ("x=( ", ")"),
            ("coproc ", ""),
            ("bash -c \"", "\""),
            ("a <<E\n", "\nE\n"),
            ("(\")\" ", ""),
            ("case x in a) ( ", ""),
            ("(( 1 + ", " ))"),
        ] {
            let line = format!("{}rm -rf victim{}", open.repeat(n), close.repeat(n));
            let class = quick(line.as_bytes());
            // What these hide is data: braces expand to words, the last here-document is text.
            let hidden =
                ["f() { ", "${a:-", "$((", "[[ ( ", "x=( ", "{a,", "a <<E\n", "(( 1 + ", "if ", "while "];
            if !hidden.contains(&open) && n <= 40 {
                assert_ne!(class, EffectClass::None, "{line}");
            }
        }
    }
}

#[test]
fn numbers_that_do_not_fit_do_no_harm() {
    for line in [
        "echo 99999999999999999999>f",
        "echo {1..99999999999999999999}",
        "echo {99999999999999999999..1..9}",
        "echo ~99999999999999999999/x",
        "echo ~+99999999999999999999",
        "rm ${99999999999999999999}",
        "rm $((99999999999999999999))",
        "rm $((1/0)) $((-9223372036854775808 / -1)) ${X:9999999999999999999:1}",
        "rm {a..z..0} {-9223372036854775808..9223372036854775807}",
        "a=99999999999999999999(b)",
    ] {
        quick(line.as_bytes());
    }
}

#[test]
fn long_lines_are_bounded() {
    quick(&b"rm a; ".repeat(20_000));
    quick(&b"a ".repeat(400_000));
    quick(&b"{a,b}".repeat(1000));
    quick(&b"$x".repeat(100_000));
    quick(&b"'".repeat(300_001));
    quick(&[b"echo ".as_slice(), &b"\\".repeat(500_000)].concat());
    quick(b"for a in {1..200}; do for b in {1..200}; do for c in {1..200}; do rm $a$b$c; done; done; done");
    quick(b"f() { f; f; }; f");
    quick(b"f() { g; g; }; g() { f; f; }; f & g");
    assert_eq!(quick(&vec![b'x'; 3 << 20]), EffectClass::Opaque);
}

#[test]
fn bytes_that_are_no_text_come_through() {
    let (understood, class, _) = look(b"rm caf\xe9 \xff");
    assert_eq!(class, EffectClass::Destroy);
    let words: Vec<&[u8]> = understood.invocations[0].argv.iter().map(|w| w.text.as_slice()).collect();
    assert_eq!(words, [&b"rm"[..], b"caf\xe9", b"\xff"]);
    let (understood, class, _) = look(b"rm a\0b");
    assert_eq!(class, EffectClass::Destroy);
    assert!(!understood.opaque.is_empty());
}

#[test]
fn a_line_that_does_not_parse_is_opaque() {
    for line in [
        "rm 'x",
        "if true; then rm x",
        "rm x )",
        "echo $(",
        "for",
        "case x",
        "a | | b",
        "<<",
        "select x in a; do rm x; done",
    ] {
        assert_ne!(quick(line.as_bytes()), EffectClass::None, "{line}");
    }
}

const PARTS: &[&str] = &[
    "rm",
    " ",
    "-rf",
    "x",
    "'",
    "\"",
    "$",
    "(",
    ")",
    "{",
    "}",
    "`",
    "\\",
    "|",
    "&",
    ";",
    "\n",
    "<",
    ">",
    "<<",
    "E",
    "if",
    "then",
    "fi",
    "for",
    "in",
    "do",
    "done",
    "case",
    "esac",
    "while",
    "*",
    "?",
    "[",
    "]",
    "~",
    "=",
    "a",
    "1",
    "#",
    "!",
    "@",
    ",",
    "..",
    "$((",
    "))",
    "${",
    ":-",
    "function",
    "bash -c",
    "sudo",
    "xargs",
    "find . -exec",
    "eval",
    "git push",
    "[[",
    "]]",
    "cd",
    "é",
    "\t",
    "time",
    "coproc",
    "exec",
    "-",
    "--",
    "+",
    "2>&1",
    "99999999999",
    "&>",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_quickly(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        quick(&line);
    }

    #[test]
    fn any_mix_of_shell_ends_quickly(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..40)) {
        quick(parts.concat().as_bytes());
    }
}
