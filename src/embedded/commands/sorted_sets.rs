//! Commands about sorted sets.

use super::super::arguments::Arguments;
use super::super::failure::{Failure, said};
use super::super::reply::{Protocol, Reply};
use super::super::sorted_set::{Scored, SortedSet};
use super::{Call, Outcome};

#[derive(Default)]
struct AddOptions {
    if_absent: bool,
    if_present: bool,
    if_greater: bool,
    if_less: bool,
    count_changed: bool,
    increment: bool,
}

impl AddOptions {
    /// The options from argument 2 on, and where the scores begin.
    fn parse(arguments: Arguments) -> (AddOptions, usize) {
        let mut options = AddOptions::default();
        for at in 2.. {
            match () {
                () if arguments.is(at, "nx") => options.if_absent = true,
                () if arguments.is(at, "xx") => options.if_present = true,
                () if arguments.is(at, "gt") => options.if_greater = true,
                () if arguments.is(at, "lt") => options.if_less = true,
                () if arguments.is(at, "ch") => options.count_changed = true,
                () if arguments.is(at, "incr") => options.increment = true,
                () => return (options, at),
            }
        }
        unreachable!("arguments come to an end")
    }

    fn check(&self, scores: usize) -> Outcome {
        if self.if_absent && self.if_present {
            return Err(said("ERR XX and NX options at the same time are not compatible"));
        }
        if [self.if_absent, self.if_greater, self.if_less].into_iter().filter(|&set| set).count() > 1 {
            return Err(said("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increment && scores > 1 {
            return Err(said("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// Whether a member that has the score `old` may have the score `new`.
    fn allow(&self, old: Option<f64>, new: f64) -> bool {
        match old {
            None => !self.if_present,
            Some(old) => !(self.if_absent || self.if_greater && new <= old || self.if_less && new >= old),
        }
    }
}

pub fn zadd(call: &mut Call) -> Outcome {
    let (arguments, key) = (call.arguments, call.arguments.at(1));
    let (options, start) = AddOptions::parse(arguments);
    let given = arguments.len() - start;
    if given == 0 || !given.is_multiple_of(2) {
        return Err(Failure::SYNTAX);
    }
    options.check(given / 2)?;
    // All scores are read before the first is used: a bad one must leave nothing changed.
    for at in (start..arguments.len()).step_by(2) {
        arguments.float(at)?;
    }
    let database = call.state.database(call.client);
    let set = database.get_or_create::<SortedSet>(key)?;
    let (mut added, mut updated, mut result) = (0, 0, Ok(None));
    for at in (start..arguments.len()).step_by(2) {
        let (member, old) = (arguments.at(at + 1), set.score(arguments.at(at + 1)));
        let score = arguments.float(at)? + if options.increment { old.unwrap_or(0.0) } else { 0.0 };
        if score.is_nan() {
            result = Err(said("ERR resulting score is not a number (NaN)"));
        } else if options.allow(old, score) {
            if old != Some(score) {
                set.insert(member, score);
                *(if old.is_none() { &mut added } else { &mut updated }) += 1;
            }
            result = Ok(Some(score));
        }
    }
    if set.is_empty() {
        database.remove(key);
    }
    match result? {
        Some(score) if options.increment => call.reply.double(score),
        None if options.increment => call.reply.null(),
        _ => call.reply.count(added + if options.count_changed { updated } else { 0 }),
    }
    Ok(())
}

pub fn zincrby(call: &mut Call) -> Outcome {
    let (arguments, amount) = (call.arguments, call.arguments.float(2)?);
    let database = call.state.database(call.client);
    let old = database.get::<SortedSet>(arguments.at(1))?.and_then(|set| set.score(arguments.at(3)));
    let score = old.unwrap_or(0.0) + amount;
    if score.is_nan() {
        return Err(said("ERR resulting score is not a number (NaN)"));
    }
    database.get_or_create::<SortedSet>(arguments.at(1))?.insert(arguments.at(3), score);
    call.reply.double(score);
    Ok(())
}

pub fn zrem(call: &mut Call) -> Outcome {
    let key = call.arguments.at(1);
    let database = call.state.database(call.client);
    let Some(set) = database.get::<SortedSet>(key)? else {
        call.reply.count(0);
        return Ok(());
    };
    call.reply.count(call.arguments.from(2).filter(|member| set.remove(member)).count());
    if set.is_empty() {
        database.remove(key);
    }
    Ok(())
}

pub fn zpopmin(call: &mut Call) -> Outcome {
    pop(call, "zpopmin", SortedSet::pop_lowest)
}

pub fn zpopmax(call: &mut Call) -> Outcome {
    pop(call, "zpopmax", SortedSet::pop_highest)
}

fn pop(call: &mut Call, command: &str, take: fn(&mut SortedSet) -> Option<Scored>) -> Outcome {
    let (arguments, key) = (call.arguments, call.arguments.at(1));
    if arguments.len() > 3 {
        return Err(Failure::arity(command));
    }
    let count = arguments.count(2)?;
    let database = call.state.database(call.client);
    let Some(set) = database.get::<SortedSet>(key)? else {
        call.reply.array(0);
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(set.len());
    // RESP3 has pairs inside the array, but only for those who asked for a count.
    let nested = count.is_some() && call.reply.protocol == Protocol::Resp3;
    call.reply.array(if nested { taken } else { 2 * taken });
    for (member, score) in (0..taken).filter_map(|_| take(set)) {
        pair(&mut call.reply, &member, score, nested);
    }
    if set.is_empty() {
        database.remove(key);
    }
    Ok(())
}

fn pair(reply: &mut Reply, member: &[u8], score: f64, nested: bool) {
    if nested {
        reply.array(2);
    }
    reply.bulk(member);
    reply.double(score);
}

pub fn zcard(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).read::<SortedSet>(call.arguments.at(1))?;
    call.reply.count(set.map_or(0, |set| set.len()));
    Ok(())
}

pub fn zscore(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).read::<SortedSet>(call.arguments.at(1))?;
    match set.and_then(|set| set.score(call.arguments.at(2))) {
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
    Ok(())
}

pub fn zrank(call: &mut Call) -> Outcome {
    let set = call.state.database(call.client).read::<SortedSet>(call.arguments.at(1))?;
    match set.and_then(|set| set.rank(call.arguments.at(2))) {
        Some(rank) => call.reply.count(rank),
        None => call.reply.null(),
    }
    Ok(())
}

/// ZRANGE by index.
pub fn zrange(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let (mut with_scores, mut reversed) = (false, false);
    for at in 4..arguments.len() {
        match () {
            () if arguments.is(at, "withscores") => with_scores = true,
            () if arguments.is(at, "rev") => reversed = true,
            () => return Err(Failure::SYNTAX),
        }
    }
    arguments.range(2, 0)?;
    let Some(set) = call.state.database(call.client).read::<SortedSet>(arguments.at(1))? else {
        call.reply.array(0);
        return Ok(());
    };
    let range = arguments.range(2, set.len())?;
    let nested = with_scores && call.reply.protocol == Protocol::Resp3;
    call.reply.array(if with_scores && !nested { 2 * range.len() } else { range.len() });
    let mut tell = |(member, score): (&[u8], f64)| match with_scores {
        true => pair(&mut call.reply, member, score, nested),
        false => call.reply.bulk(member),
    };
    if reversed {
        set.iter().rev().skip(range.start).take(range.len()).for_each(&mut tell);
    } else {
        set.iter().skip(range.start).take(range.len()).for_each(&mut tell);
    }
    Ok(())
}
