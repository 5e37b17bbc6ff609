import DeviceServer
import Doorbells
import LinuxIO
import Logging

#if canImport(KVM)
  import KVM
#endif

/// What this host can do about doorbell values: found out once, when somebody wants to know. Any thread.
final class PostWriteWays: Sendable {
  private enum Tracer {
    case notTried
    case loaded(DoorbellTracer)
    case failed(DoorbellTracerError)
  }

  private struct State {
    var kvmPosts: Bool?
    var tracer = Tracer.notTried
  }

  private let clients: Int
  private let logger: Logger
  private let state = Locked(State())

  /// - Parameters:
  ///   - clients: how many there may be at a time.
  ///   - logger: is told once what was chosen for `auto`.
  init(clients: Int, logger: Logger) {
    self.clients = clients
    self.logger = logger
  }

  /// What a controller's choice comes to.
  ///
  /// - Throws: for `ebpf`, why it cannot be had.
  func postWrite(_ choice: PostWriteChoice) throws(DoorbellTracerError) -> PostWrite {
    switch choice {
    case .kernel: .byClient
    case .off: .none
    case .ebpf: .byTracer(try tracer())
    case .auto: .automatic { [self] in automaticTracer() }
    }
  }

  /// Finds out now what `postWrite` would find out when a client asks for it.
  ///
  /// - Returns: whether a tracer is loaded, which needs its rights later too.
  func settle(_ choices: [PostWriteChoice]) -> Bool {
    if choices.contains(.auto) { _ = automaticTracer() }
    return state.withLock { state in
      if case .loaded = state.tracer { return true }
      return false
    }
  }

  /// The tracer, where the daemon may load one and KVM needs one.
  private func automaticTracer() -> DoorbellTracer? {
    guard !kvmPosts else { return nil }
    do throws(DoorbellTracerError) {
      return try tracer { logger.info("post_write = \"auto\": monitors get slots, as eBPF is not possible: \($0)") }
    } catch { return nil }
  }

  private func tracer(
    failed: (DoorbellTracerError) -> Void = { _ in }
  ) throws(DoorbellTracerError) -> DoorbellTracer {
    try state.withLock { state throws(DoorbellTracerError) in
      switch state.tracer {
      case .loaded(let tracer): return tracer
      case .failed(let error): throw error
      case .notTried: break
      }
      do throws(DoorbellTracerError) {
        let tracer = try DoorbellTracer.load(clients: clients)
        state.tracer = .loaded(tracer)
        return tracer
      } catch {
        state.tracer = .failed(error)
        failed(error)
        throw error
      }
    }
  }

  /// Whether KVM stores the value itself. Without `/dev/kvm` for this process it does not count: a client's kernel is the
  /// same, and it is not known.
  private var kvmPosts: Bool {
    state.withLock { state in
      if let known = state.kvmPosts { return known }
      #if canImport(KVM)
        let found = PostWriteSupport.probe() == .supported
      #else
        let found = false
      #endif
      state.kvmPosts = found
      return found
    }
  }
}
