//! Running the user's own AWS command line for our own reads and, at undo, our own writes: with the options and the
//! environment of the recorded command, with a deadline, and never through a shim of ours.
//!
//! Starting it takes most of a second. Where it is a Python program, several operations share one process ([`batch`]);
//! where it is not (the bundle of version 2), each is a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::batch;
use super::programs::refuse_programs;
use super::query::Access;
use crate::error::{Error, Result};
use crate::platform::runner::{self, Finished};
use crate::platform::scratch::ScratchDir;

/// Variables that choose account, region and endpoint: only the recorded ones count. Those that begin with
/// `AWS_ENDPOINT_URL` go too.
pub const DROPPED: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_OUTPUT",
    "AWS_PAGER",
];

/// Options and environment: whose credentials they are.
type Whose = (Vec<String>, Vec<(OsString, OsString)>);
/// What was answered to that, where each operation is a process.
static KNOWN: Mutex<Vec<(Whose, Reply)>> = Mutex::new(Vec::new());

/// How many processes run at once.
const AT_ONCE: usize = 4;

/// The AWS command line, for one account.
#[derive(Clone)]
pub struct Cli {
    flags: Vec<String>,
    env: Vec<(OsString, OsString)>,
    cwd: PathBuf,
    until: Instant,
    batch: Option<batch::Python>,
}

/// An operation with its input.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// As the command line names it: `iam`, `s3api`.
    pub service: String,
    /// As the command line names it: `get-role`.
    pub op: String,
    /// Its parameters.
    pub input: Value,
    /// Options as a command gave them: those that the operation knows count, by the names that they have there.
    pub loose: BTreeMap<String, Vec<String>>,
    /// The first page of the answer is enough.
    pub one_page: bool,
    /// The file that the body of the answer goes into.
    pub out: Option<PathBuf>,
    /// The file that holds the body of the request.
    pub body: Option<PathBuf>,
    /// What a listing of a bucket fetches with it, where several operations share a process.
    pub fetch: Option<Fetch>,
}

/// Objects that are fetched with their listing.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Fetch {
    /// Where their contents go.
    pub dir: PathBuf,
    /// The most bytes.
    pub bytes: u64,
    /// The most objects.
    pub count: usize,
    /// Only these.
    pub only: Option<BTreeSet<String>>,
}

impl Call {
    /// An operation.
    pub fn new(service: &str, op: &str, input: Value) -> Call {
        Call { service: service.to_owned(), op: op.to_owned(), input, ..Call::default() }
    }

    /// Both only read, and the same.
    fn is_same_question(&self, other: &Call) -> bool {
        const READS: &[&str] = &["describe-", "get-", "list-", "head-"];
        let reads = READS.iter().any(|verb| self.op.starts_with(verb)) && self.out.is_none();
        let same = (&self.service, &self.op, self.one_page) == (&other.service, &other.op, other.one_page)
            && self.input == other.input
            && self.loose == other.loose;
        reads && same && other.out.is_none() && self.fetch.is_none() && other.fetch.is_none()
    }
}

/// What an operation answered.
pub type Reply = std::result::Result<Value, Refusal>;

/// That it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The service's code: `NoSuchEntity`, `AccessDenied`.
    pub code: String,
    /// In its own words.
    pub message: String,
}

impl Refusal {
    /// The operation or the parameter does not exist: nothing was asked of the service.
    pub fn is_grammar(&self) -> bool {
        matches!(
            self.code.as_str(),
            "UnknownOperation" | "ParamValidation" | "ParamValidationError" | "UnknownServiceError"
        )
    }

    /// For people. Messages may quote what was sent, so only their beginning is told.
    pub fn shown(&self) -> String {
        let first = self.message.lines().next().unwrap_or_default();
        let short: String = first.chars().take(200).collect();
        if short.is_empty() {
            self.code.clone()
        } else {
            format!("{} ({})", short.trim_end_matches('.'), self.code)
        }
    }
}

impl Cli {
    /// For the account of a recorded command.
    ///
    /// # Errors
    /// Where a configuration that the command itself names runs programs: the command has not been allowed yet, so nothing
    /// that it names is started.
    pub fn of(access: &Access, until: Instant) -> Result<Cli> {
        refuse_programs(access)?;
        Ok(Cli::trusted(access, until))
    }

