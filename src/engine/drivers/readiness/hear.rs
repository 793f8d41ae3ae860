//! What replies say, as far as the run has to know.

use super::places::Places;
use crate::engine::client::{Client, Part};
use crate::engine::connection::Listener;
use crate::plan::OnError;
use crate::recording::{Errors, Reads};
use crate::resp::scan::{Found, Strings};
use crate::resp::{Malformed, Reply};
use crate::target::Directory;
use crate::workload::{Batch, Read};

/// What a read brought.
#[derive(Default)]
pub struct Scanned {
    /// Requests that were answered, and not with an error.
    pub replies: u64,
    /// Requests that were, of which the run goes on.
    pub refused: u64,
    /// Whether any of them was answered with where to go instead.
    pub redirected: bool,
    /// What ends it.
    pub fatal: Option<Fatal>,
    /// Bytes behind which nothing makes sense.
    pub malformed: Option<Malformed>,
}

impl Scanned {
    #[inline]
    pub fn answered(&self) -> u64 {
        self.replies + self.refused
    }
}

/// What ends a connection, or a run.
pub enum Fatal {
    /// This error reply.
    Refused(Vec<u8>),
    /// A value that is not what was written.
    Wrong(String),
    /// A reply to nothing.
    Unasked,
}

/// Counts replies, and bears those that are errors by the policy of the plan.
pub struct Hearing<'a> {
    pub places: &'a Places,
    pub directory: &'a Directory,
    pub on_error: OnError,
    pub errors: &'a mut Errors,
    pub in_flight: u64,
    pub scanned: Scanned,
}

impl Hearing<'_> {
    /// Counts an error reply of which the run goes on. False when it does not.
    fn bears(&mut self, line: &[u8]) -> bool {
        let moved = self.places.is_cluster() && (line.starts_with(b"MOVED ") || line.starts_with(b"ASK "));
        self.scanned.redirected |= moved;
        if moved || line.starts_with(b"READONLY") {
            self.directory.ask_again();
        }
        // One that nobody asked for is the server's last word on this connection, whatever the policy.
        let asked = self.scanned.answered() < self.in_flight;
        if asked && (moved || self.on_error != OnError::Abort) {
            self.errors.count_reply(line);
            return true;
        }
        self.scanned.fatal = Some(Fatal::Refused(line.to_vec()));
        false
    }
}

impl Strings for Hearing<'_> {}

impl Listener for Hearing<'_> {
    #[inline]
    fn reply(&mut self, reply: Reply) -> bool {
        match reply {
            Reply::Value(_) | Reply::Null => {
                self.scanned.replies += 1;
                true
            }
            Reply::Push => true,
            Reply::Error(line) => {
                let goes_on = self.bears(line);
                self.scanned.refused += u64::from(goes_on);
                goes_on
            }
        }
    }
}

/// What the reply to one request said.
pub struct Answer {
    /// The place of its command among those of the batch.
    pub command: u32,
    pub is_refused: bool,
    pub reads: Reads,
}

/// Hears replies, and knows of each what was asked.
pub struct Understanding<'a> {
    hearing: Hearing<'a>,
    batch: &'a Batch,
    client: &'a Client,
    part: Part,
    answers: &'a mut Vec<Answer>,
    /// The keys of the request at hand, where what is read is compared with what was written.
    keys: &'a mut Vec<u64>,
}

impl<'a> Understanding<'a> {
    pub fn new(
        hearing: Hearing<'a>,
        batch: &'a Batch,
        client: &'a Client,
        answers: &'a mut Vec<Answer>,
        keys: &'a mut Vec<u64>,
    ) -> Self {
        answers.clear();
        Understanding { hearing, batch, client, part: client.part(), answers, keys }
    }

    /// What was heard, and how far the last reply has come.
    pub fn end(self) -> (Scanned, Part) {
        (self.hearing.scanned, self.part)
    }

    /// The number and the command of the request that is being answered. None when nobody asked.
    fn asked(&self) -> Option<(u64, usize)> {
        let number = self.client.number(self.hearing.scanned.answered())?;
        Some((number, self.batch.command(number)))
    }

