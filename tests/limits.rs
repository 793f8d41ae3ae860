//! Who was the limit, staged with real processes: each case makes one of them the limit on purpose.

mod support;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use support::haproxy::Proxy;
use support::{RedisServer, Scratch, document, rbench, words};

/// Each case takes the whole machine.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first result of a run, which is long enough to be judged.
#[track_caller]
fn result(line: &str) -> Value {
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    let ran = rbench(&words(&format!("--json {} --guard off -q {line}", json.display())));
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    document(&json)["results"][0].clone()
}

/// The verdict, unless a hypervisor had so much of the machine that there is nothing to be staged on it.
#[track_caller]
fn is_limit(result: &Value, limit: &str) {
    let verdict = &result["verdict"];
    let steal = result["observed"]["client"]["steal"].as_f64().unwrap_or(0.0);
    assert!(verdict["limit"] == limit || steal > 0.05, "{limit} was staged, and steal is {steal}: {verdict:#}");
    assert!(verdict["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{verdict:#}");
    assert!(verdict["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()), "{verdict:#}");
}

#[test]
fn a_rate_that_is_given_is_the_limit_itself() {
    let _turn = alone();
    let server = RedisServer::start();
    let result = result(&server.arguments("-t set --rate 300 --duration 2s").join(" "));
    is_limit(&result, "rate");
}

#[test]
fn replies_that_are_held_back_make_the_path_the_limit() {
    let _turn = alone();
    let result = result("--embedded=delay:30ms -t set -c 5 --duration 2s");
    is_limit(&result, "path");
    // At most so many can be in flight, and the verdict shows it.
    assert!(result["verdict"]["advice"].as_str().unwrap().contains("-c"), "{:#}", result["verdict"]);
}

/// Scripts that do nothing for long keep a server busy, whatever the client is like.
#[test]
fn a_server_that_is_kept_busy_is_the_limit() {
    let _turn = alone();
    let server = RedisServer::start();
    let arguments = ["--guard", "off", "-q", "-c", "5", "--duration", "3s"];
    let scratch = Scratch::new();
    let json = scratch.path("result.json").to_str().unwrap().to_owned();
    let mut line: Vec<String> = server.arguments("");
    line.extend(arguments.iter().map(|word| (*word).to_owned()));
    line.extend(["--json", &json, "eval", "for i = 1, 300000 do end return 1", "0"].map(str::to_owned));
    let ran = rbench(&line);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let result = document(json.as_ref())["results"][0].clone();
    is_limit(&result, "server");
    assert!(result["observed"]["servers"][0]["commands"]["eval"]["calls"].as_u64().is_some_and(|calls| calls > 0));
}

/// Calls `act` where what it starts runs on `core` alone.
fn on<T: Send>(core: usize, act: impl FnOnce() -> T + Send) -> T {
    let pinned = || {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set).expect("a core of ours");
        act()
    };
    thread::scope(|scope| scope.spawn(pinned).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A proxy on one core, and its server on another, which is the client's, too.
struct Proxied {
    of_proxy: usize,
    of_others: usize,
    proxy: Proxy,
    /// Behind the proxy until the end of the case.
    _server: RedisServer,
}

impl Proxied {
    fn start() -> Proxied {
        let allowed = sched_getaffinity(None).expect("our cores");
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let (of_proxy, of_others) = (cores[0], cores[cores.len() - 1]);
        let server = on(of_others, RedisServer::start);
        let proxy = on(of_proxy, || Proxy::twice_before(&server));
        Proxied { of_proxy, of_others, proxy, _server: server }
    }

    /// The result of three seconds through the proxy.
    fn result(&self) -> Value {
        let line = format!("-t ping_mbulk -c 50 --duration 3s --haproxy-stats {}", self.proxy.stats[0]);
        on(self.of_others, || result(&self.proxy.arguments(&line).join(" ")))
    }
}

/// A proxy has a core to itself, and does more for a request than client and server together on another.
#[test]
fn a_proxy_that_is_kept_busy_is_the_limit() {
    let _turn = alone();
    let proxied = Proxied::start();
    // Somebody else on its core, and the proxy was not at its end: whatever the verdict, that is no case of this.
    let is_staged = |result: &Value| {
        let samples = result["observed"]["samples"].as_array().expect("a run of seconds");
        let mut busy: Vec<f64> = samples.iter().filter_map(|sample| sample["proxies"][0]["busy"].as_f64()).collect();
        busy.sort_by(f64::total_cmp);
        busy.get(busy.len() / 2).is_some_and(|busy| *busy > 0.92)
    };
    let result =
        (0..5).map(|_| proxied.result()).find(is_staged).expect("a proxy that has a core to itself for a few seconds");
    is_limit(&result, "proxy");
}

/// Threads that never sleep, until they are dropped.
struct Neighbours(Arc<AtomicBool>, Vec<JoinHandle<()>>);

impl Neighbours {
    fn on(core: usize, count: usize) -> Neighbours {
        let stop = Arc::new(AtomicBool::new(false));
        let spin = |stop: Arc<AtomicBool>| {
            move || {
                let mut set = CpuSet::new();
                set.set(core);
                sched_setaffinity(None, &set).expect("a core of ours");
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        };
        let threads = (0..count).map(|_| thread::spawn(spin(Arc::clone(&stop)))).collect();
        Neighbours(stop, threads)
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.drain(..).for_each(|thread| thread.join().expect("it only spins"));
    }
}

/// A proxy that shares its core with neighbours that never sleep is not at its end, and stands in the way all the same.
#[test]
fn a_proxy_that_is_starved_of_its_processor_is_the_limit() {
    let _turn = alone();
    let proxied = Proxied::start();
    let neighbours = Neighbours::on(proxied.of_proxy, 3);
    let result = proxied.result();
    drop(neighbours);
    is_limit(&result, "proxy");
    let waited = result["proxies"][0]["run_queue_wait"].as_f64().expect("a share");
    assert!(waited > 0.1, "{waited}");
    let text = result["verdict"]["text"].as_str().expect("a text");
    assert!(text.contains("without a processor for"), "{text}");
}

/// A client on one core with neighbours that never sleep gets a part of it.
#[test]
fn a_client_that_is_starved_of_its_processor_is_the_limit() {
    let _turn = alone();
    let server = RedisServer::start();
    let allowed = sched_getaffinity(None).expect("our cores");
    let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("one at least");
    let neighbours = Neighbours::on(core, 3);
    let scratch = Scratch::new();
    let json = scratch.path("result.json").to_str().unwrap().to_owned();
    let output = std::process::Command::new("taskset")
        .args(["-c", &core.to_string(), "nice", "-n", "5", env!("CARGO_BIN_EXE_rbench")])
        .args(server.arguments(&format!("--guard off -q -t set -c 20 --duration 2s --json {json}")))
        .output()
        .expect("taskset is part of every Linux");
    drop(neighbours);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result = document(json.as_ref())["results"][0].clone();
    is_limit(&result, "client");
    let waited = result["observed"]["client"]["threads"][0]["run_queue_wait"].as_f64().expect("a share");
    assert!(waited > 0.1, "{waited}");
}
