//! The vault process in one piece: real certificates, real TLS, a real vault in a directory.

#[cfg(test)]
mod customer_tokens;
#[cfg(test)]
mod data_keys;
#[cfg(test)]
mod house;
mod identifier_keys;
#[cfg(test)]
mod indexes;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod process;
#[cfg(test)]
mod program;
#[cfg(test)]
mod records;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod seals;
#[cfg(test)]
mod tenant;
#[cfg(test)]
mod users;
