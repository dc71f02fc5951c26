//! The stage: nodes, links and messages at one instant.