    /// For the account of a command that has run, or of an undo that somebody asked for.
    pub fn trusted(access: &Access, until: Instant) -> Cli {
        let kept = |name: &OsString| {
            !DROPPED.iter().any(|dropped| name == dropped)
                && !name.to_string_lossy().starts_with("AWS_ENDPOINT_URL")
        };
        let mut env: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(name, _)| kept(name)).collect();
        env.extend(
            [("FR_SHIM", "off"), ("AWS_PAGER", ""), ("AWS_CLI_AUTO_PROMPT", "off")]
                .map(|(n, v)| (n.into(), v.into())),
        );
        let recorded = access.env.iter().chain(&access.secrets);
        env.extend(recorded.map(|(name, value)| (name.into(), value.as_path().into())));
        let cwd = Some(access.cwd.as_path()).filter(|dir| dir.is_dir()).map_or("/".into(), PathBuf::from);
        let batch = batch::Python::find(&env, &cwd);
        Cli { flags: access.flags.clone(), env, cwd, until, batch }
    }

    /// The same, with another moment at which it gives up.
    pub fn until(&self, until: Instant) -> Cli {
        Cli { until, ..self.clone() }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// No time is left.
    pub fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Where several operations cost hardly more than one.
    pub fn is_quick(&self) -> bool {
        self.batch.is_some()
    }

    /// Asks one thing.
    ///
    /// # Errors
    /// Where the program cannot be started or does not end in time.
    pub fn ask(&self, call: Call) -> Result<Reply> {
        let mut replies = self.ask_all(std::slice::from_ref(&call))?.replies;
        replies.pop().ok_or_else(|| Error::failure("the AWS command line gave no answer"))
    }

    /// Asks for several things.
    ///
    /// # Errors
    /// Where the program cannot be started or does not end in time. What a service refuses is an answer.
    pub fn ask_all(&self, calls: &[Call]) -> Result<Answers> {
        // Several kinds are parts of one answer (a security group and its rules): it is asked for once.
        let mut asked: Vec<Call> = Vec::new();
        let mut places = Vec::new();
        for call in calls {
            let place = asked.iter().position(|known| known.is_same_question(call)).unwrap_or(asked.len());
            if place == asked.len() {
                asked.push(call.clone());
            }
            places.push(place);
        }
        let Answers { region, replies } = self.ask_each(&asked)?;
        let lost = || Err(Refusal { code: "Failed".to_owned(), message: "no answer".to_owned() });
        let replies = places.iter().map(|place| replies.get(*place).cloned().unwrap_or_else(lost)).collect();
        Ok(Answers { region, replies })
    }

    fn ask_each(&self, asked: &[Call]) -> Result<Answers> {
        if let Some(python) = &self.batch
            && let Some(answers) = python.ask_all(&self.flags, asked, &self.env, &self.cwd, self.until)?
        {
            return Ok(answers);
        }
        let scratch = ScratchDir::new("aws")?;
        let mut replies: Vec<Reply> = Vec::new();
        for (n, group) in asked.chunks(AT_ONCE).enumerate() {
            let answers: Vec<Result<Reply>> = std::thread::scope(|scope| {
                let start = |(i, call): (usize, &'_ Call)| {
                    let file = scratch.path().join(format!("{n}-{i}.json"));
                    let call = call.clone();
                    scope.spawn(move || self.process(&call, &file))
                };
                let threads: Vec<_> = group.iter().enumerate().map(start).collect();
                let lost = || Err(Error::failure("asking AWS failed"));
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| lost())).collect()
            });
            for answer in answers {
                replies.push(answer?);
            }
        }
        Ok(Answers { region: None, replies })
    }

    /// One operation, in a process of its own. Whose the credentials are is asked once.
    fn process(&self, call: &Call, file: &Path) -> Result<Reply> {
        if (call.service.as_str(), call.op.as_str()) != ("sts", "get-caller-identity") {
            return self.start(call, file);
        }
        let whose = (self.flags.clone(), self.env.clone());
        let known = |all: &[(Whose, Reply)]| all.iter().find(|(w, _)| *w == whose).map(|(_, r)| r.clone());
        if let Some(reply) = known(&KNOWN.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(reply);
        }
        let reply = self.start(call, file)?;
        if reply.is_ok() {
            KNOWN.lock().unwrap_or_else(PoisonError::into_inner).push((whose, reply.clone()));
        }
        Ok(reply)
    }

    /// Its input does not go onto the command line: it may hold a secret.
    fn start(&self, call: &Call, file: &Path) -> Result<Reply> {
        let mut args: Vec<OsString> = [&call.service, &call.op].map(OsString::from).into();
        let fields = call.input.as_object().filter(|fields| !fields.is_empty());
        match fields {
            // An operation that fetches a file takes no document for its required parameters (measured on 1.45).
            Some(fields) if call.out.is_some() => {
                for (name, value) in fields {
                    let Some(arg) = option(name, value) else { return Ok(Err(unsayable(name))) };
                    args.push(arg);
                }
            }
            Some(_) => {
                write(file, call.input.to_string().as_bytes())?;
                args.push("--cli-input-json".into());
                args.push(glued("file://", file));
            }
            None => {}
        }
        for (name, values) in &call.loose {
            args.push(name.into());
            args.extend(values.iter().map(OsString::from));
        }
        args.extend(["--output", "json"].map(OsString::from));
        if call.one_page {
            args.push("--no-paginate".into());
        }
        if let Some(body) = &call.body {
            args.extend(["--body".into(), body.into()]);
        }
        args.extend(call.out.as_ref().map(OsString::from));
        let done = self.run(&args)?;
        if done.code != 0 {
            return Ok(Err(refusal(&done)));
        }
        let text =
            if done.stdout.iter().all(u8::is_ascii_whitespace) { b"{}".as_slice() } else { &done.stdout };
        let answer = serde_json::from_slice(text);
        Ok(Ok(answer.map_err(|e| {
            Error::failure(format!("the answer of aws {} {} is no JSON: {e}", call.service, call.op))
        })?))
    }

    /// Runs the program itself.
    ///
    /// # Errors
    /// Where it cannot be started or does not end in time. A failing program is an answer.
    pub fn run(&self, args: &[OsString]) -> Result<Finished> {
        let flags = self.flags.iter().map(OsString::from);
        let argv: Vec<OsString> =
            std::iter::once("aws".into()).chain(flags).chain(args.iter().cloned()).collect();
        runner::errand(&argv, &self.env, &self.cwd, self.left()).map_err(|e| late(&e))
    }
}

