//! An end to waiting: a process that has stopped moving (a store on a dead network file system, a lock that nobody gives
//! back) is told apart from one that is busy. How long honest work takes is nobody's guess: a capture may copy gigabytes.

use std::collections::BTreeMap;
use std::time::Duration;

/// How often to look, within the patience.
const LOOKS: u32 = 4;

/// Calls `give_up` in a thread of its own once no other thread of this process has run for `patience`. It costs some
/// 30 µs. Where the system does not tell how threads fare, nothing is ever given up.
pub fn watch(patience: Duration, give_up: impl FnOnce() + Send + 'static) {
    let looking = move || {
        let (mut last, mut still) = (progress(), 0);
        while still < LOOKS {
            std::thread::sleep(patience / LOOKS);
            let now = progress();
            still = if now.is_some() && now == last { still + 1 } else { 0 };
            last = now;
        }
        give_up();
    };
    // Without a thread there is no watch, as before it was written.
    let _ = std::thread::Builder::new().name("stall".to_owned()).stack_size(64 << 10).spawn(looking);
}

/// For each other thread its page faults and clock ticks (proc_pid_stat(5), fields 10, 12, 14, 15).
fn progress() -> Option<BTreeMap<String, Vec<String>>> {
    let me = rustix::thread::gettid().as_raw_nonzero().to_string();
    let mut threads = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let id = task.file_name().to_string_lossy().into_owned();
        if id == me {
            continue;
        }
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        // The name may hold blanks and brackets; behind its last one the fields begin with the third.
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let moved = [7, 9, 11, 12].iter().filter_map(|n| fields.get(*n)).map(|f| (*f).to_owned());
        threads.insert(id, moved.collect());
    }
    (!threads.is_empty()).then_some(threads)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_busy_process_is_left_alone_and_a_still_one_is_not() {
        // Other tests run in this process, so what moves is looked at for one thread.
        let (tell, told) = mpsc::channel();
        let worker = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid().as_raw_nonzero().to_string()).unwrap();
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(200) {
                std::hint::black_box(start);
            }
            tell.send(String::new()).unwrap();
            std::thread::sleep(Duration::from_millis(300));
        });
        let id = told.recv().unwrap();
        let of = || progress().unwrap()[&id].clone();
        let before = of();
        told.recv().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let after = of();
        assert_ne!(before, after, "it worked");
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(after, of(), "it slept");
        worker.join().unwrap();
    }
}
