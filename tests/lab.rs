//! The lab: that it comes up and does what it is for, that blows fall on whom they are meant for, and that nothing of it
//! stays.

mod support;

use rbench::lab::{Blow, Kind, Lab, LabError, Member, Options, Role};
use rbench::units::Nanos;
use rustix::process::Signal;
use serde_json::Value as Json;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use support::daemon::Daemon;
use support::link::{Link, Value};
use support::program::{self, Ran, Running};
use support::{Scratch, wait_until, words};
use tokio::runtime::Runtime;

/// A lab of the library, which ends with the test.
fn up(options: &Options) -> (Runtime, Lab) {
    let runtime = Runtime::new().expect("a runtime");
    let lab = runtime.block_on(Lab::up(options)).unwrap_or_else(|error| panic!("{error}"));
    (runtime, lab)
}

/// One proxy is enough where proxies are not the point. Nobody takes over from a master that a busy machine lets wait.
fn small() -> Options {
    Options { proxies: 1, down_after: Nanos::from_secs(20), ..Options::default() }
}

fn member(lab: &Lab, name: &str) -> Member {
    lab.members().into_iter().find(|member| member.name == name).expect("a member of this name")
}

fn pids(lab: &Lab) -> Vec<u32> {
    lab.members().into_iter().map(|member| member.pid.expect("it is alive")).collect()
}

fn is_alive(pid: u32) -> bool {
    // The dead wait for their parent to bury them.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[track_caller]
fn assert_gone(pids: &[u32]) {
    let alive: Vec<&u32> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(alive.is_empty(), "still there: {alive:?}");
}

fn connect(address: impl ToString) -> io::Result<Link> {
    let address = address.to_string();
    let (host, port) = address.split_once(':').expect("host and port");
    Link::tcp(host, port.parse().expect("a port"))
}

/// The reply to one command on a connection of its own.
fn ask(address: impl ToString, arguments: &[&str]) -> io::Result<Value> {
    connect(address)?.ask(arguments)
}

/// A temporary directory of its own, so that no lab runs but those of one test. What runs in the end is ended.
struct Home(Scratch);

impl Home {
    fn new() -> Home {
        Home(Scratch::new())
    }

    fn at_home(&self, mut command: Command) -> Command {
        command.env("TMPDIR", self.0.path("")).env_remove("RBENCH_LAB_AUTH");
        command
    }

    fn command(&self, line: &str) -> Command {
        self.at_home(program::command(&words(line)))
    }

    fn start(&self, line: &str) -> Running {
        program::spawn(self.command(line), b"")
    }

    #[track_caller]
    fn rbench(&self, line: &str) -> Ran {
        self.start(line).end()
    }

    /// What `lab status --format json` says; nothing while there is nothing to say.
    fn status(&self) -> Vec<Json> {
        let ran = self.rbench("lab status --format json");
        if ran.code == Some(0) { serde_json::from_str(&ran.stdout).expect("JSON") } else { Vec::new() }
    }

    /// A lab that runs in the foreground, once it says that it is up, and the processes in it.
    fn up(&self) -> (Running, Vec<u32>) {
        let said = self.0.path("said");
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" lab up --proxies 1 > \"$1\"", env!("CARGO_BIN_EXE_rbench")]).arg(&said);
        let mut running = program::spawn(self.at_home(shell), b"");
        wait_until("the lab is up", || {
            assert!(running.is_running(), "{:?}", running.outputs());
            fs::read_to_string(&said).is_ok_and(|said| said.ends_with("Ctrl-C ends it.\n"))
        });
        fs::remove_file(&said).unwrap();
        (running, self.pids())
    }

    fn pids(&self) -> Vec<u32> {
        self.status().iter().map(|member| member["pid"].as_u64().expect("it is alive") as u32).collect()
    }

    /// That nothing is left of any lab.
    #[track_caller]
    fn assert_empty(&self) {
        let left: Vec<_> = fs::read_dir(self.0.path("")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.rbench("lab down");
    }
}

