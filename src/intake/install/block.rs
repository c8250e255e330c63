//! Our part of people's start-up files, and of git's configuration: a block between two marks, at the end of the file.

use std::path::Path;

use super::line::{quote, text, unquote};
use crate::error::{Error, Result};
use crate::intake::shells::Shell;

const BEGIN: &str = "# >>> fr install >>>";
const END: &str = "# <<< fr install <<<";

/// The block for a shell. A binary that is gone leaves the shell as it is without `fr`.
///
/// # Errors
/// Usage, where the path is not UTF-8.
pub fn block(shell: Shell, fr: &Path) -> Result<String> {
    let fr = text(fr)?;
    let body = match shell {
        Shell::Bash | Shell::Zsh => {
            let fr = quote(fr);
            format!("if [ -x {fr} ]; then eval \"$({fr} init {})\"; fi", shell.name())
        }
        // In fish's single quotes only a backslash and a quote are special (fish-language, "Quotes").
        Shell::Fish => {
            let fr = format!("'{}'", fr.replace('\\', r"\\").replace('\'', r"\'"));
            format!("if test -x {fr}; {fr} init fish | source; end")
        }
    };
    Ok(around(&body))
}

/// A block with this between its marks.
pub fn around(body: &str) -> String {
    format!("{BEGIN}\n{body}\n{END}\n")
}

/// The binary that a block calls; `None` where the block is not as [`block`] writes it.
pub fn binary_of(block: &str) -> Option<String> {
    let line = block.lines().nth(1)?;
    let word = ["if [ -x ", "if test -x "].iter().find_map(|start| line.strip_prefix(start))?;
    Some(unquote(word)).filter(|path| !path.is_empty())
}

/// The text with the block: in the place of an older one, or at the end.
pub fn insert(text: &str, block: &str) -> Result<String> {
    match find(text)? {
        Some((from, to)) => Ok(splice(text, from, to, block)),
        None => {
            let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(format!("{text}{newline}{block}"))
        }
    }
}

/// The text without the block.
pub fn remove(text: &str) -> Result<String> {
    Ok(find(text)?.map_or_else(|| text.to_string(), |(from, to)| splice(text, from, to, "")))
}

/// The block in the text.
pub fn registered(text: &str) -> Result<Option<&str>> {
    Ok(find(text)?.and_then(|(from, to)| text.get(from..to)))
}

fn splice(text: &str, from: usize, to: usize, middle: &str) -> String {
    format!("{}{middle}{}", text.get(..from).unwrap_or_default(), text.get(to..).unwrap_or_default())
}

/// Where the block begins and ends, its last newline included.
fn find(text: &str) -> Result<Option<(usize, usize)>> {
    let at = |mark: &str| {
        let mut offset = 0;
        let mut found = None;
        for line in text.split_inclusive('\n') {
            if line.trim_end() == mark {
                found = found.or(Some((offset, offset + line.len())));
            }
            offset += line.len();
        }
        found
    };
    match (at(BEGIN), at(END)) {
        (Some((from, _)), Some((last, to))) if from < last => Ok(Some((from, to))),
        (None, None) => Ok(None),
        _ => Err(Error::failure(format!("it has only one of the two lines {BEGIN:?} and {END:?}"))
            .hint("delete that line and what fr wrote beside it, then run this again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_in_once_and_comes_out() {
        let block = block(Shell::Bash, Path::new("/o'dd/fr")).unwrap();
        for before in ["", "alias x=y\n", "alias x=y\r\n"] {
            let with = insert(before, &block).unwrap();
            assert_eq!(insert(&with, &block).unwrap(), with);
            assert_eq!(remove(&with).unwrap(), before);
            assert_eq!(remove(&format!("{with}later=1\n")).unwrap(), format!("{before}later=1\n"));
        }
        assert!(insert("x\n# >>> fr install >>>\n", &block).is_err());
    }
}
