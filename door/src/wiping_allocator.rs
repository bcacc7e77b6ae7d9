//! An allocator that wipes memory when it is freed.
//!
//! Keys are wiped by their types; this wipes what has no such type: buffers of the network, of
//! gRPC messages, of JSON, of libraries. It relies on mimalloc, which measured a fifth faster here
//! than the C library, and costs one pass over each block when it is freed, mostly while the block
//! is still in the processor's cache.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; all of it is in this module")]

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::asm,
};

use mimalloc::MiMalloc;

/// mimalloc, wiping: the allocator of the processes that secrets pass through.
#[derive(Debug)]
pub struct WipingAllocator;

// SAFETY: every block comes from and goes back to `MiMalloc` with the layout it was asked for. The
// trait's own `realloc` is kept on purpose: it allocates, copies and frees through these methods,
// so that a block that moves is wiped, which `MiMalloc.realloc` would not do.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are `MiMalloc`'s.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are `MiMalloc`'s.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's until it is freed, and as long as its layout says.
        unsafe { wipe(block, layout.size()) };
        // SAFETY: the caller's promises are `MiMalloc`'s.
        unsafe { MiMalloc.dealloc(block, layout) }
    }
}

/// Writes zeros that the compiler cannot leave out, though nobody reads them.
///
/// # Safety
/// `block` is valid for writes of `bytes` bytes.
unsafe fn wipe(block: *mut u8, bytes: usize) {
    // SAFETY: as promised by the caller. Not byte by byte and volatile, which is many times slower.
    unsafe { block.write_bytes(0, bytes) };
    // SAFETY: no instruction at all. To the compiler it may read what `block` points to, so the
    // zeros have to be there before it.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_block_is_zero() {
        let mut block = vec![0xa5_u8; 4_096];
        // SAFETY: the block is ours and that long.
        unsafe { wipe(block.as_mut_ptr(), block.len()) };
        assert!(block.iter().all(|byte| *byte == 0));
    }
}
