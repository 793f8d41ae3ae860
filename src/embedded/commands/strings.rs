//! Commands about strings.

use super::super::arguments::{Arguments, float};
use super::super::failure::{Failure, said};
use super::{Call, Outcome};
use crate::resp::request;

type Bytes = Vec<u8>;

// proto-max-bulk-len of redis-server, beyond which a string can't be sent back.
const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

pub fn get(call: &mut Call) -> Outcome {
    let value = call.state.database(call.client).read::<Bytes>(call.arguments.at(1))?;
    call.reply.bulk_or_null(value.map(|value| &**value));
    Ok(())
}

#[derive(PartialEq, Clone, Copy)]
enum Only {
    Always,
    IfAbsent,
    IfPresent,
}

/// When a value that is being set shall expire.
#[derive(PartialEq, Clone, Copy)]
enum Lifetime {
    Endless,
    Kept,
    Until(u64),
}

pub fn set(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let (key, value) = (arguments.at(1), arguments.at(2));
    if arguments.len() == 3 {
        call.database().set_string(key, value);
        call.reply.ok();
        return Ok(());
    }
    let (only, lifetime, get) = set_options(arguments, call.state.now_ms())?;
    let database = call.state.database(call.client);
    if get {
        call.reply.bulk_or_null(database.get::<Bytes>(key)?.map(|old| &**old));
    }
    let old = database.expiry(key);
    let wanted = match only {
        Only::Always => true,
        Only::IfAbsent => old.is_none(),
        Only::IfPresent => old.is_some(),
    };
    if wanted {
        database.set_string(key, value);
        match lifetime {
            Lifetime::Endless => {}
            Lifetime::Kept => _ = database.expire(key, old.flatten()),
            Lifetime::Until(at_ms) => _ = database.expire(key, Some(at_ms)),
        }
    }
    match (get, wanted) {
        (true, _) => {}
        (false, true) => call.reply.ok(),
        (false, false) => call.reply.null(),
    }
    Ok(())
}

fn set_options(arguments: Arguments, now_ms: u64) -> Result<(Only, Lifetime, bool), Failure> {
    let (mut only, mut lifetime, mut get) = (Only::Always, Lifetime::Endless, false);
    let mut at = 3;
    while at < arguments.len() {
        let timed = at + 1 < arguments.len() && lifetime == Lifetime::Endless;
        if arguments.is(at, "nx") && only != Only::IfPresent {
            only = Only::IfAbsent;
        } else if arguments.is(at, "xx") && only != Only::IfAbsent {
            only = Only::IfPresent;
        } else if arguments.is(at, "get") {
            get = true;
        } else if arguments.is(at, "keepttl") && lifetime == Lifetime::Endless {
            lifetime = Lifetime::Kept;
        } else if let Some((_, unit_ms, base_ms)) =
            [("ex", 1000, now_ms), ("px", 1, now_ms), ("exat", 1000, 0), ("pxat", 1, 0)]
                .into_iter()
                .find(|(word, ..)| timed && arguments.is(at, word))
        {
            at += 1;
            lifetime = Lifetime::Until(expiry("set", arguments.integer(at)?, unit_ms, base_ms)?);
        } else {
            return Err(Failure::SYNTAX);
        }
        at += 1;
    }
    Ok((only, lifetime, get))
}

fn expiry(command: &str, time: i64, unit_ms: u64, base_ms: u64) -> Result<u64, Failure> {
    let at_ms = u64::try_from(time).ok().filter(|&time| time > 0).and_then(|time| time.checked_mul(unit_ms));
    let at_ms = at_ms.and_then(|at_ms| at_ms.checked_add(base_ms)).filter(|&at_ms| i64::try_from(at_ms).is_ok());
    at_ms.ok_or_else(|| format!("ERR invalid expire time in '{command}' command").into())
}

pub fn setex(call: &mut Call) -> Outcome {
    set_for(call, "setex", 1000)
}

pub fn psetex(call: &mut Call) -> Outcome {
    set_for(call, "psetex", 1)
}

fn set_for(call: &mut Call, command: &str, unit_ms: u64) -> Outcome {
    let (arguments, now_ms) = (call.arguments, call.state.now_ms());
    let at_ms = expiry(command, arguments.integer(2)?, unit_ms, now_ms)?;
    let database = call.database();
    database.set_string(arguments.at(1), arguments.at(3));
    database.expire(arguments.at(1), Some(at_ms));
    call.reply.ok();
    Ok(())
}

pub fn setnx(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let database = call.state.database(call.client);
    let wanted = !database.contains(arguments.at(1));
    if wanted {
        database.set_string(arguments.at(1), arguments.at(2));
    }
    call.reply.boolean(wanted);
    Ok(())
}

