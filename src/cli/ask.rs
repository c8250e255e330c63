//! Asking a person before something is written.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};

use super::{Out, usage};
use crate::error::{Error, Result};

/// Asks on the terminal. Without one there is nobody to ask, and nothing is applied.
pub fn confirmed(question: &str, out: &mut Out) -> Result<bool> {
    Ok(matches!(answer(&format!("{question} [y/N] "), out)?.as_str(), "y" | "Y" | "yes"))
}

/// What somebody wants of several steps.
pub enum Choice {
    /// All of them.
    All,
    /// None.
    None,
    /// Those at these positions, from 0.
    Some(BTreeSet<usize>),
}

/// Asks which of so many numbered steps are wanted.
pub fn chosen(question: &str, steps: usize, out: &mut Out) -> Result<Choice> {
    let hint = if steps > 1 { " [y/N, or numbers: 1,3-5] " } else { " [y/N] " };
    let answer = answer(&format!("{question}{hint}"), out)?;
    match answer.as_str() {
        "y" | "Y" | "yes" => Ok(Choice::All),
        "" | "n" | "N" | "no" => Ok(Choice::None),
        text => numbers(text, steps).map(Choice::Some).ok_or_else(|| {
            usage(format!("{} names no steps", text.escape_debug()))
                .hint(format!("numbers from 1 to {steps}, with commas and ranges: 1,3-5"))
        }),
    }
}

/// `1,3-5` as positions from 0.
fn numbers(text: &str, steps: usize) -> Option<BTreeSet<usize>> {
    let mut found = BTreeSet::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first < 1 || last > steps || first > last {
            return None;
        }
        found.extend(first - 1..last);
    }
    Some(found).filter(|found| !found.is_empty())
}

/// Asks for a word: what follows is not to be agreed to by habit.
pub fn typed(word: &str, question: &str, out: &mut Out) -> Result<bool> {
    Ok(answer(&format!("{question} Type \"{word}\" to go on: "), out)? == word)
}

/// True where there is somebody to ask.
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// One line, without the blanks around it; `None` where the terminal is closed.
pub fn line(question: &str, out: &mut Out) -> Result<Option<String>> {
    out.flush()?;
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question}");
    let _ = stderr.flush();
    let mut line = String::new();
    let count = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Error::failure(format!("cannot read the answer: {e}")))?;
    Ok((count > 0).then(|| line.trim().to_owned()))
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

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn steps_are_chosen_by_numbers_and_ranges() {
        let chosen = |text| numbers(text, 5).map(|found| found.into_iter().collect::<Vec<_>>());
        assert_eq!(chosen("1,3-5"), Some(vec![0, 2, 3, 4]));
        assert_eq!(chosen("2 2"), Some(vec![1]));
        for bad in ["0", "6", "3-2", "a", "1,", ""] {
            assert_eq!(chosen(bad).is_none(), bad != "1,", "{bad}");
        }
    }
}
