//! What agents put around the command they give to a shell. The record shall hold the command: the hook's record of the
//! same call does, and nobody looks for `shopt -u promptvars …`.
//!
//! Only the exact forms are taken off, and only where the agent's own mark is in the environment; anything else is
//! recorded as it stands. The forms were seen in Claude 2.1.197, Gemini CLI 0.61.0 and Codex 0.169.0 (agents.md 3).

use crate::intake::install::is_exactly_ours;
use crate::intake::{Env, text};

/// The command inside a shell's `-c` argument.
pub(super) fn command(line: &[u8], env: &Env) -> Vec<u8> {
    let inner = std::str::from_utf8(line).ok().and_then(|line| {
        let claude = text(env, "CLAUDECODE").and_then(|_| claude(line));
        let gemini = || text(env, "GEMINI_CLI").and_then(|_| gemini(line));
        let codex = || text(env, "CODEX_THREAD_ID").and_then(|_| codex(line));
        claude.or_else(gemini).or_else(codex)
    });
    inner.map_or_else(|| line.to_vec(), String::into_bytes)
}

/// True for an agent's call of `fr hook`: such shells read `BASH_ENV` too, and Codex's carry none of its marks.
pub(super) fn is_hook(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    if is_exactly_ours(line) {
        return true;
    }
    let guarded = line.trim().strip_prefix("command -v fr >/dev/null || exit 0; ").unwrap_or(line.trim());
    let words: Vec<&str> = guarded.strip_prefix("exec ").unwrap_or(guarded).split(' ').collect();
    let plain = |word: &&str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    match words.as_slice() {
        [program, "hook", _] => words.iter().all(plain) && program.rsplit('/').next() == Some("fr"),
        _ => false,
    }
}

/// `source SNAPSHOT 2>/dev/null || true && … && eval 'COMMAND' < /dev/null && pwd -P >| FILE`
fn claude(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("eval ")?;
    let known = |part: &str| {
        let Some(part) = part.strip_suffix(" 2>/dev/null || true") else { return part.is_empty() };
        let snapshot = part.strip_prefix("source ").is_some_and(|p| p.contains("/shell-snapshots/snapshot-"));
        !part.contains([';', '&', '|', '\n', '$', '`', '('])
            && (snapshot || part.starts_with("shopt -u ") || part.starts_with("setopt "))
    };
    if !before.split(" && ").all(known) {
        return None;
    }
    let (command, rest) = word(rest)?;
    let rest = rest.strip_prefix(" < /dev/null").unwrap_or(rest).strip_prefix(" && pwd -P >| ")?;
    let (_, end) = word(rest)?;
    end.is_empty().then_some(command)
}

/// `shopt -u …; _bgpids_file=FILE\n(\n  trap 'jobs -p > "$_bgpids_file"' EXIT\nCOMMAND\n)\n__code=$?\nexit $__code`
fn gemini(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("\n(\n  trap 'jobs -p > \"$_bgpids_file\"' EXIT\n")?;
    let (options, file) = before.split_once("; _bgpids_file=")?;
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b" /._-'".contains(&b));
    if !options.starts_with("shopt -u ") || !plain(options) || !plain(file) {
        return None;
    }
    Some(rest.strip_suffix("\n)\n__code=$?\nexit $__code")?.to_string())
}

/// The environment is put back, then `exec 'SHELL' -c 'COMMAND'` ends it. Where SHELL is a bash or zsh with the
/// integration, the script waits for that one to report itself; this is for the others.
fn codex(line: &str) -> Option<String> {
    let snapshot = line.starts_with("if . '") && line.contains("/shell_snapshots/");
    if !snapshot && !line.starts_with("__CODEX_SNAPSHOT_OVERRIDE") {
        return None;
    }
    // The command may itself hold such a line, but not with a quote that opens here: inside it, quotes are `'"'"'`.
    let (_, rest) = line.split_once("\n\nexec '")?;
    let (_, rest) = rest.split_once("' -c ").or_else(|| rest.split_once("' -lc "))?;
    let (command, end) = word(rest)?;
    end.is_empty().then_some(command)
}

