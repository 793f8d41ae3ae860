//! The map of the house, as a test: who may use whom, and who may touch the world outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may use, every one of them listed above it, so that no cycle can be drawn.
const ROOMS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("resp", &[]),
    ("recording", &["units"]),
    ("workload", &["units", "resp"]),
    ("target", &["units", "resp"]),
    ("plan", &["units", "workload", "target"]),
    ("event", &["units", "recording"]),
    ("stats", &["units", "recording"]),
    ("observe", &["units", "target", "recording", "event"]),
    ("engine", &["units", "resp", "workload", "target", "plan", "recording", "event"]),
    ("embedded", &["units", "resp"]),
    ("lab", &["units", "target"]),
    // `observe` too: a document keeps the facts about the machine that made the load.
    // `workload`, too: the results of a mix are told apart by its commands.
    ("result", &["units", "workload", "target", "plan", "recording", "stats", "observe"]),
    ("experiment", &["units", "plan", "target", "recording", "stats", "event", "observe", "engine", "result"]),
    // `workload`, too: a comparison says how its requests arrived.
    ("report", &["units", "workload", "target", "plan", "recording", "stats", "event", "observe", "lab", "result"]),
    ("cli", &["*"]),
    ("main", &["*"]),
    ("lib", &["*"]),
];

/// Words that stand for something that only some places may do, and those places.
const TERRITORY: &[(&[&str], &[&str])] = &[
    // Data-plane sockets and pollers. `idle` waits for connections that say nothing.
    (&["mio::", "io_uring::", "fred::"], &["engine/drivers/", "engine/idle.rs", "embedded/"]),
    // Control-plane connections and names. The lab asks through `target`, and its proxies on their admin sockets.
    (&["redis::", "lookup_host"], &["target/", "observe/"]),
    // The lab listens for a moment, to see whether an address is free.
    (&["TcpListener"], &["embedded/", "lab/address.rs"]),
    (&["process::Command"], &["lab/", "target/faults/"]),
    // Text for people.
    (&["println!", "print!"], &["report/"]),
    (&["indicatif::"], &["report/"]),
    // What a user should know although the run goes on, beside the one error line of `main`.
    (&["eprintln!", "eprint!"], &["cli/say.rs"]),
    // The machine says through its environment that it is a container.
    (&["clap::", "std::env::var", "IsTerminal"], &["cli/", "main.rs", "observe/machine.rs"]),
    // The clock. `observe` weighs it, `result` dates a document, `target` keeps a deadline.
    (&["Instant::now", "SystemTime::now"], &["engine/", "observe/", "embedded/", "result/", "target/"]),
    // Files. `target` reads the certificates and keys of TLS.
    (&["fs::", "File::"], &["result/store.rs", "observe/", "target/tls/pem.rs", "lab/", "cli/"]),
    (&["process::exit"], &["main.rs"]),
    // Who runs first on a core, and what the kernel knows of a packet.
    (&["thread_priority::"], &["engine/realtime.rs"]),
    (&["nix::"], &["embedded/arrival.rs"]),
    (&["unsafe "], &[]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file: its path below `src`, and its code without tests and comments.
fn files() -> Vec<(String, String)> {
    fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&source(), &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(source()).expect("it is below src").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a source file can be read");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (name, lines.join("\n"))
        })
        // Tests that have a file of their own may do what tests do.
        .filter(|(name, _)| !name.ends_with("/tests.rs"))
        .collect()
}

fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// The rooms that `code` names as `crate::room`, one by one or in braces.
fn used(code: &str) -> BTreeSet<&str> {
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        })
        .filter_map(|path| path.trim().split(|letter: char| !letter.is_alphanumeric() && letter != '_').next())
        .filter(|room| ROOMS.iter().any(|(known, _)| known == room))
        .collect()
}

#[test]
fn every_file_is_in_a_room_and_every_room_holds_something() {
    let rooms: BTreeSet<String> = files().iter().map(|(file, _)| room_of(file).to_owned()).collect();
    let known: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(rooms, known);
}

#[test]
fn a_room_uses_only_what_the_map_allows() {
    for (file, code) in files() {
        let room = room_of(&file);
        let (_, allowed) = ROOMS.iter().find(|(known, _)| *known == room).expect("the room is on the map");
        for other in used(&code) {
            assert!(
                other == room || allowed.contains(&other) || allowed.contains(&"*"),
                "src/{file} uses `{other}`, which `{room}` may not"
            );
        }
    }
}

#[test]
fn the_map_has_no_cycle() {
    for (at, (room, uses)) in ROOMS.iter().enumerate() {
        for other in uses.iter().filter(|other| **other != "*") {
            assert!(ROOMS[..at].iter().any(|(above, _)| above == other), "`{room}` uses `{other}`, which is below it");
        }
    }
}

#[test]
fn only_those_touch_the_world_outside_who_may() {
    for (file, code) in files() {
        for (words, places) in TERRITORY {
            for word in *words {
                // Not the tail of a longer word: `sprintln!` is none of `println!`.
                let found = code.match_indices(word).any(|(at, _)| {
                    !code[..at].chars().next_back().is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
                });
                let may = places.iter().any(|place| file.starts_with(place));
                assert!(!found || may, "src/{file} has `{word}`, which only {places:?} may have");
            }
        }
    }
}

/// The reader of the map can read: if it saw nothing, the tests above would pass of an empty house.
#[test]
fn the_map_is_held_against_real_code() {
    let files = files();
    let code = |name: &str| &files.iter().find(|(file, _)| file == name).expect("the file is there").1;
    assert!(used(code("engine/run.rs")).is_superset(&BTreeSet::from(["plan", "recording", "workload"])));
    assert_eq!(used("use crate::{units::Nanos, resp};"), BTreeSet::from(["units", "resp"]));
    assert!(code("main.rs").contains("io::stdout()"));
}
