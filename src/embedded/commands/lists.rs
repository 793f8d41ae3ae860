//! Commands about lists.

use super::super::database::{List, Text};
use super::super::failure::Failure;
use super::{Call, Outcome};

pub fn lpush(call: &mut Call) -> Outcome {
    push(call, List::push_front)
}

pub fn rpush(call: &mut Call) -> Outcome {
    push(call, List::push_back)
}

fn push(call: &mut Call, put: fn(&mut List, Text)) -> Outcome {
    let list = call.state.database(call.client).get_or_create::<List>(call.arguments.at(1))?;
    call.arguments.from(2).for_each(|element| put(list, element.into()));
    call.reply.count(list.len());
    Ok(())
}

pub fn lpop(call: &mut Call) -> Outcome {
    pop(call, "lpop", List::pop_front)
}

pub fn rpop(call: &mut Call) -> Outcome {
    pop(call, "rpop", List::pop_back)
}

fn pop(call: &mut Call, command: &str, take: fn(&mut List) -> Option<Text>) -> Outcome {
    let (arguments, key) = (call.arguments, call.arguments.at(1));
    if arguments.len() > 3 {
        return Err(Failure::arity(command));
    }
    let count = arguments.count(2)?;
    let database = call.state.database(call.client);
    let Some(list) = database.get::<List>(key)? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.null_array(),
        }
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(list.len());
    if count.is_some() {
        call.reply.array(taken);
    }
    (0..taken).filter_map(|_| take(list)).for_each(|element| call.reply.bulk(&element));
    if list.is_empty() {
        database.remove(key);
    }
    Ok(())
}

pub fn llen(call: &mut Call) -> Outcome {
    let list = call.state.database(call.client).read::<List>(call.arguments.at(1))?;
    call.reply.count(list.map_or(0, |list| list.len()));
    Ok(())
}

pub fn lrange(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    // Numbers are read first: a bad one is an error even when the key is missing.
    arguments.range(2, 0)?;
    let Some(list) = call.state.database(call.client).read::<List>(arguments.at(1))? else {
        call.reply.array(0);
        return Ok(());
    };
    let range = arguments.range(2, list.len())?;
    call.reply.array(range.len());
    list.range(range).for_each(|element| call.reply.bulk(element));
    Ok(())
}

pub fn lindex(call: &mut Call) -> Outcome {
    let index = call.arguments.integer(2)?;
    let list = call.state.database(call.client).read::<List>(call.arguments.at(1))?;
    let element = list.and_then(|list| {
        let index = if index < 0 { index.checked_add(list.len() as i64)? } else { index };
        list.get(usize::try_from(index).ok()?)
    });
    call.reply.bulk_or_null(element.map(|element| &**element));
    Ok(())
}

pub fn ltrim(call: &mut Call) -> Outcome {
    let (arguments, key) = (call.arguments, call.arguments.at(1));
    arguments.range(2, 0)?;
    let database = call.state.database(call.client);
    if let Some(list) = database.get::<List>(key)? {
        let range = arguments.range(2, list.len())?;
        list.truncate(range.end);
        list.drain(..range.start);
        if list.is_empty() {
            database.remove(key);
        }
    }
    call.reply.ok();
    Ok(())
}
