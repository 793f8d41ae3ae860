//! Sentinel: the master is found, and found again.

mod support;

use rustix::process::Signal;
use support::measured::Measuring;
use support::sentinel::{GROUP, Passwords, Sentinels};
use support::{SLOW, Value, measure, rbench};

/// Calls of `name` at each server.
fn calls_of(set: &Sentinels, name: &str) -> Vec<u64> {
    set.redis.iter().map(|server| server.calls_of(name)).collect()
}

/// Starts a load that takes at least six seconds, and waits until the master has some of it.
fn slow(set: &Sentinels, line: &str) -> Measuring {
    let mut going = Measuring::start(&set.arguments(&format!("-n 3000 -c 5 {line} {SLOW}")));
    going.until("the load is on its way", || set.redis[0].calls_of("debug") > 100);
    going
}

/// Starts a load that does not end by itself, and waits until the master has some of it.
fn endless(set: &Sentinels) -> Measuring {
    let mut going = Measuring::start(&set.arguments(&format!("-n 1000000000 -c 5 --on-error reconnect {SLOW}")));
    going.until("the load is on its way", || set.redis[0].calls_of("debug") > 100);
    going
}

#[test]
fn the_master_is_found_through_any_sentinel() {
    let mut set = Sentinels::start();
    let measured = measure(&set.arguments("-n 100 -t set")).ended(0);
    assert_eq!(measured.document["targets"][0]["endpoint"]["tcp"], set.redis[0].name());
    set.sentinels[0].kill();
    rbench(&set.arguments("-n 100 -t set")).succeeded();
    let last = set.sentinels[2].name();
    rbench(&["--sentinel", &last, "--master-name", GROUP, "-n", "100", "-t", "set"]).succeeded();
    assert_eq!(set.redis[0].calls_of("set"), 300);
    let dead = set.sentinels[0].name();
    let ran = rbench(&["--sentinel", &dead, "--master-name", GROUP, "-n", "100"]);
    ran.failed(3, &[&dead, "connection refused"]);
}

/// Whoever says nothing is one of those that were asked.
#[test]
fn sentinels_that_do_not_help_are_named_with_the_reason_of_each() {
    let set = Sentinels::with(Passwords { redis: None, sentinel: Some("watch-secret") });
    set.sentinels[1].signal(Signal::STOP);
    let [first, second] = [0, 1].map(|index| set.sentinels[index].name());
    let line = format!("--sentinel {first},{second},127.0.0.1:1 --master-name {GROUP} --connect-timeout 1s");
    rbench(&support::words(&line)).failed(
        3,
        &[
            &format!("{first}: NOAUTH"),
            &format!("{second}: no answer in time"),
            "127.0.0.1:1: connection refused",
            "--sentinel",
        ],
    );
    let line = format!("--sentinel {second} --master-name {GROUP} --connect-timeout 1s");
    rbench(&support::words(&line)).failed(3, &[&second, "within 1 s"]);
    let line = format!("--sentinel {first} --master-name {GROUP}");
    rbench(&support::words(&line)).failed(3, &[&first, "asks for a password", "--sentinel-pass"]);
}

#[test]
fn a_master_that_no_sentinel_knows_is_named() {
    let set = Sentinels::start();
    rbench(&["--sentinel", &set.sentinels[0].name(), "--master-name", "nobody"]).failed(3, &["nobody"]);
}

#[test]
fn sentinels_without_the_name_of_a_master_are_a_mistake() {
    rbench(&["--sentinel", "127.0.0.1:1"]).failed(2, &["--master-name"]);
    rbench(&["--master-name", GROUP]).failed(2, &["--sentinel"]);
}

#[test]
fn a_role_decides_who_is_asked() {
    let set = Sentinels::start();
    for (role, at_master) in [("master", 300), ("replica", 0)] {
        set.redis.iter().for_each(|server| drop(server.ask(&["CONFIG", "RESETSTAT"])));
        rbench(&set.arguments(&format!("--role {role} -n 300 -c 4 -t get"))).ended(0);
        let calls = calls_of(&set, "get");
        assert_eq!((calls[0], calls.iter().sum::<u64>()), (at_master, 300), "{role}: {calls:?}");
    }
    set.redis.iter().for_each(|server| drop(server.ask(&["CONFIG", "RESETSTAT"])));
    rbench(&set.arguments("--role any -n 300 -c 4 -t get")).ended(0);
    assert_eq!(calls_of(&set, "get").iter().sum::<u64>(), 300);
    rbench(&set.arguments("--role replica -n 300 -t set")).failed(1, &["READONLY"]);
}

