//! Tests of the whole module, over the photographs of `fixtures/photos`.

mod colours;
mod fixtures;
mod quality;
mod refusals;
mod renditions;
mod same_everywhere;
