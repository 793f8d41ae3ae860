//! Commands about keys, whatever they hold.

use super::super::failure::{Failure, said};
use super::{Call, Outcome, glob};
use crate::resp::request;

pub fn del(call: &mut Call) -> Outcome {
    let database = call.state.database(call.client);
    call.reply.count(call.arguments.from(1).filter(|key| database.remove(key)).count());
    Ok(())
}

pub fn exists(call: &mut Call) -> Outcome {
    let database = call.state.database(call.client);
    call.reply.count(call.arguments.from(1).filter(|key| database.contains(key)).count());
    Ok(())
}

pub fn kind(call: &mut Call) -> Outcome {
    let value = call.state.database(call.client).value(call.arguments.at(1));
    call.reply.simple(value.map_or("none", |value| value.kind()));
    Ok(())
}

pub fn keys(call: &mut Call) -> Outcome {
    let (_, keys) = call.state.database(call.client).scan(None, usize::MAX);
    let keys: Vec<&[u8]> = keys.map(|(key, _)| key).filter(|key| glob(call.arguments.at(1), key)).collect();
    call.reply.array(keys.len());
    keys.iter().for_each(|key| call.reply.bulk(key));
    Ok(())
}

pub fn scan(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let cursor = request::integer(arguments.at(1)).and_then(|cursor| usize::try_from(cursor).ok());
    let cursor = cursor.ok_or(said("ERR invalid cursor"))?;
    let (mut pattern, mut kind, mut count) = (None, None, 10);
    for at in (2..arguments.len()).step_by(2) {
        let Some(value) = arguments.get(at + 1) else { return Err(Failure::SYNTAX) };
        if arguments.is(at, "match") {
            pattern = Some(value);
        } else if arguments.is(at, "type") {
            kind = Some(value);
        } else if arguments.is(at, "count") {
            let given = usize::try_from(arguments.integer(at + 1)?).ok();
            count = given.filter(|&count| count > 0).ok_or(Failure::SYNTAX)?;
        } else {
            return Err(Failure::SYNTAX);
        }
    }
    let (next, keys) = call.state.database(call.client).scan(Some(cursor).filter(|&cursor| cursor > 0), count);
    let keys: Vec<&[u8]> = keys
        .filter(|(key, _)| pattern.is_none_or(|pattern| glob(pattern, key)))
        .filter(|(_, value)| kind.is_none_or(|kind| kind.eq_ignore_ascii_case(value.kind().as_bytes())))
        .map(|(key, _)| key)
        .collect();
    call.reply.array(2);
    call.reply.bulk(next.to_string().as_bytes());
    call.reply.array(keys.len());
    keys.iter().for_each(|key| call.reply.bulk(key));
    Ok(())
}

pub fn randomkey(call: &mut Call) -> Outcome {
    let mut draws = call.state.draws.clone();
    call.reply.bulk_or_null(call.state.database(call.client).random_key(&mut draws));
    call.state.draws = draws;
    Ok(())
}

pub fn expire(call: &mut Call) -> Outcome {
    expire_in(call, 1000)
}

pub fn pexpire(call: &mut Call) -> Outcome {
    expire_in(call, 1)
}

fn expire_in(call: &mut Call, unit_ms: i64) -> Outcome {
    let (arguments, now_ms) = (call.arguments, call.state.now_ms());
    let name = if unit_ms == 1 { "pexpire" } else { "expire" };
    let invalid = || Failure::from(format!("ERR invalid expire time in '{name}' command"));
    let span_ms = arguments.integer(2)?.checked_mul(unit_ms).ok_or_else(invalid)?;
    let at_ms = span_ms.checked_add(now_ms as i64).ok_or_else(invalid)?;
    let key = arguments.at(1);
    let database = call.state.database(call.client);
    let Some(current) = database.expiry(key) else {
        call.reply.boolean(false);
        return Ok(());
    };
    // Time that is over deletes the key when it is next asked for, which comes to the same as deleting it now.
    let at_ms = at_ms.max(0) as u64;
    let mut wanted = true;
    for at in 3..arguments.len() {
        wanted &= match () {
            () if arguments.is(at, "nx") => current.is_none(),
            () if arguments.is(at, "xx") => current.is_some(),
            // Never is later than any time.
            () if arguments.is(at, "gt") => current.is_some_and(|current| at_ms > current),
            () if arguments.is(at, "lt") => current.is_none_or(|current| at_ms < current),
            () => return Err(format!("ERR Unsupported option {}", super::printable(arguments.at(at))).into()),
        };
    }
    if wanted {
        database.expire(key, Some(at_ms));
        // Looks at the key, and so removes it if its time is over: DBSIZE must not count it.
        database.contains(key);
    }
    call.reply.boolean(wanted);
    Ok(())
}

pub fn ttl(call: &mut Call) -> Outcome {
    // Rounded as redis-server does, so that a key given 10 seconds has 10 right after.
    time_left(call, |left_ms| (left_ms + 500) / 1000)
}

pub fn pttl(call: &mut Call) -> Outcome {
    time_left(call, |left_ms| left_ms)
}

fn time_left(call: &mut Call, spell: fn(u64) -> u64) -> Outcome {
    let now_ms = call.state.now_ms();
    call.reply.integer(match call.state.database(call.client).expiry(call.arguments.at(1)) {
        None => -2,
        Some(None) => -1,
        Some(Some(at_ms)) => spell(at_ms - now_ms) as i64,
    });
    Ok(())
}

pub fn persist(call: &mut Call) -> Outcome {
    let (key, database) = (call.arguments.at(1), call.state.database(call.client));
    let had = database.expiry(key).flatten().is_some();
    if had {
        database.expire(key, None);
    }
    call.reply.boolean(had);
    Ok(())
}