#[test]
fn sentinels_have_passwords_of_their_own() {
    let set = Sentinels::with(Passwords { redis: Some("data-secret"), sentinel: Some("watch-secret") });
    let load = "-n 100 -t set";
    rbench(&set.arguments(&format!("--sentinel-pass watch-secret -a data-secret {load}"))).succeeded();
    rbench(&set.arguments(&format!("--sentinel-user default --sentinel-pass watch-secret -a data-secret {load}")))
        .succeeded();
    assert_eq!(set.redis[0].calls_of("set"), 200);
    // The environment keeps it out of the list of processes.
    let mut command =
        support::program::command(&set.arguments(&format!("--sentinel-user default -a data-secret {load}")));
    let ran = command.env("RBENCH_SENTINEL_AUTH", "watch-secret").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    rbench(&set.arguments(&format!("--sentinel-user default {load}"))).failed(2, &["--sentinel-pass"]);
    set.redis[0].ask(&["CONFIG", "RESETSTAT"]);
    for line in ["-a data-secret", "--sentinel-pass wrong-secret -a data-secret", "--sentinel-pass watch-secret"] {
        let ran = rbench(&set.arguments(&format!("{line} {load}")));
        assert_eq!(ran.code, Some(3), "{line}: {ran:?}");
        assert!(!ran.stderr.contains("-secret"), "{line}: {ran:?}");
    }
    let measured = measure(&set.arguments(&format!("--sentinel-pass watch-secret -a data-secret {load}"))).ended(0);
    assert!(!measured.document.to_string().contains("-secret"));
}

#[test]
fn a_run_follows_a_master_that_hands_over() {
    let set = Sentinels::start();
    // The old master goes on until the sentinels have made up their minds.
    let mut going = endless(&set);
    let new = set.fail_over();
    // Until all sentinels agree, a client may be sent to the old one again.
    going.until("all clients are at the new master", || set.redis[new].clients(&["cmd=debug"]).len() == 5);
    let [old_calls, new_calls] = [0, new].map(|index| set.redis[index].calls_of("debug"));
    going.until("the load goes on", || set.redis[new].calls_of("debug") > new_calls + 100);
    going.interrupt().ended(130);
    assert_eq!(set.redis[0].calls_of("debug"), old_calls, "all later requests went to the new master");
}

#[test]
fn a_run_goes_on_when_the_master_dies() {
    let mut set = Sentinels::start();
    let going = slow(&set, "--on-error reconnect");
    set.fail_over_soon();
    set.redis[0].kill();
    let new = set.wait_for_another_than(0);
    let measured = going.end().went_on();
    assert!(set.redis[new].calls_of("debug") > 100);
    assert!(measured.number("unknown") >= 1, "what the dead master was asked is unknown: {:#}", measured.result());
    // One of: it closed, it was reset, it is not there any more.
    let lost = ["eof", "reset", "connect_refused"].map(|kind| measured.errors(kind));
    assert!(lost.iter().sum::<u64>() >= 5, "{lost:?}");
}

#[test]
fn a_run_ends_with_its_master_when_nothing_else_was_asked_for() {
    let mut set = Sentinels::start();
    let going = slow(&set, "");
    set.redis[0].kill();
    going.end().ended(1);
}

/// Connections to a frozen master stay, and nobody waits an hour for a reply: it is the sentinels' word that counts.
#[test]
fn a_change_of_masters_is_heard_before_any_timeout() {
    let set = Sentinels::start();
    let mut going = slow(&set, "--on-error reconnect --timeout 1h");
    set.fail_over_soon();
    set.redis[0].signal(Signal::STOP);
    let new = set.wait_for_another_than(0);
    going.until("the load is at the new master", || set.redis[new].calls_of("debug") > 100);
    set.redis[0].signal(Signal::CONT);
    let measured = going.end().went_on();
    assert_eq!(measured.errors("reply_timeout"), 0);
}

/// The data of a failover is what writes make of it: each is answered, refused, or unknown, and none is sent twice.
#[test]
fn each_write_is_accounted_for_once() {
    let set = Sentinels::start();
    let mut going = Measuring::start(&set.arguments("-n 1000000000 -c 5 --on-error reconnect incr written"));
    going.until("the load is on its way", || set.redis[0].calls_of("incr") > 100);
    let new = set.fail_over();
    set.redis[new].ask(&["CONFIG", "RESETSTAT"]);
    going.until("the load is at the new master", || set.redis[new].calls_of("incr") > 100);
    let measured = going.interrupt().ended(130);
    let Value::Text(written) = set.redis[new].ask(&["GET", "written"]) else { panic!("no key") };
    let written: u64 = String::from_utf8(written).unwrap().parse().unwrap();
    let unknown = measured.number("unknown");
    assert!(written <= measured.number("completed") + unknown, "{written} writes: {:#}", measured.result());
}
