//! `${{ event.id }}` in a text. What is put there is data: it is never read again, neither as a template nor as shell.

use super::scope::Scope;
use crate::error::{Error, Result};
use crate::model::Bytes;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// A name that stands for a value: `event.id`.
    Name(String),
}

/// Takes a text apart.
///
/// # Errors
/// Where a `${{` has no end, or no name in it.
pub fn pieces(text: &str) -> Result<Vec<Piece>> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("${{") {
        let (name, behind) =
            after.split_once("}}").ok_or_else(|| Error::failure("a ${{ has no }} behind it"))?;
        let name = name.trim();
        if !is_name(name) {
            return Err(Error::failure(format!("${{{{ {} }}}} is no name", name.escape_debug())));
        }
        if !before.is_empty() {
            out.push(Piece::Text(before.to_owned()));
        }
        out.push(Piece::Name(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.to_owned()));
    }
    Ok(out)
}

/// The names in a text; none where it is no template.
pub fn names(text: &str) -> Vec<String> {
    let pieces = pieces(text).unwrap_or_default();
    pieces
        .into_iter()
        .filter_map(|piece| if let Piece::Name(name) = piece { Some(name) } else { None })
        .collect()
}

fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 200 && name.contains('.') && name.split('.').all(word)
}

/// The text with the values in it.
///
/// # Errors
/// Where a name has no value.
pub fn fill(text: &str, scope: &Scope) -> Result<Bytes> {
    let mut out = Vec::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Name(name) => out.extend_from_slice(scope.value(&name)?.as_slice()),
        }
    }
    Ok(Bytes(out))
}

/// A program's arguments with the values in them: each stays one argument, whatever it holds.
///
/// # Errors
/// Where a name has no value, or a value would be read as an option, or cannot be an argument at all.
pub fn fill_argv(argv: &[String], scope: &Scope) -> Result<Vec<Bytes>> {
    let (mut out, mut ended) = (Vec::new(), false);
    for (at, word) in argv.iter().enumerate() {
        let filled = fill(word, scope)?;
        if filled.as_slice().contains(&0) {
            return Err(Error::failure(format!("argument {at} would hold a NUL, which no argument can")));
        }
        // One that begins with a value: the program must not take it for an option.
        let begins = matches!(pieces(word)?.first(), Some(Piece::Name(_)));
        if begins && filled.as_slice().starts_with(b"-") && !ended {
            let name = names(word).into_iter().next().unwrap_or_default();
            let what = format!("the value of {name} begins with \"-\": it would be read as an option");
            return Err(
                Error::failure(what).hint("the playbook can put \"--\" before it, or say --option=VALUE")
            );
        }
        ended |= word == "--";
        out.push(filled);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(value: &[u8]) -> Scope {
        let mut scope = Scope::default();
        scope.vars.insert("x".to_owned(), Bytes(value.to_vec()));
        scope
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_hostile_value_stays_one_argument() {
        for value in ["a b", "$(id)", "; rm -rf /", "a\nb", "`id`", "\u{1b}[31m", "'\"", "${{ vars.x }}", ""]
        {
            let argv =
                fill_argv(&words(&["git", "x=${{ vars.x }}", "${{ vars.x }}"]), &scope(value.as_bytes()));
            let expected = [b"git".to_vec(), format!("x={value}").into_bytes(), value.as_bytes().to_vec()];
            assert_eq!(argv.unwrap(), expected.map(Bytes));
        }
        let argv = fill_argv(&words(&["x", "${{vars.x}}"]), &scope(b"caf\xe9")).unwrap();
        assert_eq!(argv[1].as_slice(), b"caf\xe9");
    }

    #[test]
    fn a_value_is_no_option_and_holds_no_nul() {
        assert!(fill_argv(&words(&["rm", "${{ vars.x }}"]), &scope(b"-rf")).is_err());
        assert!(fill_argv(&words(&["rm", "${{ vars.x }}y"]), &scope(b"--x=")).is_err());
        assert!(fill_argv(&words(&["rm", "--", "${{ vars.x }}"]), &scope(b"-rf")).is_ok());
        assert!(fill_argv(&words(&["rm", "--x=${{ vars.x }}"]), &scope(b"-rf")).is_ok());
        assert!(fill_argv(&words(&["rm", "${{ vars.x }}"]), &scope(b"a\0b")).is_err());
    }

    #[test]
    fn what_is_no_template() {
        for wrong in
            ["${{", "${{ a", "${{ }}", "${{ vars }}", "${{ a b }}", "${{ vars.x | sh }}", "${{ vars..x }}"]
        {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
        assert_eq!(pieces("$x ${y} {{z}}").unwrap(), [Piece::Text("$x ${y} {{z}}".to_owned())]);
        assert!(fill("${{ vars.nobody }}", &scope(b"")).is_err());
    }
}
