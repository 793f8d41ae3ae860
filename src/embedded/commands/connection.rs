//! Commands about the connection that they came on.

use super::super::failure::{Failure, said};
use super::super::reply::Protocol;
use super::super::state::{DATABASES, Session, State};
use super::{Call, Outcome, REGISTRY};
use crate::resp::request;
use std::fmt::Write;

pub fn ping(call: &mut Call) -> Outcome {
    match call.arguments.len() {
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(call.arguments.at(1)),
        _ => return Err(Failure::arity("ping")),
    }
    Ok(())
}

pub fn echo(call: &mut Call) -> Outcome {
    call.reply.bulk(call.arguments.at(1));
    Ok(())
}

pub fn quit(call: &mut Call) -> Outcome {
    call.state.session(call.client).closing = true;
    call.reply.ok();
    Ok(())
}

pub fn reset(call: &mut Call) -> Outcome {
    call.state.unwatch(call.client);
    let session = call.state.session(call.client);
    session.transaction = None;
    session.database = 0;
    session.protocol = Protocol::Resp2;
    session.name.clear();
    call.reply.simple("RESET");
    Ok(())
}

/// There is no password. As in redis-server, a lone password is an error then, and the default user takes any.
pub fn auth(call: &mut Call) -> Outcome {
    match call.arguments.len() {
        2 => Err(said(
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        )),
        3 => {
            authenticate(call.arguments.at(1))?;
            call.reply.ok();
            Ok(())
        }
        _ => Err(Failure::SYNTAX),
    }
}

fn authenticate(user: &[u8]) -> Outcome {
    let known = user == b"default";
    known.then_some(()).ok_or(said("WRONGPASS invalid username-password pair or user is disabled."))
}

pub fn hello(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let mut protocol = call.state.session(call.client).protocol;
    if let Some(version) = arguments.get(1) {
        protocol = match request::integer(version) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err(said("NOPROTO unsupported protocol version")),
            None => return Err(said("ERR Protocol version is not an integer or out of range")),
        };
    }
    let mut name = None;
    let mut at = 2;
    while at < arguments.len() {
        let left = arguments.len() - at - 1;
        if arguments.is(at, "auth") && left >= 2 {
            authenticate(arguments.at(at + 1))?;
            at += 3;
        } else if arguments.is(at, "setname") && left >= 1 {
            name = Some(client_name(arguments.at(at + 1))?);
            at += 2;
        } else {
            let option = super::printable(arguments.at(at));
            return Err(format!("ERR Syntax error in HELLO option '{option}'").into());
        }
    }
    let session = call.state.session(call.client);
    session.protocol = protocol;
    session.name = name.unwrap_or(std::mem::take(&mut session.name));
    let id = session.id;

    let reply = &mut call.reply;
    reply.protocol = protocol;
    reply.map(7);
    for (name, value) in [("server", "redis"), ("version", super::server::VERSION)] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    for (name, value) in [("proto", protocol.number()), ("id", id as i64)] {
        reply.bulk(name.as_bytes());
        reply.integer(value);
    }
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
    Ok(())
}

pub fn select(call: &mut Call) -> Outcome {
    let number = usize::try_from(call.arguments.integer(1)?).ok().filter(|&number| number < DATABASES);
    call.state.session(call.client).database = number.ok_or(Failure::NO_SUCH_DATABASE)?;
    call.reply.ok();
    Ok(())
}

pub fn client(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let subcommand = arguments.at(1).to_ascii_lowercase();
    let takes = |count: usize| {
        let name = || format!("client|{}", String::from_utf8_lossy(&subcommand));
        if arguments.len() == count { Ok(()) } else { Err(Failure::arity(&name())) }
    };
    match &*subcommand {
        b"setname" => {
            takes(3)?;
            call.state.session(call.client).name = client_name(arguments.at(2))?;
            call.reply.ok();
        }
        b"getname" => {
            takes(2)?;
            let name = &call.state.session(call.client).name;
            call.reply.bulk_or_null(Some(name.as_bytes()).filter(|name| !name.is_empty()));
        }
        b"id" => {
            takes(2)?;
            call.reply.integer(call.state.session(call.client).id as i64);
        }
        b"info" => {
            takes(2)?;
            let id = call.state.session(call.client).id;
            call.reply.verbatim(&describe(call.state, |session| session.id == id));
        }
        // Filters by type or id would find all of them, or are not worth their code here.
        b"list" => call.reply.verbatim(&describe(call.state, |_| true)),
        // What these ask for makes no difference here: nothing is evicted, and no key is cached by a client for long.
        b"setinfo" | b"tracking" | b"no-evict" | b"no-touch" => call.reply.ok(),
        _ => return Err(Failure::subcommand("client", arguments.at(1))),
    }
    Ok(())
}

/// A name without blanks or anything else that would break a line of CLIENT LIST.
fn client_name(name: &[u8]) -> Result<String, Failure> {
    let fit = name.iter().all(|byte| (b'!'..=b'~').contains(byte));
    fit.then(|| String::from_utf8_lossy(name).into_owned())
        .ok_or(said("ERR Client names cannot contain spaces, newlines or special characters."))
}

fn describe(state: &State, wanted: impl Fn(&Session) -> bool) -> String {
    let mut text = String::new();
    for session in state.sessions().filter(|session| wanted(session)) {
        let queued = session.transaction.as_ref().map_or(-1, |transaction| transaction.requests.len() as i64);
        let seconds = |since_us: u64| state.now_us.saturating_sub(since_us) / 1_000_000;
        writeln!(
            text,
            "id={} addr={} laddr={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 multi={queued} cmd={} \
             user=default redir=-1 resp={}",
            session.id,
            session.peer,
            state.address,
            session.name,
            seconds(session.opened_us),
            seconds(session.active_us),
            if queued >= 0 { 'x' } else { 'N' },
            session.database,
            REGISTRY[session.command].name,
            session.protocol.number(),
        )
        .expect("a String can be written to");
    }
    text
}
