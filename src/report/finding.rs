//! How what several runs found together is told: a comparison, or a search for capacity.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Text,
    Markdown,
    Csv,
    Json,
}

/// Every style by its name, the default first.
pub const STYLES: [(&str, Style); 4] =
    [("text", Style::Text), ("markdown", Style::Markdown), ("csv", Style::Csv), ("json", Style::Json)];

impl std::str::FromStr for Style {
    type Err = String;

    fn from_str(text: &str) -> Result<Style, String> {
        let known = || STYLES.map(|(name, _)| name).join(", ");
        let found = STYLES.iter().find(|(name, _)| *name == text);
        found.map(|(_, style)| *style).ok_or_else(|| format!("known: {}", known()))
    }
}
