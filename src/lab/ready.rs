//! What must be true before a lab is up, found out by asking, and the end of every wait for it.

use super::config::{TO_MASTER, TO_REPLICAS, auth_in_hex};
use super::process::LOG;
use super::topology::{MASTER_NAME, PODS, Place};
use super::{Kind, Lab, LabError, Member, proxy};
use crate::target::{Answer, ask};
use std::fs;
use std::io;
use std::process::Child;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long any one thing may take to come true. The slowest, the sentinels' greeting each other, takes 2 s.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between looks.
const TURN: Duration = Duration::from_millis(20);

/// How long one answer may take, so that a server that is stuck is asked again.
const ANSWER: Duration = Duration::from_secs(1);

impl Lab {
    /// Waits until the member's own process answers at its address.
    pub(super) async fn wait_for_answer(&mut self, place: &Place) -> Result<(), LabError> {
        self.wait_for(place, "no answer", async |lab, member| {
            if member.kind == Kind::Haproxy {
                return proxy::servers(&lab.directory.join(&member.name), ANSWER)
                    .await
                    .map(drop)
                    .map_err(|error| error.to_string());
            }
            let info = lab.ask_one(member, &["INFO"]).await?;
            let is_ours = info.info("process_id") == member.pid.map(|pid| pid.to_string()).as_deref();
            held(is_ours && info.info("loading") != Some("1"), || {
                "another answers in its place, or it loads".to_owned()
            })
        })
        .await
    }

    /// Whether the replicas of a master are in step with it.
    pub(super) async fn has_replicas(&self, master: &Member) -> Result<(), String> {
        let info = self.ask_one(master, &["INFO", "replication"]).await?;
        let replicas = ["slave0", "slave1"].map(|name| info.info(name).unwrap_or_default());
        held(replicas.iter().all(|replica| replica.contains("state=online")), || replicas.join(" "))
    }

    /// Whether a sentinel knows all others and finds the master well.
    pub(super) async fn agrees(&self, member: &Member) -> Result<(), String> {
        let master = self.ask_one(member, &["SENTINEL", "MASTER", MASTER_NAME]).await?;
        for (field, value) in [("num-other-sentinels", "2"), ("num-slaves", "2"), ("flags", "master")] {
            held(master.field(field) == Some(value), || {
                format!("{field} {}", master.field(field).unwrap_or("unknown"))
            })?;
        }
        self.ask_one(member, &["SENTINEL", "CKQUORUM", MASTER_NAME]).await.map(drop)
    }

    /// Whether a write goes through a proxy.
    pub(super) async fn takes_writes(&self, member: &Member) -> Result<(), String> {
        const KEY: &str = "rbench-lab:up";
        self.ask_one(member, &["SET", KEY, "1"]).await?;
        self.ask_one(member, &["DEL", KEY]).await.map(drop)
    }

    /// Whether the checks of a proxy have found out who is what.
    pub(super) async fn knows_the_master(&self, member: &Member) -> Result<(), String> {
        let servers = proxy::servers(&self.directory.join(&member.name), ANSWER).await;
        let servers = servers.map_err(|error| error.to_string())?;
        let (masters, replicas) = (servers.up_in(TO_MASTER), servers.up_in(TO_REPLICAS));
        held((masters, replicas) == (1, PODS - 1), || format!("{masters} masters and {replicas} replicas are up"))
    }

    /// The answer to one question, when it is not refused.
    async fn ask_one(&self, member: &Member, question: &[&str]) -> Result<Answer, String> {
        let answers = ask(&self.server(member), &[question], ANSWER).await.map_err(|error| error.to_string())?;
        match answers.into_iter().next() {
            Some(Answer::Refused(words)) => Err(words),
            Some(answer) => Ok(answer),
            None => Err("no answer".to_owned()),
        }
    }

    /// Waits until `fact` holds of a member, and says `what` when it does not come true. A program that we have started
    /// and that ends meanwhile ends the wait.
    pub(super) async fn wait_for(
        &mut self,
        place: &Place,
        what: &'static str,
        fact: impl AsyncFn(&Lab, &Member) -> Result<(), String>,
    ) -> Result<(), LabError> {
        let member = self.member(place, &self.state);
        let mut cause = "nothing".to_owned();
        let waiting = timeout(PATIENCE, async {
            loop {
                self.check_children()?;
                match fact(self, &member).await {
                    Ok(()) => return Ok(()),
                    Err(why) => cause = why,
                }
                sleep(TURN).await;
            }
        });
        match waiting.await {
            Ok(done) => done,
            Err(_) => {
                let log = self.end_of_log(&member.name);
                Err(LabError::Late { name: member.name, what, seconds: PATIENCE.as_secs(), cause, log })
            }
        }
    }

    fn check_children(&mut self) -> Result<(), LabError> {
        let has_ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        let ended = self.children.iter_mut().find_map(|(name, child)| has_ended(child).then(|| name.clone()));
        let Some(name) = ended else { return Ok(()) };
        let log = self.end_of_log(&name);
        // In the words of both programs.
        match log.contains("ddress already in use") {
            true => Err(LabError::AddressInUse { name }),
            false => Err(LabError::Ended { name, log }),
        }
    }

    /// The last lines that a member has said, as one line, and without the password.
    fn end_of_log(&self, name: &str) -> String {
        const LINES: usize = 4;
        let text = fs::read(self.directory.join(name).join(LOG)).unwrap_or_else(|error| in_words(&error));
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut tail = lines[lines.len().saturating_sub(LINES)..].join(" / ");
        if let Some(password) = &self.password {
            tail = tail.replace(password.expose(), "***").replace(&auth_in_hex(password), "***");
        }
        tail
    }
}

fn in_words(error: &io::Error) -> Vec<u8> {
    format!("(no log: {error})").into_bytes()
}

fn held(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