/// One word of shell without expansions, unquoted, and what follows it. Both ways of writing a quote inside quotes.
fn word(text: &str) -> Option<(String, &str)> {
    let (mut out, mut rest) = (String::new(), text);
    loop {
        let Some(first) = rest.chars().next() else { return Some((out, rest)) };
        match first {
            '\'' => {
                let (inside, after) = rest[1..].split_once('\'')?;
                out.push_str(inside);
                rest = after;
            }
            '"' => {
                let (inside, after) = rest[1..].split_once('"')?;
                // Agents quote a quote that way and nothing else.
                if inside != "'" {
                    return None;
                }
                out.push_str(inside);
                rest = after;
            }
            '\\' => {
                let escaped = rest[1..].chars().next()?;
                out.push(escaped);
                rest = &rest[1 + escaped.len_utf8()..];
            }
            ' ' => return Some((out, rest)),
            plain if plain.is_ascii_alphanumeric() || "/._-+=:,@%".contains(plain) => {
                out.push(plain);
                rest = &rest[1..];
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(mark: &str, line: &str) -> String {
        let env = Env::from([(mark.to_string(), "1".into())]);
        String::from_utf8(command(line.as_bytes(), &env)).unwrap()
    }

    const CLAUDE: &str = "source /h/.claude/shell-snapshots/snapshot-bash-1.sh 2>/dev/null || true && \
        shopt -u extglob 2>/dev/null || true && eval '@' < /dev/null && pwd -P >| /tmp/claude-1-cwd";

    #[test]
    fn the_command_comes_out_of_each_form() {
        let claude = CLAUDE.replace('@', r#"rm -r '"'"'a b'"'"' && echo "$x""#);
        assert_eq!(unwrapped("CLAUDECODE", &claude), r#"rm -r 'a b' && echo "$x""#);
        let gemini = "shopt -u promptvars nullglob; _bgpids_file=/tmp/x\n(\n  trap 'jobs -p > \"$_bgpids_file\"' EXIT\n\
                      rm -r build; (exit 3)\n)\n__code=$?\nexit $__code";
        assert_eq!(unwrapped("GEMINI_CLI", gemini), "rm -r build; (exit 3)");
        let codex = "if . '/h/.codex/shell_snapshots/1.sh' >/dev/null 2>&1; then :; fi\n\nexec '/bin/sh' -c 'echo '\"'\"'x'\"'\"''";
        assert_eq!(unwrapped("CODEX_THREAD_ID", codex), "echo 'x'");
    }

    #[test]
    fn what_only_looks_like_it_stays_whole() {
        let mine = CLAUDE.replace('@', "ls");
        // Without the mark; with something before; with something behind; with a snapshot of one's own.
        assert_eq!(unwrapped("GEMINI_CLI", &mine), mine);
        for line in [
            format!("rm -rf /x && {mine}"),
            format!("{mine}; rm -rf /x"),
            format!("{mine} && rm -rf /x"),
            mine.replace("/h/.claude/shell-snapshots/snapshot-bash-1.sh", "/tmp/evil.sh"),
            mine.replace("extglob", "extglob $(rm -rf /x)"),
        ] {
            assert_eq!(unwrapped("CLAUDECODE", &line), line);
        }
    }

    #[test]
    fn our_own_hook_is_known() {
        assert!(is_hook(b"command -v fr >/dev/null || exit 0; exec fr hook codex"));
        assert!(is_hook(b"/opt/fr hook gemini\n"));
        assert!(!is_hook(b"fr hook codex; rm -rf /x"));
        assert!(!is_hook(b"rm -rf x && fr hook codex"));
        assert!(!is_hook(b"fr hook $(rm)"));
    }
}
