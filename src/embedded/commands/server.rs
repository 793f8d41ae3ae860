//! Commands about the server as a whole.

use super::super::behaviour::Counts;
use super::super::failure::{Failure, said};
use super::super::state::{CommandStats, State};
use super::{Call, Effect, Outcome, REGISTRY, glob};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::{self, Write};
use std::time::Duration;

/// The redis-server whose replies these are.
pub const VERSION: &str = "7.2.0";

const CONFIG: [(&str, &str); 6] = [
    ("appendonly", "no"),
    ("databases", "16"),
    ("maxmemory", "0"),
    ("maxmemory-policy", "noeviction"),
    ("save", ""),
    ("timeout", "0"),
];

pub fn config(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if arguments.is(1, "get") {
        if arguments.len() < 3 {
            return Err(Failure::arity("config|get"));
        }
        let wanted = |name: &str| arguments.from(2).any(|pattern| glob(&pattern.to_ascii_lowercase(), name.as_bytes()));
        let found: Vec<_> = CONFIG.iter().filter(|(name, _)| wanted(name)).collect();
        call.reply.map(found.len());
        for (name, value) in found {
            call.reply.bulk(name.as_bytes());
            call.reply.bulk(value.as_bytes());
        }
    } else if arguments.is(1, "resetstat") {
        let stats = &mut call.state.stats;
        stats.commands.fill(CommandStats::default());
        (stats.input_bytes, stats.output_bytes, stats.connections) = (0, 0, 0);
        if let Some(behaviour) = &mut call.state.behaviour {
            behaviour.counts = Counts::default();
        }
        call.state.databases().iter_mut().for_each(|database| (database.hits, database.misses) = (0, 0));
        call.reply.ok();
    } else {
        return Err(Failure::subcommand("config", arguments.at(1)));
    }
    Ok(())
}

type WriteSection = fn(&mut State, &mut String) -> fmt::Result;

/// The sections of INFO, in their order. The last ones are told only when they are asked for.
const SECTIONS: [(&str, WriteSection); 8] = [
    ("server", info_server),
    ("clients", info_clients),
    ("memory", info_memory),
    ("stats", info_stats),
    ("replication", info_replication),
    ("cpu", info_cpu),
    ("keyspace", info_keyspace),
    ("commandstats", info_commandstats),
];
const ON_REQUEST: [&str; 1] = ["commandstats"];

pub fn info(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let asked = |word: &str| arguments.from(1).any(|argument| argument.eq_ignore_ascii_case(word.as_bytes()));
    let everything = asked("all") || asked("everything");
    let usual = arguments.len() == 1 || asked("default");
    let mut text = String::new();
    for (name, write_section) in SECTIONS {
        if asked(name) || everything || (usual && !ON_REQUEST.contains(&name)) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            write!(text, "# {}{}\r\n", name[..1].to_ascii_uppercase(), &name[1..])
                .and_then(|()| write_section(call.state, &mut text))
                .expect("a String can be written to");
        }
    }
    call.reply.verbatim(&text);
    Ok(())
}

fn info_server(state: &mut State, text: &mut String) -> fmt::Result {
    write!(text, "redis_version:{VERSION}\r\nredis_mode:standalone\r\n")?;
    write!(text, "os:{} {}\r\n", std::env::consts::OS, std::env::consts::ARCH)?;
    write!(text, "process_id:{}\r\nrun_id:{}\r\n", std::process::id(), state.run_id)?;
    write!(text, "tcp_port:{}\r\nserver_time_usec:{}\r\n", state.address.port(), state.now_us)?;
    write!(text, "uptime_in_seconds:{}\r\n", state.uptime_secs())?;
    // Tells those who look which server it is that goes by that version.
    write!(text, "server_name:rbench\r\nrbench_version:{}\r\n", env!("CARGO_PKG_VERSION"))
}

fn info_clients(state: &mut State, text: &mut String) -> fmt::Result {
    write!(text, "connected_clients:{}\r\nblocked_clients:0\r\n", state.sessions().count())
}

