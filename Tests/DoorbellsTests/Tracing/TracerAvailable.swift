import Doorbells

/// Why doorbells cannot be traced here: tests that need it are skipped with this as the reason. Nil where they can.
let tracerRefusal: DoorbellTracerError? = {
  do throws(DoorbellTracerError) {
    _ = try DoorbellTracer.load(clients: 1)
    return nil
  } catch { return error }
}()
