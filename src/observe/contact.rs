//! A server that is observed: where it is, and the connection on which it is asked.

use super::server::{Depth, IDENTITY, Identity, ServerLook, questions};
use crate::target::control::{Control, ControlError};
use crate::target::{Answer, Directory};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long hanging up may take.
const PARTING: Duration = Duration::from_millis(100);

/// When there is a connection to the server: the load goes first wherever places are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Always: there is room enough.
    Stays,
    /// From the end of a run's first sample to the end of the run, because nobody knows how many places there are.
    Visits,
    /// Not while a run goes on: the load needs the last place.
    Outside,
}

pub struct Contact {
    pub name: String,
    pub presence: Presence,
    directory: Arc<Directory>,
    /// Its place in the roster.
    place: usize,
    /// Whether something lies between that may have places of its own.
    is_behind_proxy: bool,
    control: Option<Control>,
    /// Who answers on that.
    identity: Identity,
    /// Its words when it would not answer: it is not asked again.
    refused: Option<String>,
}

impl Contact {
    pub fn new(name: String, directory: Arc<Directory>, place: usize, is_behind_proxy: bool) -> Contact {
        let presence = Presence::Visits;
        Contact {
            name,
            presence,
            directory,
            place,
            is_behind_proxy,
            control: None,
            identity: Identity::default(),
            refused: None,
        }
    }

    /// Looks at the server within `patience`, over a new connection where there is none.
    ///
    /// # Errors
    /// Why it was not seen.
    pub async fn look(&mut self, depth: Depth, patience: Duration) -> Result<ServerLook, String> {
        if let Some(words) = &self.refused {
            return Err(words.clone());
        }
        let looked = self.ask(depth, Instant::now() + patience).await;
        if looked.is_err() {
            // Whoever did not answer in time may be gone for good, and somebody else in its place.
            self.control = None;
        }
        match looked {
            Ok(Ok(look)) => Ok(look),
            Ok(Err(words)) => {
                let words =
                    format!("it does not answer INFO: {words}; allow it with ACL SETUSER ... +info, or --no-observe");
                self.refused = Some(words.clone());
                self.hang_up().await;
                Err(words)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// What it answers, or how it refuses to.
    async fn ask(&mut self, depth: Depth, deadline: Instant) -> Result<Result<ServerLook, String>, ControlError> {
        if self.control.is_none() {
            self.identity = Identity::default();
            self.control = Some(self.connect(deadline).await?);
        }
        let control = self.control.as_mut().expect("it was just made");
        control.deadline = deadline;
        let mut questions = questions(depth);
        if self.identity.run_id.is_none() && depth == Depth::Short {
            questions.push(IDENTITY);
        }
        let answers = control.answers(&questions).await?;
        if let Some(Answer::Refused(words)) = answers.first() {
            return Ok(Err(words.clone()));
        }
        let text: Vec<&str> = answers.iter().filter_map(Answer::text).collect();
        let look = ServerLook::of(&text.join("\n"), std::time::Instant::now(), std::mem::take(&mut self.identity));
        self.identity = look.identity.clone();
        Ok(Ok(look))
    }

    async fn connect(&self, deadline: Instant) -> Result<Control, ControlError> {
        let roster = self.directory.roster();
        let node = roster.nodes.get(self.place).or(roster.nodes.first()).expect("a roster is never empty");
        let access = &self.directory.access;
        let mut control = Control::open(access, node.host.as_deref(), &node.endpoints[0], deadline).await?;
        control.log_in(access.server.credentials.as_ref()).await?;
        Ok(control)
    }

    /// Decides where to be while `clients` clients are at work, by what was seen before, and goes there. Says so when
    /// that is outside.
    pub async fn make_room(&mut self, seen: Option<&ServerLook>, clients: u64) -> Option<String> {
        self.presence = match seen.and_then(|look| look.has_room_for(clients)) {
            Some(true) if !self.is_behind_proxy => Presence::Stays,
            Some(false) => Presence::Outside,
            _ => Presence::Visits,
        };
        if self.presence != Presence::Stays {
            self.hang_up().await;
        }
        (self.presence == Presence::Outside)
            .then(|| "maxclients leaves no place beside the load: seen before and after it only".to_owned())
    }

    /// Leaves the server its place.
    pub async fn hang_up(&mut self) {
        if let Some(control) = self.control.take() {
            control.close(PARTING).await;
        }
    }
}
