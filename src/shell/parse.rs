//! Text to syntax tree: the only file that knows `brush-parser`.
//!
//! The parser behind it is a backtracking one: nested parentheses that are not closed cost time exponential in their
//! depth, and deep nesting costs stack (`speed.md`, last section). So nesting is counted first, on the tokens. Few
//! openers are parsed in place; more are parsed on a thread with a large stack, and given up after a time.

use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use brush_parser::ast as b;
use brush_parser::{ParserOptions, Token, parse_tokens, uncached_tokenize_str};

use super::ast::{AndOr, Arg, Assign, Command, Compound, Join, List, Pipeline, Redir, Simple, Value};

/// The longest line that is parsed, in bytes.
pub const MAX_LINE: usize = 1 << 20;
/// The most words and operators of a line.
const MAX_TOKENS: usize = 50_000;
/// The longest line that is parsed in place, in bytes.
const INLINE_LINE: usize = 64 << 10;
/// Openers that are parsed in place: 2^10 steps of backtracking are microseconds.
const INLINE_OPENERS: usize = 10;
/// The deepest nesting that is parsed at all.
const MAX_DEPTH: usize = 24;
/// The deepest nesting of brackets of any kind, in quotes or not. Code in here-documents stays far below.
const MAX_NAIVE_DEPTH: usize = 100;
/// Openers beyond which not even the thread's stack is sure to do.
const MAX_OPENERS: usize = 400;
/// Expansions (`$(`, `${`) that are tokenised in place: the tokeniser calls itself for each level.
const INLINE_EXPANSIONS: usize = 100;
/// How long the thread may take.
const PATIENCE: Duration = Duration::from_millis(200);
/// Stack of the thread. Only what is touched is ever allocated.
const STACK: usize = 256 << 20;

/// Parses a line, or says why not.
pub fn parse(line: &str) -> Result<List, String> {
    if line.len() > MAX_LINE {
        return Err(format!("longer than {MAX_LINE} bytes"));
    }
    if naive_depth(line) > MAX_NAIVE_DEPTH {
        return Err("nested too deeply".to_owned());
    }
    let expansions = line.bytes().filter(|c| *c == b'$').count();
    if expansions > 20_000 {
        return Err("too many expansions".to_owned());
    }
    if expansions > INLINE_EXPANSIONS || line.len() > INLINE_LINE {
        return on_thread(line.to_owned());
    }
    let tokens = tokens(line)?;
    if openers(&tokens)? > INLINE_OPENERS {
        return on_thread(line.to_owned());
    }
    program(&tokens).map(|p| convert(&p))
}

