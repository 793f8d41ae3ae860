//! Commands about sets.

use super::super::database::Set;
use super::super::failure::Failure;
use super::{Call, Outcome};

pub fn sadd(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).get_or_create::<Set>(call.arguments.at(1))?;
    // Looked for first, so that a member that is there already costs no memory.
    let new = call.arguments.from(2).filter(|&member| !set.contains(member) && set.insert(member.into()));
    call.reply.count(new.count());
    Ok(())
}

pub fn srem(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.state.database(call.client);
    let Some(set) = database.get::<Set>(key)? else {
        call.reply.count(0);
        return Ok(());
    };
    call.reply.count(call.arguments.from(2).filter(|&member| set.swap_remove(member)).count());
    if set.is_empty() {
        database.remove(key);
    }
    Ok(())
}

pub fn spop(call: &mut Call) -> Outcome {
    let (arguments, key) = (call.arguments, call.arguments.at(1));
    if arguments.len() > 3 {
        return Err(Failure::SYNTAX);
    }
    let count = arguments.count(2)?;
    let mut draws = call.state.draws.clone();
    let database = call.state.database(call.client);
    let Some(set) = database.get::<Set>(key)? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.set(0),
        }
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(set.len());
    if count.is_some() {
        call.reply.set(taken);
    }
    for _ in 0..taken {
        let index = draws.below(set.len() as u64) as usize;
        let member = set.swap_remove_index(index).expect("an index below the length is taken");
        call.reply.bulk(&member);
    }
    if set.is_empty() {
        database.remove(key);
    }
    call.state.draws = draws;
    Ok(())
}

pub fn srandmember(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    if arguments.len() > 3 {
        return Err(Failure::SYNTAX);
    }
    let count = if arguments.len() == 3 { Some(arguments.integer(2)?) } else { None };
    let mut draws = call.state.draws.clone();
    let Some(set) = call.state.database(call.client).read::<Set>(arguments.at(1))? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.array(0),
        }
        return Ok(());
    };
    let mut draw = |limit: usize| draws.below(limit as u64) as usize;
    match count {
        None => call.reply.bulk(&set[draw(set.len())]),
        // A negative count asks for so many draws, in which members may come up again.
        Some(count) if count < 0 => {
            // Half of the range, as in redis-server; beyond it no reply could be told anyway.
            let count = count.checked_neg().filter(|&count| count <= i64::MAX / 2).ok_or(Failure::NOT_AN_INTEGER)?;
            call.reply.array(count as usize);
            (0..count).for_each(|_| call.reply.bulk(&set[draw(set.len())]));
        }
        Some(count) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(set.len());
            call.reply.array(count);
            // A run of members from a random one on: different, cheap, and as random as a benchmark needs.
            let start = draw(set.len());
            (start..start + count).for_each(|index| call.reply.bulk(&set[index % set.len()]));
        }
    }
    call.state.draws = draws;
    Ok(())
}

pub fn scard(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).read::<Set>(call.arguments.at(1))?;
    call.reply.count(set.map_or(0, |set| set.len()));
    Ok(())
}

pub fn sismember(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).read::<Set>(call.arguments.at(1))?;
    call.reply.boolean(set.is_some_and(|set| set.contains(call.arguments.at(2))));
    Ok(())
}

pub fn smembers(call: &mut Call) -> Outcome {
    match call.state.database(call.client).read::<Set>(call.arguments.at(1))? {
        None => call.reply.set(0),
        Some(set) => {
            call.reply.set(set.len());
            set.iter().for_each(|member| call.reply.bulk(member));
        }
    }
    Ok(())
}