/// The allocator isn't asked: what is in use is not known here, and a made-up figure would be believed.
fn info_memory(_: &mut State, text: &mut String) -> fmt::Result {
    write!(text, "used_memory:0\r\nmaxmemory:0\r\nmaxmemory_human:0B\r\nmaxmemory_policy:noeviction\r\n")
}

fn info_stats(state: &mut State, text: &mut String) -> fmt::Result {
    let databases = state.databases().iter();
    let (hits, misses) = databases.fold((0, 0), |sum, database| (sum.0 + database.hits, sum.1 + database.misses));
    let stats = &state.stats;
    let commands: u64 = stats.commands.iter().map(|command| command.calls).sum();
    write!(text, "total_connections_received:{}\r\n", stats.connections)?;
    write!(text, "total_commands_processed:{commands}\r\n")?;
    write!(text, "total_net_input_bytes:{}\r\n", stats.input_bytes)?;
    write!(text, "total_net_output_bytes:{}\r\n", stats.output_bytes)?;
    write!(text, "rejected_connections:0\r\nevicted_keys:0\r\n")?;
    write!(text, "keyspace_hits:{hits}\r\nkeyspace_misses:{misses}\r\n")?;
    state.behaviour.as_ref().map_or(Ok(()), |behaviour| info_behaviour(&behaviour.counts, text))
}

/// What a client that counts well must have seen, and how well the server kept its times.
fn info_behaviour(counts: &Counts, text: &mut String) -> fmt::Result {
    let Counts { requests, failed, dropped, late } = counts;
    write!(text, "behaviour_requests:{requests}\r\n")?;
    write!(text, "behaviour_failed:{failed}\r\nbehaviour_dropped:{dropped}\r\n")?;
    write!(text, "behaviour_held:{}\r\n", late.replies)?;
    write!(text, "behaviour_late_usec_p50:{}\r\n", late.micros_at(0.5))?;
    write!(text, "behaviour_late_usec_p99:{}\r\n", late.micros_at(0.99))?;
    write!(text, "behaviour_late_usec_max:{}\r\n", late.max.0.div_ceil(1000))
}

fn info_replication(_: &mut State, text: &mut String) -> fmt::Result {
    write!(text, "role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n")
}

/// Of the thread that serves, which is all that there is of the server. What of it was the kernel's is not told apart.
fn info_cpu(_: &mut State, text: &mut String) -> fmt::Result {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
    write!(text, "used_cpu_sys:0.000000\r\nused_cpu_user:{seconds:.6}\r\n")?;
    write!(text, "used_cpu_sys_main_thread:0.000000\r\nused_cpu_user_main_thread:{seconds:.6}\r\n")
}

fn info_keyspace(state: &mut State, text: &mut String) -> fmt::Result {
    for (number, database) in state.databases().iter().enumerate().filter(|(_, database)| database.len() > 0) {
        write!(text, "db{number}:keys={},expires={},avg_ttl=0\r\n", database.len(), database.expiring())?;
    }
    Ok(())
}

/// How often each command was called. Their time isn't taken: two looks at a clock would cost as much as most of them.
fn info_commandstats(state: &mut State, text: &mut String) -> fmt::Result {
    for (command, stats) in REGISTRY.iter().zip(&state.stats.commands) {
        let CommandStats { calls, rejected, failed } = stats;
        if calls + rejected > 0 {
            write!(text, "cmdstat_{}:calls={calls},usec=0,usec_per_call=0.00,", command.name)?;
            write!(text, "rejected_calls={rejected},failed_calls={failed}\r\n")?;
        }
    }
    Ok(())
}