/// How deep parentheses and braces are nested, quotes or not: a cheap first look.
fn naive_depth(line: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for c in line.bytes() {
        match c {
            b'(' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Tokenises and parses where hostile nesting can neither overflow the stack nor hold up the caller.
fn on_thread(line: String) -> Result<List, String> {
    let (send, receive) = mpsc::sync_channel(1);
    let work = move || {
        let parsed = tokens(&line).and_then(|t| openers(&t).and_then(|_| program(&t)));
        let _ = send.send(parsed);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).map_err(|e| format!("no thread: {e}"))?;
    match receive.recv_timeout(PATIENCE) {
        Ok(parsed) => parsed.map(|p| convert(&p)),
        Err(_) => Err("parsing took too long".to_owned()),
    }
}

/// The tokens of a line that is short and nests little: what may be looked at again in place.
pub fn short_tokens(line: &str) -> Option<Vec<Token>> {
    let expansions = line.bytes().filter(|c| *c == b'$').count();
    let small = line.len() <= INLINE_LINE && expansions <= INLINE_EXPANSIONS;
    if small && naive_depth(line) <= MAX_NAIVE_DEPTH { tokens(line).ok() } else { None }
}

/// Parses one command of a line that is already in tokens; only what nests little is tried.
pub fn piece(tokens: &[Token]) -> Option<List> {
    let openers = openers(tokens).ok().filter(|n| *n <= INLINE_OPENERS)?;
    let expansions = tokens.iter().map(|t| t.to_str().matches('$').count()).sum::<usize>();
    if tokens.is_empty() || openers + expansions > INLINE_EXPANSIONS {
        return None;
    }
    program(tokens).ok().map(|p| convert(&p)).filter(|list| !list.is_empty())
}

fn options() -> ParserOptions {
    ParserOptions::default()
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut tokens =
        uncached_tokenize_str(line, &options().tokenizer_options()).map_err(|e| e.to_string())?;
    if tokens.len() > MAX_TOKENS {
        return Err(format!("more than {MAX_TOKENS} words"));
    }
    part_parentheses(&mut tokens);
    bridge_gaps(&mut tokens);
    Ok(tokens)
}

/// Puts a `:;` between two parentheses that have a blank between them: brush-parser 0.4 takes `( (rm x) )` for
/// arithmetic, and a command would pass for a number.
fn part_parentheses(tokens: &mut Vec<Token>) {
    let is_open = |t: &Token| matches!(t, Token::Operator(op, _) if op == "(");
    let apart = |pair: &[Token]| match pair {
        [a, b] => is_open(a) && is_open(b) && a.location().end.index != b.location().start.index,
        _ => false,
    };
    let places: Vec<usize> =
        tokens.windows(2).enumerate().filter(|(_, p)| apart(p)).map(|(i, _)| i + 1).collect();
    for at in places.into_iter().rev() {
        let Some(place) = tokens.get(at).map(|t| t.location().clone()) else { continue };
        tokens.insert(at, Token::Operator(";".to_owned(), place.clone()));
        tokens.insert(at, Token::Word(":".to_owned(), place));
    }
}

/// What brush-parser 0.4 does not know is put in words that it does: `select x in …` loops over the same words as
/// `for`, and the `;;` of `for ((;;))` is two semicolons.
fn bridge_gaps(tokens: &mut Vec<Token>) {
    let is = |t: Option<&Token>, text: &str| t.is_some_and(|t| t.to_str() == text);
    let starts = |before: Option<&Token>| match before {
        None => true,
        Some(Token::Operator(op, _)) => !op.starts_with(['<', '>']),
        Some(Token::Word(w, _)) => matches!(w.as_str(), "do" | "then" | "else" | "{" | "!" | "time"),
    };
    let mut arithmetic = false;
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).and_then(|i| tokens.get(i));
        if is(tokens.get(at), "select") && starts(before) && is(tokens.get(at + 2), "in") {
            let place = tokens.get(at).map(|t| t.location().clone());
            if let Some((place, token)) = place.zip(tokens.get_mut(at)) {
                *token = Token::Word("for".to_owned(), place);
            }
        }
        // `{fd}>file`: the number goes into a variable; the file is opened all the same.
        let joins = tokens.get(at).zip(tokens.get(at + 1)).is_some_and(|(word, next)| {
            let named = matches!(word, Token::Word(w, _) if w.strip_prefix('{').and_then(|w| w.strip_suffix('}'))
                .is_some_and(super::word_is_name));
            let redirects = matches!(next, Token::Operator(op, _) if op.starts_with(['<', '>']));
            named && redirects && word.location().end.index == next.location().start.index
        });
        if joins {
            tokens.remove(at);
            continue;
        }
        if is(tokens.get(at), "for") && is(tokens.get(at + 1), "(") && is(tokens.get(at + 2), "(") {
            arithmetic = true;
        } else if is(tokens.get(at), "do") || is(tokens.get(at), ")") && is(tokens.get(at + 1), ")") {
            arithmetic = false;
        } else if arithmetic && matches!(tokens.get(at), Some(Token::Operator(op, _)) if op == ";;") {
            let place = tokens.get(at).map(|t| t.location().clone());
            if let Some((place, token)) = place.zip(tokens.get_mut(at)) {
                *token = Token::Operator(";".to_owned(), place.clone());
                tokens.insert(at, Token::Operator(";".to_owned(), place));
                at += 1;
            }
        }
        at += 1;
    }
}

fn program(tokens: &[Token]) -> Result<b::Program, String> {
    parse_tokens(tokens, &options()).map_err(|e| e.to_string())
}

/// Counts what may nest, and refuses what the parser cannot take: nesting that is too deep or never closed, and
/// file descriptors that do not fit a number (brush-parser 0.4 panics on these).
fn openers(tokens: &[Token]) -> Result<usize, String> {
    let (mut total, mut depth, mut words, mut deepest) = (0usize, 0usize, 0usize, 0usize);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Operator(op, _) if op == "(" => {
                (total, depth) = (total + 1, depth + 1);
                deepest = deepest.max(depth + words);
            }
            Token::Operator(op, _) if op == ")" => depth = depth.saturating_sub(1),
            Token::Word(w, _) => match w.as_str() {
                "{" | "if" | "while" | "until" | "for" | "case" | "coproc" | "[[" => {
                    (total, words) = (total + 1, words + 1);
                    deepest = deepest.max(depth + words);
                }
                "}" | "fi" | "done" | "esac" | "]]" => words = words.saturating_sub(1),
                w if w.len() > 9 && w.bytes().all(|c| c.is_ascii_digit()) => {
                    if matches!(tokens.get(i + 1), Some(Token::Operator(o, _)) if o.starts_with(['<', '>'])) {
                        return Err("file descriptor out of range".to_owned());
                    }
                }
                _ => {}
            },
            Token::Operator(..) => {}
        }
    }
    if deepest > MAX_DEPTH || depth > INLINE_OPENERS || total > MAX_OPENERS {
        return Err("nested too deeply".to_owned());
    }
    Ok(total)
}