#[test]
fn writes_go_to_the_master_and_reads_come_from_the_replicas() {
    let (runtime, lab) = up(&Options { proxies: 2, ..small() });
    let members = lab.members();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, words("redis-0 redis-1 redis-2 sentinel-0 sentinel-1 sentinel-2 haproxy-0 haproxy-1"));
    let roles: Vec<Role> = runtime.block_on(lab.status()).into_iter().map(|status| status.role).collect();
    assert_eq!(roles[..3], [Role::Master, Role::Replica, Role::Replica]);
    assert_eq!(roles[3..], [Role::Sentinel, Role::Sentinel, Role::Sentinel, Role::Proxy, Role::Proxy]);
    for proxy in members.iter().filter(|member| member.kind == Kind::Haproxy) {
        assert!(ask(proxy.address, &["SET", "key", &proxy.name]).unwrap().is_ok());
        let doors = proxy.doors.as_ref().expect("a proxy has other doors");
        wait_until("the replicas have it", || {
            ask(doors.read_only, &["GET", "key"]).unwrap() == Value::Text(proxy.name.as_bytes().into())
        });
        for _ in 0..6 {
            assert_eq!(ask(doors.read_only, &["ROLE"]).unwrap().array()[0], Value::Text(b"slave".into()));
        }
        for (url, says) in [(&doors.metrics, "haproxy_server_status"), (&doors.health, "200 OK")] {
            let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
            let mut stream = TcpStream::connect(host).unwrap();
            write!(stream, "GET /{path} HTTP/1.0\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.contains(says), "{url}: {text}");
        }
        assert!(doors.stats_socket.exists());
    }
    let sentinel = ask(member(&lab, "sentinel-2").address, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]);
    assert_eq!(sentinel.unwrap().texts()[0], member(&lab, "redis-0").address.ip().to_string());
    let (pids, directory) = (pids(&lab), lab.directory().to_owned());
    drop(lab);
    assert_gone(&pids);
    assert!(!directory.exists());
}

/// Whoever is not written down would never be found again.
#[test]
fn a_member_that_cannot_be_written_down_is_ended() {
    let (runtime, mut lab) = up(&small());
    lab.strike("redis-1", Blow::Kill).unwrap();
    // Where the state is written before it takes the place of the one that is there.
    let taken = lab.directory().join("lab.json.part");
    fs::create_dir(&taken).unwrap();
    assert!(runtime.block_on(lab.start("redis-1")).is_err());
    assert!(TcpStream::connect(member(&lab, "redis-1").address).is_err(), "it is not left to itself");
    fs::remove_dir(&taken).unwrap();
    runtime.block_on(lab.start("redis-1")).unwrap();
    let (pids, directory) = (pids(&lab), lab.directory().to_owned());
    drop(lab);
    assert_gone(&pids);
    assert!(!directory.exists());
}

#[test]
fn two_labs_run_side_by_side_and_end_alone() {
    let runtime = Runtime::new().unwrap();
    let options = small();
    let (one, other) = runtime.block_on(async { tokio::join!(Lab::up(&options), Lab::up(&options)) });
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.topology().network, other.topology().network);
    let (its_pids, other_pids) = (pids(&one), pids(&other));
    assert!(one.down().unwrap().is_empty());
    assert_gone(&its_pids);
    assert!(other_pids.iter().all(|pid| is_alive(*pid)));
    assert!(ask(member(&other, "haproxy-0").address, &["SET", "key", "value"]).unwrap().is_ok());
}

