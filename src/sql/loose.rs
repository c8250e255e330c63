//! Statements that change rows and that the grammar does not know, by their tokens: what these do not tell is the whole table.

use super::call::called;
use super::rows::overwritten;
use super::split::{Kind, Token};
use super::{Act, Name, Touch, define};
use crate::model::{EffectClass as C, Reversibility as R};

/// Words that may stand before a parenthesis and are no function.
const BEFORE_PAREN: &[&str] = &[
    "IN",
    "AS",
    "AND",
    "OR",
    "NOT",
    "FROM",
    "WHERE",
    "USING",
    "OVER",
    "FILTER",
    "VALUES",
    "ON",
    "SELECT",
    "ALL",
    "GROUP",
    "THEN",
    "ELSE",
    "WHEN",
    "BY",
    "JOIN",
    "LATERAL",
    "ROWS",
    "HAVING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "CASE",
    "LIMIT",
    "OFFSET",
    "RETURNING",
    "SET",
    "WITH",
    "DISTINCT",
    "BETWEEN",
    "LIKE",
    "VARCHAR",
    "NUMERIC",
    "DECIMAL",
    "MATERIALIZED",
    "ARRAY",
    "RECURSIVE",
    "SETS",
    "CUBE",
    "ROLLUP",
    "WINDOW",
    "PARTITION",
    "INTO",
    "KEY",
    "CONFLICT",
    "DEFAULT",
    "INSERT",
];

/// What the tokens tell, where the grammar does not know the statement.
pub fn by_tokens(tokens: &[Token]) -> Vec<Act> {
    let mut acts = Vec::new();
    let has = |w: &str| tokens.iter().any(|t| t.upper == w);
    let mut targets: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let word = |ahead: usize| tokens.get(at + ahead).map(|t| t.upper.as_str()).unwrap_or_default();
        let back = |by: usize| {
            at.checked_sub(by).and_then(|i| tokens.get(i)).map(|t| t.upper.as_str()).unwrap_or_default()
        };
        match token.upper.as_str() {
            "DELETE" if token.kind == Kind::Word && !matches!(back(1), "ON" | "THEN" | "FOR") => {
                let from =
                    tokens.iter().skip(at).position(|t| t.upper == "FROM").map_or(at + 1, |i| at + i + 1);
                targets.push(from);
                acts.push(whole_or_rows(C::Destroy, &define::name(tokens, from), tokens, at));
            }
            "UPDATE"
                if token.kind == Kind::Word
                    && !matches!(back(1), "DO" | "ON" | "FOR" | "KEY" | "THEN")
                    && back(2) != "NO" =>
            {
                targets.push(at + 1);
                acts.push(whole_or_rows(C::Overwrite, &define::name(tokens, at + 1), tokens, at));
            }
            "INSERT" | "REPLACE"
                if token.kind == Kind::Word
                    && word(1) != "("
                    && !matches!(back(1), "THEN" | "OR" | "BEFORE") =>
            {
                let into =
                    tokens.iter().skip(at).position(|t| t.upper == "INTO").map_or(at + 1, |i| at + i + 1);
                let table = define::name(tokens, into);
                targets.push(into);
                let replaces = token.upper == "REPLACE"
                    || has("DUPLICATE")
                    || has("CONFLICT") && has("UPDATE")
                    || word(1) == "OR";
                acts.push(if replaces { overwritten(&table) } else { Act::added(&table, None) });
            }
            "MERGE" if at == 0 => {
                targets.push(at + 1);
                acts.push(overwritten(&define::name(tokens, at + 1)));
            }
            upper if token.kind == Kind::Word && word(1) == "(" && !BEFORE_PAREN.contains(&upper) => {
                let is_table =
                    targets.iter().any(|t| (*t..*t + 4).contains(&at)) || matches!(back(1), "INTO" | ".");
                if !is_table {
                    acts.extend(called(&token.text, ""));
                }
            }
            "OUTFILE" | "DUMPFILE" => {
                acts.push(Act::new(C::Create, "dyn:a file of the server", R::Irreversible, Touch::Nothing));
            }
            _ => {}
        }
    }
    acts
}

fn whole_or_rows(class: C, table: &Name, tokens: &[Token], from: usize) -> Act {
    let condition =
        tokens.iter().enumerate().skip(from).find(|(_, t)| t.upper == "WHERE").map(|(i, _)| i + 1);
    let resource = match condition {
        Some(at) => {
            let text: Vec<&str> = tokens.iter().skip(at).map(|t| t.text.as_str()).collect();
            format!("sql:{}[{}]", table.shown(), text.join(" "))
        }
        None => format!("sql:table:{}", table.shown()),
    };
    let touch = Touch::Table { name: table.clone(), cascade: false };
    Act { certain: false, ..Act::new(class, resource, R::Exact, touch) }
}
