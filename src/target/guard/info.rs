//! The text of `INFO`, field by field.

use std::collections::HashMap;

/// The fields of `INFO`. A field that a server does not have is not known, and no rule judges what is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info(HashMap<String, String>);

impl Info {
    pub fn parse(text: &str) -> Info {
        let fields = text.lines().filter_map(|line| line.trim_end_matches('\r').split_once(':'));
        Info(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All fields, in no order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// None when the field is absent, or no whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether a flag is there and set.
    pub fn is_set(&self, name: &str) -> bool {
        self.number(name).is_some_and(|number| number != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_info_does_not_say_is_not_known() {
        let info = Info::parse("# Clients\r\nconnected_clients:7\r\nrole:master\r\nloading:0\r\naof_enabled:1\r\n");
        assert_eq!(info.number("connected_clients"), Some(7));
        assert_eq!(info.number("role"), None);
        assert_eq!(info.text("role"), Some("master"));
        assert_eq!(info.number("maxclients"), None);
        assert!(info.is_set("aof_enabled") && !info.is_set("loading") && !info.is_set("async_loading"));
    }
}