fn convert(program: &b::Program) -> List {
    program.complete_commands.iter().flat_map(list).collect()
}

fn list(l: &b::CompoundList) -> List {
    l.0.iter()
        .map(|b::CompoundListItem(a, sep)| (and_or(a), matches!(sep, b::SeparatorOperator::Async)))
        .collect()
}

fn and_or(a: &b::AndOrList) -> AndOr {
    let rest = a.additional.iter().map(|x| match x {
        b::AndOr::And(p) => (Join::And, pipeline(p)),
        b::AndOr::Or(p) => (Join::Or, pipeline(p)),
    });
    AndOr { first: pipeline(&a.first), rest: rest.collect() }
}

fn pipeline(p: &b::Pipeline) -> Pipeline {
    Pipeline { bang: p.bang, commands: p.seq.iter().map(command).collect() }
}

fn command(c: &b::Command) -> Command {
    match c {
        b::Command::Simple(s) => Command::Simple(simple(s)),
        b::Command::Compound(c, r) => Command::Compound(compound(c), redirs(r.as_ref())),
        b::Command::Function(f) => {
            let body = (compound(&f.body.0), redirs(f.body.1.as_ref()));
            Command::Function(f.fname.value.clone(), Rc::new(body))
        }
        b::Command::ExtendedTest(t, r) => {
            let mut words = Vec::new();
            test_words(&t.expr, &mut words);
            Command::Test(words, redirs(r.as_ref()))
        }
    }
}

fn test_words(e: &b::ExtendedTestExpr, out: &mut Vec<String>) {
    use b::ExtendedTestExpr as T;
    match e {
        T::And(l, r) | T::Or(l, r) => {
            test_words(l, out);
            test_words(r, out);
        }
        T::Not(x) | T::Parenthesized(x) => test_words(x, out),
        T::UnaryTest(_, w) => out.push(w.value.clone()),
        T::BinaryTest(_, l, r) => out.extend([l.value.clone(), r.value.clone()]),
    }
}

fn compound(c: &b::CompoundCommand) -> Compound {
    use b::CompoundCommand as C;
    match c {
        C::Arithmetic(a) => Compound::Arith(a.expr.value.clone()),
        C::ArithmeticForClause(f) => {
            let exprs = [&f.initializer, &f.condition, &f.updater];
            let exprs = exprs.into_iter().flatten().map(|e| e.value.clone());
            Compound::ArithFor(exprs.collect(), list(&f.body.list))
        }
        C::BraceGroup(g) => Compound::Group(list(&g.list)),
        C::Subshell(s) => Compound::Subshell(list(&s.list)),
        C::ForClause(f) => {
            let values = f.values.as_ref().map(|v| v.iter().map(|w| w.value.clone()).collect());
            Compound::For(f.variable_name.clone(), values, list(&f.body.list))
        }
        C::CaseClause(c) => Compound::Case(c.value.value.clone(), c.cases.iter().map(case_arm).collect()),
        C::IfClause(i) => {
            let mut arms = vec![(Some(list(&i.condition)), list(&i.then))];
            for e in i.elses.iter().flatten() {
                arms.push((e.condition.as_ref().map(list), list(&e.body)));
            }
            Compound::If(arms)
        }
        C::WhileClause(w) => Compound::While(false, list(&w.0), list(&w.1.list)),
        C::UntilClause(w) => Compound::While(true, list(&w.0), list(&w.1.list)),
        C::Coprocess(c) => Compound::Coproc(Box::new(command(&c.body))),
    }
}

