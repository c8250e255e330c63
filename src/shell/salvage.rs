//! What of a line can still be read where the whole of it cannot: `rm -rf x; for f (*.log) rm $f` is zsh, but its
//! first command is everybody's. The line stays opaque; the pieces add what they would do.

use brush_parser::Token;

use super::ast::List;
use super::parse;

/// The most pieces that are looked at.
const MAX_PIECES: usize = 64;
/// The longest line that is taken apart, in words and operators.
const MAX_TOKENS: usize = 2_000;

/// The commands of a line that parse by themselves.
pub fn pieces(line: &str) -> Vec<List> {
    let Some(tokens) = parse::short_tokens(line) else { return Vec::new() };
    if tokens.len() > MAX_TOKENS {
        return Vec::new();
    }
    let ends = |t: &Token| matches!(t, Token::Operator(op, _) if matches!(op.as_str(), ";" | ";;" | "\n" | "&" | "&&" | "||"));
    tokens.split(ends).filter_map(|piece| parse::piece(bare(piece))).take(MAX_PIECES).collect()
}

/// A piece without the words of compound commands around it.
fn bare(mut piece: &[Token]) -> &[Token] {
    const BEFORE: &[&str] = &["do", "then", "else", "elif", "if", "while", "until", "{", "(", "!", "time"];
    const AFTER: &[&str] = &["}", ")", "done", "fi", "esac"];
    while let Some((_, rest)) = piece.split_first().filter(|(t, _)| BEFORE.contains(&t.to_str())) {
        piece = rest;
    }
    while let Some((_, rest)) = piece.split_last().filter(|(t, _)| AFTER.contains(&t.to_str())) {
        piece = rest;
    }
    piece
}
