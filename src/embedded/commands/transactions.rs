//! MULTI and EXEC, and the watched keys that make EXEC refuse.

use super::super::arguments::Arguments;
use super::super::failure::said;
use super::super::state::{Request, Transaction, Watch};
use super::{Call, Outcome, execute};

impl Request {
    /// A copy of `arguments`, which outlives the bytes that were received.
    pub fn new(command: usize, arguments: Arguments) -> Request {
        let (mut bytes, mut ranges) = (Vec::new(), Vec::with_capacity(arguments.len()));
        for argument in arguments.from(0) {
            ranges.push(bytes.len()..bytes.len() + argument.len());
            bytes.extend_from_slice(argument);
        }
        Request { command, bytes, ranges }
    }
}

pub fn multi(call: &mut Call) -> Outcome {
    let session = call.state.session(call.client);
    if session.transaction.is_some() {
        return Err(said("ERR MULTI calls can not be nested"));
    }
    session.transaction = Some(Box::default());
    call.reply.ok();
    Ok(())
}

pub fn exec(call: &mut Call) -> Outcome {
    let session = call.state.session(call.client);
    let Some(Transaction { requests, refused }) = session.transaction.take().map(|boxed| *boxed) else {
        return Err(said("ERR EXEC without MULTI"));
    };
    let broken = session.watch_broken;
    call.state.unwatch(call.client);
    if refused {
        return Err(said("EXECABORT Transaction discarded because of previous errors."));
    }
    if broken {
        call.reply.null_array();
        return Ok(());
    }
    call.reply.array(requests.len());
    for request in &requests {
        let arguments = Arguments::new(&request.bytes, &request.ranges);
        execute(call.state, call.client, request.command, arguments, call.reply.out);
    }
    Ok(())
}

pub fn discard(call: &mut Call) -> Outcome {
    if call.state.session(call.client).transaction.take().is_none() {
        return Err(said("ERR DISCARD without MULTI"));
    }
    call.state.unwatch(call.client);
    call.reply.ok();
    Ok(())
}

pub fn watch(call: &mut Call) -> Outcome {
    let session = call.state.session(call.client);
    if session.transaction.is_some() {
        return Err(said("ERR WATCH inside MULTI is not allowed"));
    }
    let database = session.database;
    for key in call.arguments.from(1) {
        call.state.watches.push(Watch { client: call.client, database, key: key.to_vec() });
    }
    call.reply.ok();
    Ok(())
}

pub fn unwatch(call: &mut Call) -> Outcome {
    call.state.unwatch(call.client);
    call.reply.ok();
    Ok(())
}