/// Enough for clients that ask on connecting, which are told of no command, and for those that ask of one by its name.
pub fn command(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if arguments.is(1, "count") {
        call.reply.count(REGISTRY.len());
    } else if arguments.is(1, "docs") {
        call.reply.map(0);
    } else if arguments.is(1, "info") {
        call.reply.array(arguments.len() - 2);
        arguments.from(2).for_each(|name| describe(call, name));
    } else if arguments.is(1, "getkeys") {
        return getkeys(call);
    } else if arguments.len() == 1 || arguments.is(1, "list") {
        call.reply.array(0);
    } else {
        return Err(Failure::subcommand("command", arguments.at(1)));
    }
    Ok(())
}

/// The entry of COMMAND INFO as it was up to Redis 5: name, arity, flags, and where the keys are.
fn describe(call: &mut Call, name: &[u8]) {
    let Some(index) = call.state.names.find(name) else { return call.reply.null_array() };
    let command = &REGISTRY[index];
    let flag = if command.effect == Effect::Write { "write" } else { "readonly" };
    let (first, last, step) = command.key_places();
    call.reply.array(6);
    call.reply.bulk(command.name.as_bytes());
    call.reply.integer(i64::from(command.arity));
    call.reply.array(1);
    call.reply.simple(flag);
    [first, last, step].into_iter().for_each(|number| call.reply.integer(number));
}

fn getkeys(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if arguments.len() < 3 {
        return Err(Failure::arity("command|getkeys"));
    }
    let index = call.state.names.find(arguments.at(2)).ok_or(said("ERR Invalid command specified"))?;
    let command = &REGISTRY[index];
    let count = arguments.len() - 2;
    if !command.takes(count) {
        return Err(said("ERR Invalid number of arguments specified for command"));
    }
    let (first, last, step) = command.key_places();
    let end = if last < 0 { count } else { last as usize + 1 };
    let keys: Vec<&[u8]> = match step {
        0 => return Err(said("ERR The command has no key arguments")),
        step => arguments.from(2).take(end).skip(first as usize).step_by(step as usize).collect(),
    };
    call.reply.array(keys.len());
    keys.into_iter().for_each(|key| call.reply.bulk(key));
    Ok(())
}

pub fn dbsize(call: &mut Call) -> Outcome {
    call.reply.count(call.state.database(call.client).len());
    Ok(())
}

pub fn flushdb(call: &mut Call) -> Outcome {
    how_to_flush(call)?;
    call.database().clear();
    call.reply.ok();
    Ok(())
}

pub fn flushall(call: &mut Call) -> Outcome {
    how_to_flush(call)?;
    call.state.databases().iter_mut().for_each(|database| database.clear());
    // The registry touches the keys of one database only.
    call.state.touch(|_| true);
    call.reply.ok();
    Ok(())
}

/// Checks the options of a flush, which happens at once whatever they say.
fn how_to_flush(call: &Call) -> Outcome {
    let arguments = call.arguments;
    let known = arguments.len() == 1 || (arguments.len() == 2 && (arguments.is(1, "sync") || arguments.is(1, "async")));
    known.then_some(()).ok_or(Failure::SYNTAX)
}

/// No replica has acknowledged anything.
pub fn wait(call: &mut Call) -> Outcome {
    call.arguments.integer(1)?;
    call.arguments.integer(2)?;
    call.reply.integer(0);
    Ok(())
}

pub fn time(call: &mut Call) -> Outcome {
    call.state.read_clock();
    let now_us = call.state.now_us;
    call.reply.array(2);
    call.reply.bulk((now_us / 1_000_000).to_string().as_bytes());
    call.reply.bulk((now_us % 1_000_000).to_string().as_bytes());
    Ok(())
}

/// DEBUG SLEEP keeps the one thread from everything else, which is what it is for.
pub fn debug(call: &mut Call) -> Outcome {
    if !call.arguments.is(1, "sleep") || call.arguments.len() != 3 {
        return Err(Failure::subcommand("debug", call.arguments.at(1)));
    }
    let duration = Duration::try_from_secs_f64(call.arguments.float(2)?);
    std::thread::sleep(duration.map_err(|_| said("ERR value is out of range"))?);
    call.state.read_clock();
    call.reply.ok();
    Ok(())
}
