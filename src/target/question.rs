//! Questions beside any run, asked on a connection of their own and answered in types of ours: for whoever has to do
//! with a server without putting load on it.

use super::access::Access;
use super::control::Control;
use super::error::TargetError;
use super::reply::{elements, refusal, text};
use super::resolve::find;
use super::server::Server;
use redis::Value;
use std::time::Duration;
use tokio::time::Instant;

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Text(String),
    Number(i64),
    List(Vec<Answer>),
    /// An error reply, in the server's words.
    Refused(String),
    /// Nothing, or a kind of reply that nobody here has asked for yet.
    Nothing,
}

/// Connects to `server`, logs in, and puts `questions` to it in one round trip, all within `patience`. There are as many
/// answers as questions; a refused question is an answer.
///
/// # Errors
/// [`TargetError`] when the server cannot be reached, does not let us in, or says nothing.
pub async fn ask(server: &Server, questions: &[&[&str]], patience: Duration) -> Result<Vec<Answer>, TargetError> {
    let deadline = Instant::now() + patience;
    let access = Access::of(server)?;
    let roster = find(&access, &[], deadline).await?;
    let node = &roster.nodes[0];
    let left = deadline.saturating_duration_since(Instant::now());
    let wrong = |error| TargetError::of_control(error, &node.name, patience);
    let mut control = Control::enter(&access, node, left).await.map_err(wrong)?;
    control.answers(questions).await.map_err(wrong)
}

impl Answer {
    pub(super) fn of(reply: &Value) -> Answer {
        if let Some(words) = refusal(reply) {
            return Answer::Refused(words);
        }
        match (reply, text(reply), elements(reply)) {
            (Value::Int(number), ..) => Answer::Number(*number),
            (Value::Okay, ..) => Answer::Text("OK".to_owned()),
            (_, Some(text), _) => Answer::Text(text),
            (_, None, Some(elements)) => Answer::List(elements.iter().map(Answer::of).collect()),
            _ => Answer::Nothing,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Answer::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a reply to INFO says of `field`.
    pub fn info(&self, field: &str) -> Option<&str> {
        self.text()?.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).map(str::trim)
    }

    /// What a list of names and values, one after the other, says of `field`.
    pub fn field(&self, field: &str) -> Option<&str> {
        let Answer::List(answers) = self else { return None };
        let mut pairs = answers.chunks_exact(2);
        pairs.find(|pair| pair[0].text() == Some(field)).and_then(|pair| pair[1].text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_the_names_in_them() {
        let text = |text: &str| Value::BulkString(text.into());
        let info = Answer::of(&text("# Replication\r\nrole:master\r\nslave0:ip=127.0.0.1,state=online\r\n"));
        assert_eq!((info.info("role"), info.info("rol"), info.info("x")), (Some("master"), None, None));
        let pairs = Answer::of(&Value::Array(vec![text("name"), text("mymaster"), text("flags"), text("master")]));
        assert_eq!((pairs.field("flags"), pairs.field("mymaster")), (Some("master"), None));
        assert_eq!(Answer::of(&Value::Okay).text(), Some("OK"));
        assert_eq!(Answer::of(&Value::Nil), Answer::Nothing);
    }
}
