//! What is settled with the servers before the first request: what they make of the requests, and whether the load would
//! do harm.

use super::error::{Error, Exit};
use super::say;
use super::session::Session;
use crate::plan::Plan;
use crate::target::Resolved;
use crate::target::cleanup::{KeyFacts, key_arguments};
use crate::target::control::Control;
use crate::target::guard::{self, Finding, GuardReport, Intent, Level, Mode};
use crate::units::Nanos;
use crate::workload::suite::KEY_NAMES;
use crate::workload::template::{EACH, KEY};
use crate::workload::{Command, KeyAt, Template, written};
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokio::task::JoinSet;

/// What the server says of each request of each test, or why it does not. Empty when nobody had to ask.
#[derive(Debug, Default)]
pub struct RequestFacts(Vec<Vec<Result<KeyFacts, String>>>);

impl RequestFacts {
    /// Of the requests of test number `index`.
    pub fn of_test(&self, index: usize) -> &[Result<KeyFacts, String>] {
        self.0.get(index).map_or(&[], Vec::as_slice)
    }
}

/// Says which nodes of a cluster get no load because there are fewer connections than nodes.
pub fn warn_of_left_out(plan: &Plan, resolved: &Resolved) {
    let names: Vec<String> =
        resolved.targets.iter().skip(plan.clients as usize).map(|target| target.name.clone()).collect();
    let goes_everywhere = plan.tests.iter().flat_map(|test| &test.commands).any(|it| !has_fixed_place(plan, it));
    if !names.is_empty() && goes_everywhere && !super::server::is_each(&plan.server) {
        say::warning(format!(
            "-c {} is fewer than the {} servers, and leaves out {}; use -c {} or more",
            plan.clients,
            resolved.targets.len(),
            names.join(", "),
            resolved.targets.len()
        ));
    }
}

/// Whether all requests of a command go to one node, because they have one key.
fn has_fixed_place(plan: &Plan, command: &Command) -> bool {
    command.routing_key.is_some_and(|KeyAt { request, argument }| {
        let key = command.sequence[request].arguments().nth(argument);
        key.is_some_and(|key| !written::is_drawn(key, plan.key_count, true))
    })
}

/// Asks the server which arguments are keys and which requests write, where that is needed or `is_wanted` anyway; and says
/// in `plan` which key decides where a request goes in a cluster.
///
/// # Errors
/// [`Error`] when the answer is needed and not to be had.
pub fn ask_about_requests(
    session: &Session,
    plan: &mut Plan,
    resolved: &mut Resolved,
    is_wanted: bool,
) -> Result<RequestFacts, Error> {
    let in_cluster = plan.server.cluster.is_some();
    let routed = |command: &Command| in_cluster && !command.is_tagged();
    let is_needed = plan.cleanup || plan.tests.iter().flat_map(|test| &test.commands).any(routed);
    if !is_needed && !is_wanted && plan.guard == Mode::Off {
        return Ok(RequestFacts::default());
    }
    let asked: Vec<Vec<Vec<u8>>> =
        plan.all_tests().flat_map(|test| test.templates().map(written::told_apart)).collect();
    let facts = match resolved.controls.iter_mut().flatten().next() {
        Some(control) => {
            session.wait_for(key_arguments(&mut control.connection, &asked, plan.connect_timeout.into()))?
        }
        None => asked.iter().map(|_| Err("the server hangs up on questions".to_owned())).collect(),
    };
    let fillings = plan.fillings();
    let mut facts = facts.into_iter();
    let facts: Vec<Vec<Result<KeyFacts, String>>> =
        plan.all_tests().map(|test| facts.by_ref().take(test.templates().count()).collect()).collect();
    for (test, facts) in plan.all_tests().zip(&facts) {
        if plan.cleanup
            && let Some(reason) = facts.iter().find_map(unknown_keys)
        {
            return Err(Error::failed(format!("--cleanup cannot tell which keys '{}' writes: {reason}", test.title)));
        }
        if plan.cleanup && written::has_drawn_value(test, &written_places(facts), &fillings) {
            return Err(Error::usage(format!(
                "--cleanup cannot tell which keys '{}' writes: they have __data__ in them, which is drawn for each request",
                test.title
            )));
        }
    }
    for (test, facts) in plan.tests.iter_mut().zip(&facts) {
        let mut facts = &facts[..];
        for command in &mut test.commands {
            let of_command;
            (of_command, facts) = facts.split_at(command.sequence.len());
            if routed(command) {
                command.routing_key = routing_key(of_command);
            }
        }
    }
    Ok(RequestFacts(facts))
}

/// Why it is not known which keys a request writes.
fn unknown_keys(facts: &Result<KeyFacts, String>) -> Option<&str> {
    match facts {
        Ok(KeyFacts { written: None, .. }) => {
            Some("this server does not tell keys that are written from keys that are read, as Redis does from 7.0 on")
        }
        Ok(_) => None,
        Err(reason) => Some(reason),
    }
}

/// For each request of a test the places of the keys that it may write.
fn written_places(facts: &[Result<KeyFacts, String>]) -> Vec<Vec<usize>> {
    let written = |facts: &Result<KeyFacts, String>| facts.as_ref().ok().and_then(|facts| facts.written.clone());
    facts.iter().map(|facts| written(facts).unwrap_or_default()).collect()
}

