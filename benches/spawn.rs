//! Times whole processes, interleaved, and prints the median of each in microseconds:
//! `cargo bench --bench spawn -- RUNS [--prepare CMD] -- NAME STDIN|- argv… -- NAME STDIN|- argv…`
//!
//! hyperfine would do, but Debian's has no standard input for the timed command.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Instant;

struct Case {
    name: String,
    stdin: String,
    argv: Vec<String>,
    times: Vec<f64>,
}

/// The file, with the number of the round in the place of `@ROUND@`: the same call reported twice is one call.
fn input(path: &str, round: usize) -> Result<File, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(path)?;
    if !text.contains("@ROUND@") {
        return Ok(File::open(path)?);
    }
    let own = format!("{path}.now");
    std::fs::write(&own, text.replace("@ROUND@", &round.to_string()))?;
    Ok(File::open(own)?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let mut groups = args.split(|a| a == "--");
    let head = groups.next().ok_or("no number of runs")?;
    let runs: usize = head.first().ok_or("no number of runs")?.parse()?;
    let prepare = head.iter().position(|a| a == "--prepare").and_then(|at| head.get(at + 1));
    let case = |group: &[String]| match group {
        [name, stdin, argv @ ..] if !argv.is_empty() => {
            Some(Case { name: name.clone(), stdin: stdin.clone(), argv: argv.to_vec(), times: Vec::new() })
        }
        _ => None,
    };
    let mut cases: Vec<Case> = groups.filter_map(case).collect();
    for round in 0..runs + 3 {
        for case in &mut cases {
            if let Some(prepare) = prepare {
                Command::new("sh").args(["-c", prepare]).status()?;
            }
            let stdin = if case.stdin == "-" { Stdio::null() } else { input(&case.stdin, round)?.into() };
            let (program, rest) = case.argv.split_first().ok_or("no command")?;
            let mut command = Command::new(program);
            command.args(rest).stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            command.status()?;
            // The first rounds warm caches.
            if round >= 3 {
                case.times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    for case in &mut cases {
        case.times.sort_by(f64::total_cmp);
        let median = case.times.get(case.times.len() / 2).copied().unwrap_or(f64::NAN);
        let p90 = case.times.get(case.times.len() * 9 / 10).copied().unwrap_or(f64::NAN);
        #[allow(clippy::print_stdout)]
        {
            println!("{} {median:.1} {p90:.1}", case.name);
        }
    }
    Ok(())
}