#[test]
fn when_the_master_dies_another_is_chosen_and_the_proxy_follows() {
    let (runtime, mut lab) = up(&Options { down_after: Nanos::from_millis(500), ..small() });
    let proxy = member(&lab, "haproxy-0").address;
    let role = |lab: &Lab, name: &str| {
        let status = runtime.block_on(lab.status());
        status.into_iter().find(|status| status.name == name).expect("it is a member").role
    };
    lab.strike("redis-0", Blow::Kill).unwrap();
    assert_eq!((role(&lab, "redis-0"), member(&lab, "redis-0").pid), (Role::Dead, None));
    assert!(matches!(lab.strike("redis-0", Blow::Pause), Err(LabError::Dead { .. })));
    wait_until(
        "a write goes through the proxy again",
        || matches!(ask(proxy, &["SET", "key", "value"]), Ok(reply) if reply.is_ok()),
    );
    assert!([role(&lab, "redis-1"), role(&lab, "redis-2")].contains(&Role::Master));
    runtime.block_on(lab.start("redis-0")).unwrap();
    wait_until("the old master follows the new one", || role(&lab, "redis-0") == Role::Replica);
    assert!(matches!(runtime.block_on(lab.start("redis-0")), Err(LabError::Alive { .. })));
    // A member that says nothing is known to be paused without waiting for it.
    for name in ["sentinel-1", "haproxy-0"] {
        lab.strike(name, Blow::Pause).unwrap();
        assert_eq!(role(&lab, name), Role::Paused);
        lab.strike(name, Blow::Resume).unwrap();
        assert!([Role::Sentinel, Role::Proxy].contains(&role(&lab, name)));
    }
    assert!(matches!(lab.strike("redis-3", Blow::Kill), Err(LabError::NoMember { .. })));
    let pids = pids(&lab);
    drop(lab);
    assert_gone(&pids);
}

/// Signs that mean something to one of the programs are in it.
const PASSWORD: &str = "s3cret#$HOME;%~!";

#[test]
fn a_password_lets_in_and_is_shown_to_nobody() {
    let home = Home::new();
    // The least private place that a lab can be in.
    let open = home.0.path("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = home.command(&format!("lab up --detach --proxies 1 --dir {}", open.display()));
    command.env("RBENCH_LAB_AUTH", PASSWORD);
    let mut shown = program::spawn(command, b"").end().succeeded().stdout;
    let status = home.rbench("lab status --format json").succeeded().stdout;
    let members: Vec<Json> = serde_json::from_str(&status).unwrap();
    assert_eq!(members[0]["role"], "master");
    let (proxy, pids) = (members[6]["address"].as_str().unwrap(), members.iter().map(|member| &member["pid"]));
    let mut link = connect(proxy).unwrap();
    assert!(matches!(link.ask(&["SET", "key", "value"]).unwrap(), Value::Error(text) if text.starts_with("NOAUTH")));
    assert!(link.ask(&["AUTH", PASSWORD]).unwrap().is_ok());
    assert!(link.ask(&["SET", "key", "value"]).unwrap().is_ok());
    shown += &status;
    shown += &home.rbench("lab status").succeeded().stdout;
    shown += &home.rbench("lab kill nobody").ended(2).stderr;
    for pid in pids {
        shown += &fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        shown += &String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/environ")).unwrap());
    }
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert_private(&open);
    home.rbench("lab down").succeeded();
    fs::remove_dir(&open).expect("an empty directory");
    home.assert_empty();
}

/// That nobody else can read a file with the password in it: neither the file, nor a directory on the way to it.
fn assert_private(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let is_open = fs::symlink_metadata(&entry).unwrap().permissions().mode() & 0o077 != 0;
        if entry.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&entry).unwrap()).into_owned();
            assert!(!is_open || !text.contains(PASSWORD), "{} is open to others", entry.display());
        } else if entry.is_dir() && is_open {
            assert_private(&entry);
        }
    }
}

