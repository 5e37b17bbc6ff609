import KVM

/// Whether guests run here: tests that need one are skipped where not, with this as the reason.
let kvm = KVMAvailability.check()
