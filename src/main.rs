//! The `fr` binary. The verbs that sit before every command are dispatched here by hand, before the argument parser,
//! SQLite or anything else is touched: `fr hook` is paid by every command of every agent, a shim by every `rm` and `git`.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = fr::cli::verbs::shim::run_if_called() {
        return ExitCode::from(code);
    }
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let code = match args.first().and_then(|verb| verb.to_str()) {
        Some("hook") if !fr::cli::asks_for_help(&args[1..]) => fr::cli::verbs::hook::run(&args[1..]),
        Some("exec") if !fr::cli::asks_for_help(&args[1..]) => fr::cli::verbs::exec::run(&args[1..]),
        _ => fr::cli::run(args),
    };
    ExitCode::from(code)
}