#[test]
fn a_detached_lab_stays_until_it_is_ended() {
    let home = Home::new();
    let directory = home.0.path("here");
    let said = home.rbench(&format!("lab up --detach --proxies 1 --dir {}", directory.display())).succeeded().stdout;
    for word in ["haproxy-0", "read-only", "/metrics", "--sentinel 127.", "rbench lab kill redis-0", "rbench lab down"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
    let pids = home.pids();
    assert_eq!(pids.len(), 7);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    home.rbench("lab pause redis-1").succeeded();
    home.rbench("lab kill sentinel-2").succeeded();
    let said = home.rbench("lab status").succeeded().stdout;
    let lines: Vec<Vec<&str>> = said.lines().map(words).collect();
    assert_eq!(lines[0], ["name", "role", "address", "pid"]);
    assert_eq!((lines[2][0], lines[2][1]), ("redis-1", "paused"));
    assert_eq!((lines[6][0], lines[6][1], lines[6][3]), ("sentinel-2", "dead", "-"));
    home.rbench("lab resume redis-1").succeeded();
    home.rbench("lab resume sentinel-2").failed(1, &["sentinel-2 is dead", "rbench lab start sentinel-2"]);
    home.rbench("lab start sentinel-2").succeeded();
    assert_eq!(home.status()[5]["role"], "sentinel");
    let again = home.status()[5]["pid"].as_u64().unwrap() as u32;
    home.rbench(&format!("lab up --dir {}", directory.display())).failed(1, &["holds a lab already"]);
    home.rbench(&format!("lab down --dir {}", directory.display())).succeeded();
    assert_gone(&pids);
    assert_gone(&[again]);
    home.assert_empty();
    home.rbench("lab down").failed(1, &["no lab runs", "rbench lab up"]);
}

/// As in `rbench lab up --detach | head -1`.
#[test]
fn a_detached_lab_stays_although_nobody_reads_of_it() {
    let home = Home::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" lab up --detach --proxies 1 | true", env!("CARGO_BIN_EXE_rbench")]);
    program::spawn(home.at_home(shell), b"").end().succeeded();
    assert_eq!(home.pids().len(), 7);
}

#[test]
fn beside_another_lab_commands_say_which_is_meant() {
    let home = Home::new();
    home.rbench("lab up --detach --proxies 1").succeeded();
    let second = home.0.path("second");
    let which = format!("--dir {}", second.display());
    let said = home.rbench(&format!("lab up --detach --proxies 1 {which}")).succeeded().stdout;
    let several = home.rbench("lab status");
    home.rbench(&format!("lab down {which}")).succeeded();
    several.failed(2, &["several labs run", "--dir"]);
    for command in ["kill redis-0", "status", "down"] {
        assert!(said.contains(&format!("rbench lab {command} {which}")), "{command}: {said}");
    }
}

/// A signal that nobody can catch ends `lab up`, but not what it has started.
#[test]
fn what_a_killed_rbench_has_left_is_found_and_ended() {
    let home = Home::new();
    let (running, pids) = home.up();
    running.signal(Signal::KILL);
    running.end();
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    home.rbench("lab down").succeeded();
    assert_gone(&pids);
    home.assert_empty();
}

#[test]
fn a_signal_ends_the_lab_with_its_rbench() {
    let home = Home::new();
    let (running, pids) = home.up();
    running.signal(Signal::INT);
    running.end().succeeded();
    assert_gone(&pids);
    home.assert_empty();
    // And so it does when the lab is not up yet.
    let running = home.start("lab up");
    wait_until("somebody is started", || !home.status().is_empty());
    running.signal(Signal::TERM);
    running.end().failed(143, &["interrupted"]);
    home.assert_empty();
}

#[test]
fn an_rbench_whose_lab_another_has_ended_ends_too() {
    let home = Home::new();
    let (running, pids) = home.up();
    home.rbench("lab down").succeeded();
    running.end().failed(0, &["ended by another"]);
    assert_gone(&pids);
    home.assert_empty();
}

/// Numbers of processes are used again. A state that names a process of somebody else ends nobody.
#[test]
fn a_process_that_the_lab_did_not_start_is_left_alone() {
    let scratch = Scratch::new();
    let (_runtime, lab) = up(&Options { directory: Some(scratch.path("lab")), ..small() });
    let pids = pids(&lab);
    lab.strike("redis-2", Blow::Kill).unwrap();
    let mut bystander = Daemon::start(Command::new("sleep").arg("1000"));
    let file = scratch.path("lab/lab.json");
    let mut state: Json = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    state["processes"]["redis-2"]["pid"] = bystander.id().into();
    fs::write(&file, state.to_string()).unwrap();
    for blow in [Blow::Kill, Blow::Pause, Blow::Resume] {
        let error = lab.strike("redis-2", blow).unwrap_err();
        assert!(matches!(error, LabError::Foreign { .. }), "{error}");
    }
    let left_alone = lab.down().unwrap();
    assert!(matches!(left_alone[..], [LabError::Foreign { .. }]), "{left_alone:?}");
    assert!(bystander.is_running());
    assert_gone(&pids);
    assert!(!scratch.path("lab").exists());
}