    /// Takes what comes when nothing is left to be answered. False when it ends the connection.
    #[cold]
    fn unasked(&mut self, reply: &Reply) -> bool {
        match reply {
            Reply::Push => return true,
            Reply::Error(line) => self.hearing.scanned.fatal = Some(Fatal::Refused(line.to_vec())),
            Reply::Value(_) | Reply::Null => self.hearing.scanned.fatal = Some(Fatal::Unasked),
        }
        false
    }

    /// The request that is being answered is answered to its end.
    fn close(&mut self, command: usize) {
        let Part { is_refused, reads, .. } = std::mem::take(&mut self.part);
        self.answers.push(Answer { command: command as u32, is_refused, reads });
        match is_refused {
            true => self.hearing.scanned.refused += 1,
            false => self.hearing.scanned.replies += 1,
        }
    }

    /// Judges what a value was compared with. False when that ends the run.
    fn judge(&mut self, number: u64) -> bool {
        let Some(wrong) = self.part.wrong.take() else { return true };
        let told = format!(
            "{} is not what was written under it: byte {} of the value differs (--verify)",
            self.batch.key_text(number, wrong.key),
            wrong.byte
        );
        if self.hearing.on_error == OnError::Abort {
            self.hearing.scanned.fatal = Some(Fatal::Wrong(told));
            return false;
        }
        self.hearing.errors.count_wrong_value(told);
        self.part.is_refused = true;
        true
    }
}

impl Listener for Understanding<'_> {
    #[inline]
    fn reply(&mut self, reply: Reply) -> bool {
        let Some((number, command)) = self.asked() else { return self.unasked(&reply) };
        let replies = &self.batch.commands()[command].replies;
        let read = replies[self.part.replies as usize];
        match reply {
            Reply::Push => return true,
            // One is enough to say that a request of several was refused.
            Reply::Error(_) if self.part.is_refused => {}
            Reply::Error(line) => {
                if !self.hearing.bears(line) {
                    return false;
                }
                self.part.is_refused = true;
            }
            Reply::Null => self.part.reads.add(found(read, None)),
            Reply::Value(value) => self.part.reads.add(found(read, Some(value))),
        }
        self.part.strings = 0;
        if !self.judge(number) {
            return false;
        }
        self.part.replies += 1;
        if self.part.replies as usize == replies.len() {
            self.close(command);
        }
        true
    }
}

/// What a read found; None is a null.
#[inline]
fn found(read: Option<Read>, value: Option<Found>) -> Reads {
    let (hits, misses) = match (read, value) {
        (None, _) => (0, 0),
        (Some(_), None) => (0, 1),
        (Some(Read::Whole), Some(_)) => (1, 0),
        (Some(Read::Elements), Some(value)) => (value.elements.saturating_sub(value.nulls), value.nulls),
        (Some(Read::Emptiness), Some(value)) => (u64::from(!value.is_empty), u64::from(value.is_empty)),
    };
    Reads { hits, misses }
}

impl Strings for Understanding<'_> {
    #[inline]
    fn begin(&mut self, bytes: u64) {
        let place = self.part.strings as usize;
        self.part.strings += 1;
        self.part.string = None;
        if !self.batch.fillings().by_key {
            return;
        }
        let Some((number, command)) = self.asked() else { return };
        if !self.batch.commands()[command].returns_values(self.part.replies as usize) {
            return;
        }
        self.keys.clear();
        self.batch.keys(number, self.keys);
        let Some(key) = self.keys.get(place) else { return };
        let values = &self.batch.fillings().values;
        let token = values.token_of_key(*key);
        let expected = values.size(token) as u64;
        if expected == bytes {
            self.part.string = Some((token, 0));
        } else {
            self.part.find(place, expected.min(bytes));
        }
    }

    #[inline]
    fn more(&mut self, bytes: &[u8]) {
        let Some((token, at)) = self.part.string else { return };
        self.part.string = Some((token, at + bytes.len() as u64));
        if let Some(byte) = self.batch.fillings().values.first_difference(token, at as usize, bytes) {
            self.part.find(self.part.strings as usize - 1, byte as u64);
        }
    }

    #[inline]
    fn null(&mut self) {
        self.part.strings += 1;
    }
}