fn case_arm(item: &b::CaseItem) -> (Vec<String>, List) {
    let patterns = item.patterns.iter().map(|w| w.value.clone()).collect();
    (patterns, item.cmd.as_ref().map(list).unwrap_or_default())
}

fn simple(s: &b::SimpleCommand) -> Simple {
    let mut out = Simple::default();
    for item in s.prefix.iter().flat_map(|p| &p.0) {
        match item {
            b::CommandPrefixOrSuffixItem::IoRedirect(r) => redir(r, &mut out.redirs),
            b::CommandPrefixOrSuffixItem::AssignmentWord(a, _) => out.assigns.push(assign(a)),
            b::CommandPrefixOrSuffixItem::Word(w) => out.words.push(Arg::Word(w.value.clone())),
            b::CommandPrefixOrSuffixItem::ProcessSubstitution(_, l) => {
                out.words.push(Arg::Process(list(&l.list)))
            }
        }
    }
    out.words.extend(s.word_or_name.iter().map(|w| Arg::Word(w.value.clone())));
    for item in s.suffix.iter().flat_map(|p| &p.0) {
        match item {
            b::CommandPrefixOrSuffixItem::IoRedirect(r) => redir(r, &mut out.redirs),
            b::CommandPrefixOrSuffixItem::AssignmentWord(a, w) => {
                out.words.push(Arg::Assign(assign(a), w.value.clone()));
            }
            b::CommandPrefixOrSuffixItem::Word(w) => out.words.push(Arg::Word(w.value.clone())),
            b::CommandPrefixOrSuffixItem::ProcessSubstitution(_, l) => {
                out.words.push(Arg::Process(list(&l.list)))
            }
        }
    }
    out
}

fn assign(a: &b::Assignment) -> Assign {
    let (name, element) = match &a.name {
        b::AssignmentName::VariableName(n) => (n.clone(), false),
        b::AssignmentName::ArrayElementName(n, _) => (n.clone(), true),
    };
    let value = match &a.value {
        b::AssignmentValue::Scalar(w) => Value::Scalar(w.value.clone()),
        b::AssignmentValue::Array(items) => {
            Value::Array(items.iter().map(|(_, w)| w.value.clone()).collect())
        }
    };
    Assign { name, element, append: a.append, value }
}

fn redirs(r: Option<&b::RedirectList>) -> Vec<Redir> {
    let mut out = Vec::new();
    r.iter().flat_map(|l| &l.0).for_each(|r| redir(r, &mut out));
    out
}

fn redir(r: &b::IoRedirect, out: &mut Vec<Redir>) {
    use b::{IoFileRedirectKind as K, IoFileRedirectTarget as T};
    match r {
        b::IoRedirect::File(None | Some(1), K::Write | K::Clobber | K::Append, _)
        | b::IoRedirect::OutputAndError(..) => out.push(Redir::Away),
        b::IoRedirect::File(None | Some(1), K::DuplicateOutput, target) => {
            let same = match target {
                T::Fd(fd) => *fd == 1,
                T::Filename(w) | T::Duplicate(w) => w.value == "1",
                T::ProcessSubstitution(..) => false,
            };
            if !same {
                out.push(Redir::Away);
            }
        }
        _ => {}
    }
    out.push(match r {
        b::IoRedirect::File(_, _, T::ProcessSubstitution(_, l)) => Redir::Process(list(&l.list)),
        b::IoRedirect::File(_, _, T::Fd(_)) => return,
        b::IoRedirect::File(_, K::DuplicateInput, _) => return,
        b::IoRedirect::File(_, K::DuplicateOutput, T::Filename(w) | T::Duplicate(w)) => {
            Redir::Dup(w.value.clone())
        }
        b::IoRedirect::File(fd, kind, T::Filename(w) | T::Duplicate(w)) => match kind {
            K::Write | K::Clobber => Redir::Write(w.value.clone(), false),
            K::Append => Redir::Write(w.value.clone(), true),
            K::ReadAndWrite => Redir::ReadWrite(w.value.clone()),
            _ => Redir::Read(fd.unwrap_or(0), w.value.clone()),
        },
        b::IoRedirect::HereDocument(_, h) => Redir::Here(h.doc.value.clone(), h.requires_expansion),
        b::IoRedirect::HereString(_, w) => Redir::HereString(w.value.clone()),
        b::IoRedirect::OutputAndError(w, append) => Redir::Write(w.value.clone(), *append),
    });
}
