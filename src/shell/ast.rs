//! What a parsed line is made of. Ours, so that the parser behind it can be changed in one file.
//! Words are kept as written; [`super::word`] expands them.

use std::rc::Rc;

/// Commands in sequence, each with "runs in the background".
pub type List = Vec<(AndOr, bool)>;

/// `a && b || c`.
#[derive(Debug)]
pub struct AndOr {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others.
    pub rest: Vec<(Join, Pipeline)>,
}

/// What joins two pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// `! a | b`.
#[derive(Debug)]
pub struct Pipeline {
    /// Its status is inverted.
    pub bang: bool,
    /// The commands, left to right.
    pub commands: Vec<Command>,
}

/// One command of a pipeline.
#[derive(Debug)]
pub enum Command {
    /// Words, assignments, redirections.
    Simple(Simple),
    /// A compound command and the redirections after it.
    Compound(Compound, Vec<Redir>),
    /// A function definition.
    Function(String, Rc<(Compound, Vec<Redir>)>),
    /// `[[ … ]]`: the words in it, in order.
    Test(Vec<String>, Vec<Redir>),
}

/// A compound command.
#[derive(Debug)]
pub enum Compound {
    /// `(( … ))`
    Arith(String),
    /// `{ …; }`
    Group(List),
    /// `( … )`
    Subshell(List),
    /// `for name in words; do …`: `None` stands for `"$@"`.
    For(String, Option<Vec<String>>, List),
    /// `for ((…;…;…)); do …`
    ArithFor(Vec<String>, List),
    /// `case word in patterns) …`
    Case(String, Vec<(Vec<String>, List)>),
    /// Conditions with their bodies; the condition of `else` is `None`.
    If(Vec<(Option<List>, List)>),
    /// `while`, or `until` where the flag is set.
    While(bool, List, List),
    /// `coproc …`
    Coproc(Box<Command>),
}

/// A simple command.
#[derive(Debug, Default)]
pub struct Simple {
    /// Assignments before the command word.
    pub assigns: Vec<Assign>,
    /// The command word and its arguments.
    pub words: Vec<Arg>,
    /// All its redirections.
    pub redirs: Vec<Redir>,
}

/// An argument.
#[derive(Debug)]
pub enum Arg {
    /// A word as written.
    Word(String),
    /// Something of the form `name=value`, with its text as written.
    Assign(Assign, String),
    /// `<(…)` or `>(…)`
    Process(List),
}

/// An assignment.
#[derive(Debug)]
pub struct Assign {
    /// The variable.
    pub name: String,
    /// `a[…]=`: only one element is set.
    pub element: bool,
    /// `+=`
    pub append: bool,
    /// The value as written.
    pub value: Value,
}

/// The right side of an assignment.
#[derive(Debug)]
pub enum Value {
    /// One word.
    Scalar(String),
    /// `( … )`
    Array(Vec<String>),
}

/// A redirection.
#[derive(Debug)]
pub enum Redir {
    /// Opens a file for writing. The flag tells `>>`.
    Write(String, bool),
    /// `<>`
    ReadWrite(String),
    /// `< file`; the number is the file descriptor.
    Read(i32, String),
    /// `>&word`: a file unless the word is a number or `-`.
    Dup(String),
    /// A here-document's body, and whether it is expanded.
    Here(String, bool),
    /// `<<< word`
    HereString(String),
    /// `< <(…)`, `> >(…)`
    Process(List),
    /// What the command prints goes elsewhere than where it would.
    Away,
}
