//! Commands about streams.

use super::super::database::Text;
use super::super::failure::{Failure, said};
use super::super::stream::{EntryId, Stream};
use super::{Call, Outcome};

const INVALID_ID: Failure = said("ERR Invalid stream ID specified as stream command argument");

pub fn xadd(call: &mut Call) -> Outcome {
    let (arguments, now_ms) = (call.arguments, call.state.now_ms());
    let (mut make, mut longest, mut at) = (true, None, 2);
    loop {
        if arguments.is(at, "nomkstream") {
            make = false;
            at += 1;
        } else if arguments.is(at, "maxlen") {
            // Trimmed exactly even where "about" would do.
            let about = arguments.is(at + 1, "~") || arguments.is(at + 1, "=");
            at += if about { 2 } else { 1 };
            let count = arguments.get(at).ok_or(Failure::SYNTAX).and_then(|_| arguments.integer(at))?;
            longest = Some(usize::try_from(count).map_err(|_| said("ERR The MAXLEN argument must be >= 0."))?);
            at += 1;
        } else {
            break;
        }
    }
    let given = arguments.len().saturating_sub(at + 1);
    if given == 0 || !given.is_multiple_of(2) {
        return Err(Failure::arity("xadd"));
    }
    let (key, id) = (arguments.at(1), arguments.at(at));
    let database = call.state.database(call.client);
    let last = database.get::<Stream>(key)?.map(|stream| (stream.last, stream.id_at(now_ms)));
    if last.is_none() && !make {
        call.reply.null();
        return Ok(());
    }
    let (last, next) = last.unwrap_or_else(|| (EntryId::default(), Stream::default().id_at(now_ms)));
    let id = match id {
        b"*" => next.ok_or(said("ERR The stream has exhausted the last possible ID, unable to add more items"))?,
        id => explicit_id(id, last)?,
    };
    let fields: Box<[Text]> = arguments.from(at + 1).map(Text::from).collect();
    let stream = database.get_or_create::<Stream>(key)?;
    stream.push(id, fields);
    if let Some(longest) = longest {
        stream.entries.drain(..stream.entries.len().saturating_sub(longest));
    }
    call.reply.bulk(id.to_string().as_bytes());
    Ok(())
}

/// An id that the client chose, in full or up to its sequence (`ms-*`), above `last`.
fn explicit_id(text: &[u8], last: EntryId) -> Result<EntryId, Failure> {
    let id = match text.strip_suffix(b"-*") {
        Some(ms) => {
            let id = EntryId::parse(ms, 0).ok_or(INVALID_ID)?;
            if id.ms == last.ms { last.next().filter(|next| next.ms == id.ms).unwrap_or(last) } else { id }
        }
        None => EntryId::parse(text, 0).ok_or(INVALID_ID)?,
    };
    if id == EntryId::default() {
        return Err(said("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let above = id > last;
    above.then_some(id).ok_or(said("ERR The ID specified in XADD is equal or smaller than the target stream top item"))
}

pub fn xlen(call: &mut Call) -> Outcome {
    let stream = call.state.database(call.client).read::<Stream>(call.arguments.at(1))?;
    call.reply.count(stream.map_or(0, |stream| stream.entries.len()));
    Ok(())
}

pub fn xrange(call: &mut Call) -> Outcome {
    let arguments = call.arguments;
    let first = match arguments.at(2) {
        b"-" => EntryId::default(),
        text => EntryId::parse(text, 0).ok_or(INVALID_ID)?,
    };
    let last = match arguments.at(3) {
        b"+" => EntryId::MAX,
        text => EntryId::parse(text, u64::MAX).ok_or(INVALID_ID)?,
    };
    let count = match arguments.len() {
        4 => usize::MAX,
        6 if arguments.is(4, "count") => usize::try_from(arguments.integer(5)?).unwrap_or(0),
        _ => return Err(Failure::SYNTAX),
    };
    let Some(stream) = call.state.database(call.client).read::<Stream>(arguments.at(1))? else {
        call.reply.array(0);
        return Ok(());
    };
    call.reply.array(stream.range(first, last).take(count).count());
    for entry in stream.range(first, last).take(count) {
        call.reply.array(2);
        call.reply.bulk(entry.id.to_string().as_bytes());
        call.reply.array(entry.fields.len());
        entry.fields.iter().for_each(|text| call.reply.bulk(text));
    }
    Ok(())
}
