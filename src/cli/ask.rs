//! Asking a person before something is written.

use std::io::{BufRead, IsTerminal, Write};

use super::{Out, usage};
use crate::error::{Error, Result};

/// Asks on the terminal. Without one there is nobody to ask, and nothing is applied.
pub fn confirmed(question: &str, out: &mut Out) -> Result<bool> {
    Ok(matches!(answer(&format!("{question} [y/N] "), out)?.as_str(), "y" | "Y" | "yes"))
}

/// Asks for a word: what follows is not to be agreed to by habit.
pub fn typed(word: &str, question: &str, out: &mut Out) -> Result<bool> {
    Ok(answer(&format!("{question} Type \"{word}\" to go on: "), out)? == word)
}

fn answer(question: &str, out: &mut Out) -> Result<String> {
    out.flush()?;
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(
            usage("there is no terminal to confirm on").hint("pass --yes to apply, --dry-run to look")
        );
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question}");
    let _ = stderr.flush();
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .map_err(|e| Error::failure(format!("cannot read the answer: {e}")))?;
    Ok(answer.trim().to_owned())
}