/// `VersionId` and its value as an option. `None` where the command line would take the value for the name of a document.
fn option(name: &str, value: &Value) -> Option<OsString> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if ["file://", "fileb://", "http://", "https://"].iter().any(|front| text.starts_with(front)) {
        return None;
    }
    let mut out = String::from("-");
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    Some(OsString::from(format!("{out}={text}")))
}

fn unsayable(name: &str) -> Refusal {
    let message = format!("the command line takes the value of {name} for the name of a document");
    Refusal { code: "Unsayable".to_owned(), message }
}

/// For people, that the account could not be asked.
pub fn late(e: &Error) -> Error {
    Error::failure(format!("AWS was not reached in time: {}", e.what))
}

/// What several operations answered, in order.
pub struct Answers {
    /// The region that counted, where it is told.
    pub region: Option<String>,
    /// The answers.
    pub replies: Vec<Reply>,
}

/// `An error occurred (NoSuchEntity) when calling the GetRole operation: …`
fn refusal(done: &Finished) -> Refusal {
    let text = String::from_utf8_lossy(&done.stderr);
    let code = text.split_once("An error occurred (").and_then(|(_, rest)| rest.split_once(')'));
    if let Some((code, rest)) = code {
        let message = rest.split_once("operation: ").map_or(rest, |(_, message)| message);
        return Refusal { code: code.to_owned(), message: message.trim().to_owned() };
    }
    let grammar = ["Invalid choice", "Found invalid choice", "invalid choice"];
    let code = match () {
        () if grammar.iter().any(|part| text.contains(part)) => "UnknownOperation",
        () if text.contains("Parameter validation failed") || text.contains("Unknown") => "ParamValidation",
        () => "Failed",
    };
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("aws says nothing");
    Refusal { code: code.to_owned(), message: last.to_owned() }
}

fn glued(front: &str, path: &Path) -> OsString {
    let mut text = OsString::from(front);
    text.push(path);
    text
}

/// Writes a file that only its owner may read.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(|e| Error::io("write", path, &e))?;
    file.write_all(content).map_err(|e| Error::io("write", path, &e))
}
