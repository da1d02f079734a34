//! Tests of the whole module, over the photographs of `fixtures/photos`.

mod alike;
mod colours;
mod field;
mod fixtures;
mod make;
mod odd;
mod quality;
mod refusals;
mod renditions;
mod same_everywhere;
