//! protocol

pub mod policy;
