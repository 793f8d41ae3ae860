//! Commands about hashes.

use super::super::database::Hash;
use super::super::failure::{Failure, said};
use super::{Call, Outcome};
use crate::resp::request;

pub fn hset(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if !arguments.len().is_multiple_of(2) {
        return Err(Failure::arity("hset"));
    }
    let hash = call.state.database(call.client).get_or_create::<Hash>(arguments.at(1))?;
    let mut new = 0;
    for (field, value) in arguments.pairs_from(2) {
        match hash.get_mut(field) {
            Some(old) => {
                old.clear();
                old.extend_from_slice(value);
            }
            None => {
                hash.insert(field.into(), value.to_vec());
                new += 1;
            }
        }
    }
    call.reply.count(new);
    Ok(())
}

pub fn hget(call: &mut Call) -> Outcome {
    let hash = call.state.database(call.client).read::<Hash>(call.arguments.at(1))?;
    call.reply.bulk_or_null(hash.and_then(|hash| hash.get(call.arguments.at(2))).map(|value| &**value));
    Ok(())
}

pub fn hmget(call: &mut Call) -> Outcome {
    let hash = call.state.database(call.client).read::<Hash>(call.arguments.at(1))?;
    call.reply.array(call.arguments.len() - 2);
    for field in call.arguments.from(2) {
        call.reply.bulk_or_null(hash.as_ref().and_then(|hash| hash.get(field)).map(|value| &**value));
    }
    Ok(())
}

pub fn hgetall(call: &mut Call) -> Outcome {
    match call.state.database(call.client).read::<Hash>(call.arguments.at(1))? {
        None => call.reply.map(0),
        Some(hash) => {
            call.reply.map(hash.len());
            for (field, value) in hash {
                call.reply.bulk(field);
                call.reply.bulk(value);
            }
        }
    }
    Ok(())
}

pub fn hdel(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.state.database(call.client);
    let Some(hash) = database.get::<Hash>(key)? else {
        call.reply.count(0);
        return Ok(());
    };
    call.reply.count(call.arguments.from(2).filter(|&field| hash.swap_remove(field).is_some()).count());
    if hash.is_empty() {
        database.remove(key);
    }
    Ok(())
}

pub fn hlen(call: &mut Call) -> Outcome {
    let hash = call.state.database(call.client).read::<Hash>(call.arguments.at(1))?;
    call.reply.count(hash.map_or(0, |hash| hash.len()));
    Ok(())
}

pub fn hexists(call: &mut Call) -> Outcome {
    let hash = call.state.database(call.client).read::<Hash>(call.arguments.at(1))?;
    call.reply.boolean(hash.is_some_and(|hash| hash.contains_key(call.arguments.at(2))));
    Ok(())
}

pub fn hincrby(call: &mut Call) -> Outcome {
    let (arguments, amount) = (call.arguments, call.arguments.integer(3)?);
    let database = call.state.database(call.client);
    let old = database.get::<Hash>(arguments.at(1))?.and_then(|hash| hash.get(arguments.at(2)));
    let number = match old {
        Some(text) => request::integer(text).ok_or(said("ERR hash value is not an integer"))?,
        None => 0,
    };
    let sum = number.checked_add(amount).ok_or(Failure::OVERFLOW)?;
    // Only now, because an error must not leave an empty hash behind.
    let hash = database.get_or_create::<Hash>(arguments.at(1))?;
    hash.insert(arguments.at(2).into(), sum.to_string().into_bytes());
    call.reply.integer(sum);
    Ok(())
}