pub fn getset(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let database = call.state.database(call.client);
    call.reply.bulk_or_null(database.get::<Bytes>(arguments.at(1))?.map(|old| &**old));
    database.set_string(arguments.at(1), arguments.at(2));
    Ok(())
}

pub fn getdel(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.state.database(call.client);
    call.reply.bulk_or_null(database.get::<Bytes>(key)?.map(|old| &**old));
    database.remove(key);
    Ok(())
}

pub fn append(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let value = call.state.database(call.client).get_or_create::<Bytes>(arguments.at(1))?;
    if value.len() + arguments.at(2).len() > STRING_BYTES_MAX {
        return Err(said("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    value.extend_from_slice(arguments.at(2));
    call.reply.count(value.len());
    Ok(())
}

pub fn strlen(call: &mut Call) -> Outcome {
    let value = call.state.database(call.client).read::<Bytes>(call.arguments.at(1))?;
    call.reply.count(value.map_or(0, |value| value.len()));
    Ok(())
}

pub fn getrange(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let value = call.state.database(call.client).read::<Bytes>(arguments.at(1))?.map_or(&[][..], |value| &**value);
    call.reply.bulk(&value[arguments.range(2, value.len())?]);
    Ok(())
}

pub fn setrange(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let (key, patch) = (arguments.at(1), arguments.at(3));
    let offset = usize::try_from(arguments.integer(2)?).map_err(|_| said("ERR offset is out of range"))?;
    let database = call.state.database(call.client);
    if patch.is_empty() {
        call.reply.count(database.get::<Bytes>(key)?.map_or(0, |value| value.len()));
        return Ok(());
    }
    let end = offset.saturating_add(patch.len());
    if end > STRING_BYTES_MAX {
        return Err(said("ERR string exceeds maximum allowed size (proto-max-bulk-len)"));
    }
    let value = database.get_or_create::<Bytes>(key)?;
    value.resize(value.len().max(end), 0);
    value[offset..end].copy_from_slice(patch);
    call.reply.count(value.len());
    Ok(())
}

pub fn incr(call: &mut Call) -> Outcome {
    add(call, 1)
}

pub fn decr(call: &mut Call) -> Outcome {
    add(call, -1)
}

pub fn incrby(call: &mut Call) -> Outcome {
    add(call, call.arguments.integer(2)?)
}

pub fn decrby(call: &mut Call) -> Outcome {
    let amount = call.arguments.integer(2)?.checked_neg();
    add(call, amount.ok_or(said("ERR decrement would overflow"))?)
}

fn add(call: &mut Call, amount: i64) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.state.database(call.client);
    let sum = match database.get::<Bytes>(key)? {
        None => {
            database.set_string(key, itoa::Buffer::new().format(amount).as_bytes());
            amount
        }
        Some(value) => {
            let number = request::integer(value).ok_or(Failure::NOT_AN_INTEGER)?;
            let sum = number.checked_add(amount).ok_or(Failure::OVERFLOW)?;
            value.clear();
            value.extend_from_slice(itoa::Buffer::new().format(sum).as_bytes());
            sum
        }
    };
    call.reply.integer(sum);
    Ok(())
}

pub fn incrbyfloat(call: &mut Call) -> Outcome {
    let (key, amount) = (call.arguments.at(1), call.arguments.float(2)?);
    let database = call.state.database(call.client);
    let number = match database.get::<Bytes>(key)? {
        Some(value) => float(value).ok_or(Failure::NOT_A_FLOAT)?,
        None => 0.0,
    };
    let sum = number + amount;
    if !sum.is_finite() {
        return Err(said("ERR increment would produce NaN or Infinity"));
    }
    let text = sum.to_string();
    let value = database.get_or_create::<Bytes>(key)?;
    value.clear();
    value.extend_from_slice(text.as_bytes());
    call.reply.bulk(text.as_bytes());
    Ok(())
}

pub fn mget(call: &mut Call) -> Outcome {
    let database = call.state.database(call.client);
    call.reply.array(call.arguments.len() - 1);
    for key in call.arguments.from(1) {
        // A key that holds something else is as good as none, here alone.
        let value = database.read::<Bytes>(key).ok().flatten();
        call.reply.bulk_or_null(value.map(|value| &**value));
    }
    Ok(())
}

pub fn mset(call: &mut Call) -> Outcome {
    if call.arguments.len().is_multiple_of(2) {
        return Err(Failure::arity("mset"));
    }
    let database = call.state.database(call.client);
    call.arguments.pairs_from(1).for_each(|(key, value)| database.set_string(key, value));
    call.reply.ok();
    Ok(())
}
