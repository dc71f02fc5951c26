//! Read-only views of a run, for people: plain data. Knows nothing of a browser, a colour or a pixel.

pub mod cast;
pub mod frame;
pub mod picture;
