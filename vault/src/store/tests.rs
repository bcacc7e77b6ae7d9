//! What engines on disk must do when files are damaged, disks full and processes killed.

mod damage;
mod power_cuts;
mod processes;
