import Doorbells
import Glibc
import LinuxIO
import NVMeController
import VFIOUser

/// How the client's doorbells come, beside messages.
///
/// This is settled when the client first asks for the descriptors of BAR0, which a VMM does before its guest runs: then
/// its process surely has its VM, and no queue uses a slot yet.
extension Device {
  /// What a client is offered for its doorbells.
  enum DoorbellOffer {
    /// Nothing: messages.
    case none
    /// Eventfds, and slots that the client fills or has KVM fill.
    case slots
    /// Eventfds; a tracer fills the slots.
    case traced
  }

  /// Settles what the client is offered.
  ///
  /// - Parameters:
  ///   - postWrite: what is configured, or what is left of it.
  ///   - process: the client's process, as `SO_PEERCRED` says.
  /// - Returns: why it is less than what is configured; nil where it is not.
  func settleDoorbells(_ postWrite: PostWrite, process: pid_t) -> String? {
    guard doorbellOffer == nil else { return nil }
    switch postWrite {
    case .none: doorbellOffer = DoorbellOffer.none
    case .byClient: doorbellOffer = .slots
    case .automatic(let make):
      doorbellOffer = .slots
      // The order is that of the costs: most clients of tests and benches have no VM.
      guard Device.reasonAgainst(process) == nil, let tracer = make() else { return nil }
      return trace(tracer, process)
    case .byTracer(let tracer):
      doorbellOffer = DoorbellOffer.none
      return Device.reasonAgainst(process) ?? trace(tracer, process)
    }
    return nil
  }

  private static func reasonAgainst(_ process: pid_t) -> String? {
    do throws(Errno) {
      switch try KVMProcess.machineCount(process) {
      case 0: return "process \(process), which made the connection, runs no VM: was the socket handed over?"
      case 1: return nil
      case let count: return "process \(process) runs \(count) VMs, whose doorbells cannot be told apart"
      }
    } catch {
      return "the descriptors of process \(process), which made the connection, cannot be looked at: \(error)"
    }
  }

  private func trace(_ tracer: DoorbellTracer, _ process: pid_t) -> String? {
    let page: TracedPage
    do throws(DoorbellTracerError) { page = try tracer.makePage(process: process) } catch { return error.description }
    // The slots are the page's only where all of it works: what else a client is offered uses the memfd.
    if let reason = place(page) ?? (controller.trace(page) ? nil : "it asked too late: the controller is enabled") {
      page.end()
      return reason
    }
    tracedPage = page
    doorbellOffer = .traced
    return nil
  }

  private func place(_ page: TracedPage) -> String? {
    do throws(Errno) {
      try page.place(bar0: configuration.bar0Address)
      return nil
    } catch { return "the address of BAR0 cannot be told to the eBPF program: \(error)" }
  }

  /// Has the tracer know where BAR0 is now. Before what moved it is answered.
  ///
  /// Where it cannot be told, doorbells are as those of a VMM that does not tell it: the values of messages are taken, and
  /// signals without values are found.
  func followBAR() {
    guard let tracedPage else { return }
    if let reason = place(tracedPage) { warn?(reason) }
    controller.slots.noteMove()
  }

  /// Ends tracing: the client is gone, and no thread knows the controller any more.
  func endTracing() {
    tracedPage?.end()
    tracedPage = nil
  }

  /// The doorbells that a client which takes `budget` descriptors may signal without a message.
  func doorbellPlan(budget: Int) -> DoorbellPlan {
    let queues = UInt16(controller.description.queueCount)
    if controller.description.shadowDoorbells == .required {
      return DoorbellPlan(
        valuelessQueues: queues, budget: budget, threads: controller.threadCount, thread: controller.thread(ofQueue:))
    }
    // A slot may be seen half written while a client's kernel stores a later value byte by byte. With at most 256 entries
    // only one byte of it ever changes; larger queues are served by messages. A tracer stores whole words.
    let isTraced = doorbellOffer == .traced
    let isSafe = isTraced || doorbellOffer == .slots && controller.description.queueEntries <= 256
    return DoorbellPlan(
      queues: queues,
      budget: isSafe && controller.description.doorbells == .ioeventfd ? budget : 0, isTraced: isTraced,
      threads: controller.threadCount, thread: controller.thread(ofQueue:))
  }

  /// The number of a descriptor of a plan.
  func descriptor(_ descriptor: DoorbellPlan.Descriptor) -> Int32 {
    switch descriptor {
    case .slots: controller.slots.descriptor
    case .valueless(let thread): controller.doorbellEvents(ofThread: thread).valueless ?? -1
    case .submission(nil): controller.adminEvents.submission.rawValue
    case .completion(nil): controller.adminEvents.completion.rawValue
    case .submission(let thread?): controller.doorbellEvents(ofThread: thread).submission.rawValue
    case .completion(let thread?): controller.doorbellEvents(ofThread: thread).completion.rawValue
    }
  }
}
