//! The text of a page. What comes from outside can only be added as text.

use std::fmt::Write as _;

use crate::app::simulate::show::words::plain;

/// Markup that grows.
#[derive(Clone, Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds markup of our own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text. No letter of it is markup.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for letter in plain(text).chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(letter),
            }
        }
        self
    }

    /// Adds an element with nothing but text.
    pub(super) fn element(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.element_of(name, "", text)
    }

    /// Adds an element of a class, with nothing but text.
    pub(super) fn element_of(
        &mut self,
        name: &'static str,
        class: &'static str,
        text: &str,
    ) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        if !class.is_empty() {
            let _ = write!(self.0, " class=\"{class}\"");
        }
        self.0.push('>');
        self.text(text);
        let _ = writeln!(self.0, "</{name}>");
        self
    }

    /// Adds a paragraph of sentences.
    pub(super) fn paragraph(&mut self, class: &'static str, sentences: &[String]) -> &mut Self {
        self.raw("<p class=\"").raw(class).raw("\">");
        for (number, sentence) in sentences.iter().enumerate() {
            if number > 0 {
                self.0.push(' ');
            }
            self.text(sentence);
        }
        self.raw("</p>\n")
    }

    /// Begins a section, whose heading has this ID.
    pub(super) fn section(&mut self, id: &str) -> &mut Self {
        self.raw("<section class=\"card\" aria-labelledby=\"").text(id).raw("\">\n")
    }

    /// Begins a table, whose first column names what the row is of.
    pub(super) fn table(&mut self, caption: &str, names: &str, numbers: &[&str]) -> &mut Self {
        self.raw(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">\n<table>\n",
        );
        self.element("caption", caption);
        self.raw("<thead><tr><th scope=\"col\">").text(names).raw("</th>");
        for heading in numbers {
            self.raw("<th scope=\"col\" class=\"number\">").text(heading).raw("</th>");
        }
        self.raw("</tr></thead>\n<tbody>\n")
    }

    pub(super) fn end_table(&mut self) -> &mut Self {
        self.raw("</tbody>\n</table>\n</div>\n")
    }

    /// Begins the row of `name`.
    pub(super) fn row(&mut self, name: &str) -> &mut Self {
        self.raw("<tr><th scope=\"row\" class=\"name\">").text(name).raw("</th>")
    }

    /// Adds a cell with a number.
    pub(super) fn number(&mut self, number: &str) -> &mut Self {
        self.element_of("td", "number", number)
    }

    /// Adds a cell with a number, and below it a bar for the share of `most` that it is.
    pub(super) fn bar(&mut self, text: &str, part: u64, most: u64) -> &mut Self {
        self.raw("<td class=\"number\">").text(text);
        let percent = u128::from(part) * 100 / u128::from(most.max(1));
        let _ = writeln!(
            self.0,
            "<span class=\"bar\"><span style=\"width:{}%\"></span></span></td>",
            percent.clamp(1, 100)
        );
        self
    }

    /// Adds a drawing, which has no text from outside, under a title, which may have.
    pub(super) fn drawing(&mut self, title: &str, drawing: &str) -> &mut Self {
        let (head, rest) = drawing.split_once('>').unwrap_or((drawing, ""));
        self.0.push_str(&head.replacen("<svg", "<svg role=\"img\"", 1));
        self.raw(">").element("title", title);
        self.0.push_str(rest);
        self
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
