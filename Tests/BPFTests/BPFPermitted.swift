import BPF

/// Why BPF cannot be used here: tests that need it are skipped with this as the reason. Nil where it can.
let bpfRefusal: BPFError? = {
  do throws(BPFError) {
    _ = try BPFProgram(rawTracepoint: "nvmed_test", [.calculate(.move, .r0, 0), .exit])
    return nil
  } catch { return error }
}()
