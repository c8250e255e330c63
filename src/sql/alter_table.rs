//! `ALTER TABLE`: what each of its actions does to the table.

use super::define::{NOISE, comes, name, name_at};
use super::split::{Kind, Token};
use super::{Act, Name, Touch};
use crate::model::{EffectClass as C, Reversibility as R};

/// `ALTER TABLE`, action by action.
pub fn table(tokens: &[Token], of: &Name) -> Vec<Act> {
    let cascade = tokens.iter().any(|t| t.kind == Kind::Word && t.upper == "CASCADE");
    let mut acts: Vec<Act> = Vec::new();
    let mut add = |class: C, what: String, reversibility: R| {
        let touch = Touch::Object { kind: "table".to_owned(), name: of.clone(), dropped: false, cascade };
        acts.push(Act::new(class, what, reversibility, touch));
    };
    let shown = of.shown();
    for action in actions(tokens) {
        let word = |at: usize| action.get(at).map(|t| t.upper.as_str()).unwrap_or_default();
        let column = |at: usize| {
            let skip = usize::from(word(at) == "COLUMN");
            name(action, at + skip).shown()
        };
        match (word(0), word(1)) {
            ("DROP", "CONSTRAINT" | "FOREIGN" | "CHECK") => {
                let at = if word(1) == "FOREIGN" { 3 } else { 2 };
                add(C::Weaken, format!("sql:table:{shown}.{}", name(action, at).shown()), R::Recreate);
            }
            ("DROP", "PRIMARY") => add(C::Weaken, format!("sql:table:{shown}.primary key"), R::Recreate),
            ("DROP", "INDEX" | "KEY") => {
                add(C::Destroy, format!("sql:index:{}", name(action, 2).shown()), R::Recreate)
            }
            ("DROP", "PARTITION") => {
                add(C::Destroy, format!("sql:table:{shown}.{}", name(action, 2).shown()), R::Recreate);
            }
            ("DROP", _) => add(C::Destroy, format!("sql:table:{shown}.{}", column(1)), R::Recreate),
            ("TRUNCATE", _) => add(C::Destroy, format!("sql:table:{shown}"), R::Exact),
            ("ALTER", _) if action.iter().any(|t| t.upper == "TYPE") => {
                add(C::Overwrite, format!("sql:table:{shown}.{}", column(1)), R::Exact);
            }
            ("MODIFY" | "CHANGE", _) => {
                add(C::Overwrite, format!("sql:table:{shown}.{}", column(1)), R::Exact)
            }
            // ClickHouse changes rows so.
            ("DELETE", "WHERE") => add(C::Destroy, format!("sql:table:{shown}"), R::Irreversible),
            ("UPDATE", _) => add(C::Overwrite, format!("sql:table:{shown}"), R::Irreversible),
            ("DISABLE", _) => add(C::Weaken, format!("sql:table:{shown}"), R::Exact),
            _ => add(C::Mutate, format!("sql:table:{shown}"), R::Exact),
        }
    }
    acts.dedup();
    if let Some(at) = tokens.iter().position(|t| t.kind == Kind::Word && t.upper == "RENAME")
        && tokens.get(at + 1).is_some_and(|t| matches!(t.upper.as_str(), "TO" | "AS"))
    {
        let mut to = name(tokens, at + 2);
        if to.parts.len() == 1 && of.parts.len() > 1 {
            to.parts.splice(0..0, of.parts.iter().take(of.parts.len() - 1).cloned());
        }
        acts.push(comes(&to));
    }
    acts
}

/// The comma separated actions of an `ALTER TABLE`.
fn actions(tokens: &[Token]) -> Vec<&[Token]> {
    let is_noise = |t: &&Token| t.kind == Kind::Word && NOISE.contains(&t.upper.as_str());
    let mut start = 1 + tokens.iter().skip(1).take_while(is_noise).count();
    start = name_at(tokens, start).1;
    if tokens.get(start).is_some_and(|t| t.upper == "*") {
        start += 1;
    }
    let (mut out, mut depth, mut from) = (Vec::new(), 0usize, start);
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.upper.as_str() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                out.push(tokens.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(tokens.get(from..).unwrap_or_default());
    out
}