/// The first key of a sequence decides where it goes.
fn routing_key(facts: &[Result<KeyFacts, String>]) -> Option<KeyAt> {
    facts.iter().enumerate().find_map(|(request, facts)| {
        let argument = *facts.as_ref().ok()?.places.first()?;
        Some(KeyAt { request, argument })
    })
}

/// Longer than the guard watches what others do.
const WATCH: Duration = Duration::from_secs(3);

/// Looks at every server before the load is let loose on it.
///
/// # Errors
/// [`Error`] with [`Exit::Guarded`] when the plan says so and somebody could be harmed.
pub fn guard(
    session: &Session,
    plan: &Plan,
    resolved: &mut Resolved,
    requests: &RequestFacts,
) -> Result<GuardReport, Error> {
    let mode = plan.guard;
    if mode == Mode::Off {
        return Ok(GuardReport { mode, findings: Vec::new() });
    }
    let patience = Duration::from(plan.connect_timeout) + WATCH;
    let names = resolved.targets.iter().map(|target| target.name.clone());
    let servers: Vec<(String, Option<Control>)> = names.zip(resolved.controls.drain(..)).collect();
    let several = resolved.targets.len() > 1;
    let intent = intent(plan, resolved.targets.len() as u32, requests);
    let mut findings: Vec<Finding> = session
        .wait_for(async {
            let mut looking = JoinSet::new();
            for (name, control) in servers {
                let intent = Intent { server_name: name, ..intent.clone() };
                looking.spawn(look(control, mode, intent, several, patience));
            }
            looking.join_all().await
        })?
        .into_iter()
        .flatten()
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let report = GuardReport { mode, findings };
    if report.refuses() || io::stderr().is_terminal() {
        report.findings.iter().for_each(say::warning);
    }
    match report.refuses() {
        true => Err(Error::new(
            Exit::Guarded,
            "not started: --guard refuse found the above; remove the cause, or go on with --guard warn",
        )),
        false => Ok(report),
    }
}

async fn look(control: Option<Control>, mode: Mode, intent: Intent, several: bool, patience: Duration) -> Vec<Finding> {
    let mut findings = match control {
        Some(mut control) => guard::look(&mut control.connection, mode, &intent, &[], patience).await.findings,
        None => vec![Finding::new("not_checked", Level::Warn, "the server hangs up on questions: nothing was checked")],
    };
    if several {
        findings.iter_mut().for_each(|finding| finding.text = format!("{}: {}", intent.server_name, finding.text));
    }
    findings
}

/// What the plan would do to each of `servers` servers.
fn intent(plan: &Plan, servers: u32, requests: &RequestFacts) -> Intent {
    let (mut writes, mut keys, mut own) = (false, 0u64, Vec::new());
    for (index, test) in plan.all_tests().enumerate() {
        for (at, template) in test.templates().enumerate() {
            let facts = requests.of_test(index).get(at).and_then(|facts| facts.as_ref().ok());
            let places = facts.map_or(&[][..], |facts| &facts.places);
            own.extend(places.iter().filter_map(|place| own_pattern(template, *place)));
            if facts.map_or_else(|| !is_known_to_read(template), |facts| facts.writes) {
                writes = true;
                keys = keys.saturating_add(keys_written(plan, template, places.len() as u64));
            }
        }
    }
    if plan.is_suite {
        own.extend(KEY_NAMES.iter().map(|name| match *name {
            "key" | "counter" => format!("{}{name}:", plan.key_prefix),
            name => format!("{}{name}", plan.key_prefix),
        }));
    }
    own.sort();
    own.dedup();
    Intent {
        writes,
        clients: plan.clients.div_ceil(servers.max(1)),
        keys: keys / u64::from(servers.max(1)),
        value_bytes: plan.data_bytes as u64,
        own_key_patterns: own,
        replica_expected: !writes,
        server_name: String::new(),
        user: plan.server.credentials.as_ref().and_then(|credentials| credentials.user.clone()),
    }
}

/// What a key of `template` begins with, up to the first thing in it that is drawn.
fn own_pattern(template: &Template, place: usize) -> Option<String> {
    let key = template.arguments().nth(place)?;
    let key = String::from_utf8_lossy(key);
    let end = [key.find("__"), key.find('{')].into_iter().flatten().min().unwrap_or(key.len());
    Some(key[..end].to_owned()).filter(|pattern| !pattern.is_empty())
}

/// Where the server does not tell, only what everybody knows is believed to be harmless.
fn is_known_to_read(template: &Template) -> bool {
    ["PING", "GET", "MGET", "LRANGE", "EXISTS", "TTL", "HGET", "HGETALL", "ZRANGE", "ECHO", "STRLEN"]
        .contains(&template.name().as_str())
}

/// Keys, or elements, that requests like `template` leave behind at the most.
fn keys_written(plan: &Plan, template: &Template, places: u64) -> u64 {
    // At ten million a second for as long as it takes.
    let most = |duration: Nanos| duration.0 / 100;
    let requests = plan.requests().unwrap_or_else(|| most(plan.duration().unwrap_or_default()));
    match template.name().as_str() {
        "LPUSH" | "RPUSH" | "XADD" | "APPEND" => requests,
        "LPOP" | "RPOP" | "SPOP" | "ZPOPMIN" | "DEL" | "UNLINK" => 0,
        _ => {
            let drawn = template.has(EACH) || template.has(KEY);
            let possible = if drawn { plan.key_count.unwrap_or(1) } else { 1 };
            possible.min(requests.saturating_mul(places.max(1)))
        }
    }
}