#[test]
fn a_file_that_the_user_keeps_in_the_directory_stays() {
    let scratch = Scratch::new();
    let directory = scratch.path("lab");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("notes"), "mine").unwrap();
    let runtime = Runtime::new().unwrap();
    let options = Options { directory: Some(directory.clone()), ..small() };
    let refused = runtime.block_on(Lab::up(&options)).unwrap_err();
    assert!(matches!(refused, LabError::NotEmpty { .. }), "{refused}");
    fs::remove_file(directory.join("notes")).unwrap();
    let lab = runtime.block_on(Lab::up(&options)).unwrap();
    fs::write(directory.join("notes"), "mine").unwrap();
    drop(lab);
    let left: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes"]);
}

/// A program in a directory of its own, which is the only one to be searched.
fn program_in(scratch: &Scratch, name: &str, script: &str) {
    let path = scratch.path(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn programs_that_are_missing_or_too_old_are_named() {
    let (home, bin) = (Home::new(), Scratch::new());
    let up = || {
        let mut command = home.command("lab up");
        command.env("PATH", bin.path(""));
        program::spawn(command, b"").end()
    };
    up().failed(1, &["cannot find redis-server", "apt-get install redis-server"]);
    program_in(&bin, "redis-server", "echo Redis server v=5.0.3 sha=0");
    up().failed(1, &["redis-server is version 5.0.3", "6.2.0"]);
    program_in(&bin, "redis-server", "echo hello");
    up().failed(1, &["redis-server", "hello"]);
    program_in(&bin, "redis-server", "echo Redis server v=7.0.15 sha=0");
    program_in(&bin, "haproxy", "echo HA-Proxy version 2.2.9-2");
    up().failed(1, &["haproxy is version 2.2.9", "2.6.0"]);
    home.assert_empty();
}

#[test]
fn a_member_that_does_not_come_up_is_named_and_everybody_ends() {
    let (home, bin) = (Home::new(), Scratch::new());
    let real = ["/usr/bin", "/usr/local/bin", "/bin"].map(|directory| Path::new(directory).join("redis-server"));
    symlink(real.iter().find(|path| path.exists()).expect("redis-server is installed"), bin.path("redis-server"))
        .unwrap();
    let fails = "[ \"$1\" = -v ] && { echo HAProxy version 2.6.12; exit; }; echo bad luck; echo $PPID; exit 1";
    program_in(&bin, "haproxy", fails);
    let mut command = home.command("lab up --detach");
    command.env("PATH", bin.path(""));
    let running = program::spawn(command, b"");
    let parent = running.id();
    // Both have ended, and either may be seen first.
    let ran = running.end().failed(1, &["haproxy-", "its log ends in: bad luck"]);
    assert!(ran.stderr.contains(&parent.to_string()), "{}", ran.stderr);
    home.assert_empty();
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let home = Home::new();
    for (line, says) in [
        ("lab", "lab"),
        ("lab sideways", "sideways"),
        ("lab up --proxies 0", "1 to 16"),
        ("lab up --proxies many", "--proxies"),
        ("lab up --min-replicas 3", "0 to 2"),
        ("lab up --down-after 5ms", "100ms"),
        ("lab up --down-after soon", "--down-after"),
        ("lab up --password it's", "password"),
        ("lab status --format yaml", "json"),
        ("lab kill", "MEMBER"),
    ] {
        home.rbench(line).failed(2, &[says]);
    }
    for line in ["lab status", "lab down", "lab kill redis-0", "lab pause redis-0", "lab start redis-0"] {
        home.rbench(line).failed(1, &["no lab runs"]);
        home.rbench(&format!("{line} --dir /nowhere")).failed(1, &["no lab in /nowhere"]);
    }
    for verb in ["", "up", "status", "down", "kill", "pause", "resume", "start"] {
        let said = home.rbench(&format!("lab {verb} --help")).succeeded().stdout;
        assert!(said.contains("Usage: rbench lab"), "{said}");
    }
    home.assert_empty();
}
