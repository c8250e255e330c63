//! What pairs a before-half with its after-half within a session.

use std::fmt;

/// The pairing word of a call, as it stands in `call` of both halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The id that the agent, the shell or `fr exec` gives it.
    Id(String),
    /// The channel has no ids (Copilot CLI, Gemini, Windsurf, Cursor's shell events): what ran stands for the call.
    /// Written `args:KEY:BY`.
    Args {
        /// [`Call::key`] of what ran.
        key: String,
        /// The registration that reported it, `fr hook BY`: where two report the same call, each one's after-half
        /// belongs to its own before-half.
        by: String,
    },
}

/// The most bytes of JSON whose fields are sorted: a value takes many times its text in memory.
const SORTED_LIMIT: usize = 64 << 10;

impl Call {
    /// Sixteen hex digits that equal actions share: of the tool's name and the command as it is recorded. It is made
    /// from the redacted line, so it tells nothing of a secret that the record does not tell. A line of shell has the
    /// same key whichever channel reported it; JSON has the same key in whichever order its fields come.
    pub fn key(tool: &str, line: &[u8]) -> String {
        let tool = if matches!(tool, "Bash" | "shell" | "exec") { "" } else { tool };
        let mut hasher = blake3::Hasher::new();
        hasher.update(tool.as_bytes());
        hasher.update(&[0]);
        match line.first() {
            // `serde_json::Value` keeps fields sorted and does not recurse without bound.
            Some(b'{') if !tool.is_empty() && line.len() <= SORTED_LIMIT => {
                match serde_json::from_slice::<serde_json::Value>(line) {
                    Ok(value) => hasher.update(value.to_string().as_bytes()),
                    Err(_) => hasher.update(line),
                }
            }
            _ => hasher.update(line),
        };
        hasher.finalize().to_hex().as_str().get(..16).unwrap_or_default().to_owned()
    }

    /// Reads the pairing word of a record.
    pub fn parse(word: &str) -> Call {
        let derived = word.strip_prefix("args:").and_then(|rest| rest.split_once(':'));
        match derived {
            Some((key, by)) => Call::Args { key: key.to_owned(), by: by.to_owned() },
            None => Call::Id(word.to_owned()),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Id(id) => f.write_str(id),
            Call::Args { key, by } => write!(f, "args:{key}:{by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_action_has_the_same_key() {
        assert_eq!(Call::key("Bash", b"ls"), Call::key("shell", b"ls"));
        assert_eq!(Call::key("mcp", br#"{"a":1, "b":[2]}"#), Call::key("mcp", br#"{"b":[2],"a":1}"#));
        assert_ne!(Call::key("Bash", b"ls"), Call::key("Bash", b"ls "));
        assert_ne!(Call::key("edit", b"/a"), Call::key("view", b"/a"));
        assert_eq!(Call::key("mcp", b"{half"), Call::key("mcp", b"{half"));
    }

    #[test]
    fn words_come_back() {
        for call in [
            Call::Id("toolu_1".into()),
            Call::Id("args:nobody".into()),
            Call::Args { key: "00ff".into(), by: "copilot".into() },
        ] {
            assert_eq!(Call::parse(&call.to_string()), call);
        }
    }
}
