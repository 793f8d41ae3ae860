//! A blocking connection to a server, written without any code of the program under test.

use super::PATIENCE;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Vec<u8>),
    Error(String),
    Number(i64),
    Nil,
    Array(Vec<Value>),
}

impl Value {
    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("text")
    }

    #[track_caller]
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Value::Text(bytes) => bytes,
            other => panic!("expected text: {other:?}"),
        }
    }

    #[track_caller]
    pub fn number(self) -> i64 {
        match self {
            Value::Number(number) => number,
            other => panic!("expected a number: {other:?}"),
        }
    }

    #[track_caller]
    pub fn array(self) -> Vec<Value> {
        match self {
            Value::Array(values) => values,
            other => panic!("expected an array: {other:?}"),
        }
    }

    #[track_caller]
    pub fn texts(self) -> Vec<String> {
        self.array().into_iter().map(Value::text).collect()
    }

    pub fn is_ok(&self) -> bool {
        *self == Value::Text(b"OK".into())
    }
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// One request at a time.
pub struct Link(BufReader<Box<dyn Stream>>);

impl Link {
    pub fn unix(path: &Path) -> io::Result<Link> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Link(BufReader::new(Box::new(stream))))
    }

    pub fn tcp(address: &str, port: u16) -> io::Result<Link> {
        let stream = TcpStream::connect((address, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Link(BufReader::new(Box::new(stream))))
    }

    pub fn ask(&mut self, arguments: &[&str]) -> io::Result<Value> {
        let mut request = format!("*{}\r\n", arguments.len());
        for argument in arguments {
            request += &format!("${}\r\n{argument}\r\n", argument.len());
        }
        self.0.get_mut().write_all(request.as_bytes())?;
        self.read()
    }

    fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (kind, rest) = line.trim_end().split_at(1);
        let number = || rest.parse::<i64>().expect("a number");
        Ok(match kind {
            "+" => Value::Text(rest.into()),
            "-" => Value::Error(rest.into()),
            ":" => Value::Number(number()),
            "$" | "*" if number() < 0 => Value::Nil,
            "$" => {
                let mut bytes = vec![0; number() as usize + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Value::Text(bytes)
            }
            "*" => Value::Array((0..number()).map(|_| self.read()).collect::<io::Result<_>>()?),
            _ => panic!("not a reply: {line:?}"),
        })
    }
}
