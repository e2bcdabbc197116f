//! `tollgate top` in a terminal: who is busy and who is refused, as it changes.

use std::time::Duration;

use self::board::{Board, Pressed};
use self::follower::Follower;
use self::screen::Screen;
use super::client::{AdminClient, ClientError};
use crate::app::observation::Rank;
use crate::domain::clock::Clock as _;
use crate::store::MonotonicClock;

mod board;
mod draw;
mod figures;
mod follower;
mod history;
mod order;
mod screen;
mod words;

/// How a view begins.
pub(super) struct ViewOptions {
    /// The policy that it shows first; `None` for all.
    pub(super) policy: Option<String>,
    pub(super) by: Rank,
    /// How long it waits between two questions.
    pub(super) every: Duration,
}

/// Shows in the terminal what the process of `client` answers, until a key ends it.
///
/// # Errors
/// When the process does not answer at first, or the terminal cannot be used. Later it is asked again.
pub(super) fn follow(client: AdminClient, options: ViewOptions) -> Result<(), ClientError> {
    let clock = MonotonicClock::start();
    let ViewOptions { policy, by, every } = options;
    let first = figures::ask(&client, policy.as_deref(), clock.now())?;
    let mut board = Board::new(&client.listen().to_string(), policy, by, first);
    let follower = Follower::start(client, clock, every, board.policy().map(str::to_owned))
        .map_err(ClientError::Terminal)?;
    let mut screen = Screen::open().map_err(ClientError::Terminal)?;
    loop {
        let drawn = screen.draw(|frame| draw::draw(&board, clock.now(), frame));
        if screen.is_told_to_end() {
            return Ok(());
        }
        drawn.map_err(ClientError::Terminal)?;
        let pressed = match screen.next_key() {
            Some(key) => board.press(key),
            None => Pressed::Nothing,
        };
        match pressed {
            Pressed::Nothing => {}
            Pressed::Policy => follower.show(board.policy()),
            Pressed::End => return Ok(()),
        }
        for news in follower.news() {
            board.hear(news.ok_or(ClientError::Ended)?, clock.now());
        }
    }
}

#[cfg(test)]
mod tests;
