//! Blows to members, as they fall in the life of a cluster: a pod dies, freezes, comes back.

use super::process::{Condition, Process};
use super::programs::Programs;
use super::topology::Place;
use super::{Lab, LabError, PATIENCE, unmoved};
use rustix::process::Signal;

/// What can be done to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// It dies at once, without a last word.
    Kill,
    /// It stays as it is, with its connections, and says nothing any more.
    Pause,
    /// It goes on as if nothing had been.
    Resume,
}

impl Lab {
    /// Strikes a member, and returns when the blow has landed.
    ///
    /// # Errors
    /// [`LabError`] when there is no such member, it is dead, or its process is none of ours any more.
    pub fn strike(&self, name: &str, blow: Blow) -> Result<(), LabError> {
        self.place(name)?;
        let process = self.process(name)?;
        let (signal, result) = match blow {
            Blow::Kill => (Signal::KILL, Condition::Dead),
            Blow::Pause => (Signal::STOP, Condition::Paused),
            Blow::Resume => (Signal::CONT, Condition::Running),
        };
        process.signal(signal).map_err(|error| unmoved(name, process, &error.to_string()))?;
        if process.wait_until(PATIENCE, |condition| condition == result) {
            return Ok(());
        }
        match process.condition() {
            Condition::Dead | Condition::Foreign => Err(LabError::Dead { name: name.to_owned() }),
            _ => Err(unmoved(name, process, "nothing came of it")),
        }
    }

    /// Starts a dead member again, with the configuration and the data that it left, as a container is in its pod.
    /// Returns when it answers.
    ///
    /// # Errors
    /// [`LabError`] when there is no such member, it is alive, or it does not come up.
    pub async fn start(&mut self, name: &str) -> Result<(), LabError> {
        let place = self.place(name)?;
        let claim = self.wait_for_claim()?;
        if !self.is_there() {
            return Err(LabError::NoLab { directory: self.directory.clone() });
        }
        self.state = self.news();
        if self.state.processes.get(name).is_some_and(|process| process.is_alive()) {
            return Err(LabError::Alive { name: name.to_owned() });
        }
        let programs = Programs::find()?;
        // Who was struck dead is not to be taken for a failure of this start.
        self.children.retain(|_, child| matches!(child.try_wait(), Ok(None)));
        self.launch(&place, &programs)?;
        let up = self.wait_for_answer(&place).await;
        if up.is_err() {
            let _ = self.process(name).map(|process| process.signal(Signal::KILL));
        }
        drop(claim);
        up
    }

    fn place(&self, name: &str) -> Result<Place, LabError> {
        let places = self.topology().places();
        places.iter().find(|place| place.name() == name).copied().ok_or_else(|| LabError::NoMember {
            name: name.to_owned(),
            known: places.iter().map(Place::name).collect::<Vec<_>>().join(", "),
        })
    }

    /// The process of a member that lives.
    fn process(&self, name: &str) -> Result<Process, LabError> {
        let dead = || LabError::Dead { name: name.to_owned() };
        let process = *self.news().processes.get(name).ok_or_else(dead)?;
        match process.condition() {
            Condition::Dead => Err(dead()),
            Condition::Foreign => Err(LabError::Foreign { name: name.to_owned(), pid: process.pid }),
            _ => Ok(process),
        }
    }
}
