import Doorbells
import KVM

/// Whether guests run here: tests that need one are skipped where not, with this as the reason.
let kvm = KVMAvailability.check()

/// Why doorbells cannot be traced by eBPF here; nil where they can.
let tracerRefusal: DoorbellTracerError? = {
  do throws(DoorbellTracerError) {
    _ = try DoorbellTracer.load(clients: 1)
    return nil
  } catch { return error }
}()
