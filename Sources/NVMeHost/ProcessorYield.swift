import Glibc

/// Lets another thread run: between two looks at what no eventfd announces.
func yieldProcessor() { _ = sched_yield() }
