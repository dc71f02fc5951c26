//! Read-only views of a run, for people: plain data, without a browser, a colour or a pixel.

pub mod cast;
pub mod frame;
pub mod inspect;
pub mod picture;
