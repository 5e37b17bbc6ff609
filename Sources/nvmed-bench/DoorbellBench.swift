#if canImport(MicroVMM)
  import ArgumentParser
  import Doorbells
  import Glibc
  import KVM
  import MicroVMM

  /// `nvmed-bench doorbell`: what a doorbell costs the vCPU, by the way it goes.
  struct DoorbellBench: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "doorbell",
      abstract: "Measures what a doorbell costs the vCPU that rings it, by the way it goes.",
      discussion: """
        A guest rings the same doorbell again and again. 'wall' is the time until it goes on, 'CPU' the time that its \
        thread runs meanwhile, in the guest and in the kernel; medians of all rounds, in ns per doorbell, less what the \
        guest's own instructions cost. The ratios say how many times cheaper than a message with reply a way is: the \
        median, and the least and greatest of all rounds.

        Then a guest rings and waits for the server's answer in its memory, again and again: looking at the memory, or \
        asleep in HLT until the interrupt, with KVM looking for it for 200 us before the thread sleeps, and without.
        """)

    @Option(name: .long, help: "Doorbells in one go.")
    var count: UInt32 = 2000

    @Option(name: .long, help: "Rounds; every way has a turn in each.")
    var rounds = 15

    @Option(name: .long, help: "Round trips in one go; 0: none are measured.")
    var roundTrips: UInt32 = 300

    @Option(name: .long, help: "CPU of the vCPU.")
    var vcpuCPU: Int32?

    @Option(name: .long, help: "CPU of the server.")
    var serverCPU: Int32?

    func validate() throws {
      guard count > 0 else { throw ValidationError("--count: at least 1") }
      guard (1...1000).contains(rounds) else { throw ValidationError("--rounds: 1 to 1000") }
    }

    func run() throws {
      let kvm = KVMAvailability.check()
      guard kvm == .available else { throw ValidationError("\(kvm)") }
      let support = PostWriteSupport.probe()
      print(support)
      let tracer = Self.tracer
      try measureCost(support, tracer)
      guard roundTrips > 0 else { return }
      try measureRoundTrips(.spinning, support, tracer)
      try measureRoundTrips(.halting(pollNanoseconds: 200_000), support, tracer)
      try measureRoundTrips(.halting(pollNanoseconds: 0), support, tracer)
    }

    private func measureRoundTrips(
      _ waiting: DoorbellRoundTrip.Waiting, _ support: PostWriteSupport, _ tracer: DoorbellTracer?
    ) throws {
      let results = try DoorbellRoundTrip(
        ways: DoorbellRoundTrip.ways(
          support, traces: tracer != nil, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN))), waiting: waiting,
        tracer: tracer,
        measurement(roundTrips)
      ).run()
      guard let reference = results.first(where: { $0.way == .messageWithReply }) else { return }
      print()
      print(
        pad("doorbell and answer, " + Self.name(waiting), 64, left: true) + pad("wall", 9) + pad("ratio (spread)", 26))
      for result in results {
        print(
          pad(Self.name(result.way), 64, left: true) + pad(whole(DoorbellCost.Result.median(result.wall)), 9)
            + pad(ratio(reference.wall, result.wall), 26))
      }
    }

    private static func name(_ waiting: DoorbellRoundTrip.Waiting) -> String {
      switch waiting {
      case .spinning: "guest looks at its memory"
      case .halting(0): "guest in HLT, asleep at once"
      case .halting(let time): "guest in HLT, KVM looks for \(time / 1000) us"
      }
    }

    private static func name(_ way: DoorbellRoundTrip.Way) -> String {
      switch way {
      case .messageWithReply: "exit, message with reply"
      case .postedMessage: "exit, posted message"
      case .softwarePost: "exit, VMM stores and signals; server in epoll"
      case .traced: "ioeventfd, value by eBPF; server in epoll"
      case .tracedPolled: "ioeventfd, value by eBPF; server looks at the slot"
      case .postWrite: "ioeventfd POST_WRITE; server in epoll"
      case .postWritePolled: "ioeventfd POST_WRITE; server looks at the slot"
      case .mappedPage: "mapped page; server looks at it"
      }
    }

    private func measurement(_ count: UInt32) -> DoorbellMeasurement {
      DoorbellMeasurement(count: count, rounds: rounds, vcpuCPU: vcpuCPU, serverCPU: serverCPU)
    }

    private func measureCost(_ support: PostWriteSupport, _ tracer: DoorbellTracer?) throws {
      let results = try DoorbellCost(
        ways: DoorbellCost.ways(support, traces: tracer != nil), tracer: tracer, measurement(count)
      ).run()
      guard let baseline = results.first(where: { $0.way == .memory }),
        let reference = results.first(where: { $0.way == .messageWithReply })?.less(baseline)
      else { return }
      print("the guest's own instructions: \(whole(DoorbellCost.Result.median(baseline.wall))) ns")
      print(row("way", "wall", "ratio (spread)", "CPU", "ratio (spread)"))
      for result in results.filter({ $0.way != .memory }).map({ $0.less(baseline) }) {
        print(
          row(
            Self.name(result.way), whole(DoorbellCost.Result.median(result.wall)),
            ratio(reference.wall, result.wall), whole(DoorbellCost.Result.median(result.cpu)),
            ratio(reference.cpu, result.cpu)))
      }
      for (own, beside) in [
        (DoorbellCost.Way.exit, .exitBesideTracer), (.ioeventfd, DoorbellCost.Way.ioeventfdBesideTracer),
      ] {
        guard let alone = results.first(where: { $0.way == own })?.less(baseline),
          let loaded = results.first(where: { $0.way == beside })?.less(baseline)
        else { continue }
        print("\(Self.name(own)), eBPF attached for another VM / not attached: CPU \(ratio(loaded.cpu, alone.cpu))")
      }
    }

    /// Loads the eBPF program, or says why it cannot be measured.
    private static var tracer: DoorbellTracer? {
      do throws(DoorbellTracerError) { return try DoorbellTracer.load(clients: 1) } catch {
        print("without eBPF: \(error)")
        return nil
      }
    }

    private static func name(_ way: DoorbellCost.Way) -> String {
      switch way {
      case .memory: "store to memory"
      case .exit: "exit alone"
      case .exitBesideTracer: "  eBPF attached for another VM"
      case .messageWithReply: "exit, message with reply"
      case .postedMessage: "exit, posted message"
      case .softwarePost: "exit, VMM stores and signals"
      case .ioeventfd: "ioeventfd without value"
      case .ioeventfdUnawaited: "  nobody waits for it"
      case .ioeventfdBesideTracer: "  eBPF attached for another VM"
      case .traced: "ioeventfd, value by eBPF"
      case .tracedUnawaited: "  nobody waits for it"
      case .datamatch(let values): "ioeventfd, datamatch of \(values)"
      case .coalesced: "coalesced MMIO, heard of later"
      case .postWrite: "ioeventfd POST_WRITE"
      case .postWriteUnawaited: "  nobody waits for it"
      }
    }

    private func row(_ way: String, _ wall: String, _ wallRatio: String, _ cpu: String, _ cpuRatio: String) -> String {
      pad(way, 30, left: true) + pad(wall, 9) + pad(wallRatio, 26) + pad(cpu, 9) + pad(cpuRatio, 26)
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
      let space = String(repeating: " ", count: max(width - text.count, 0))
      return left ? text + space : space + text
    }

    private func whole(_ figure: Double) -> String { "\(Int(figure.rounded()))" }

    private func ratio(_ reference: [Double], _ own: [Double]) -> String {
      let ratio = DoorbellCost.Result.ratio(reference, to: own)
      return "\(hundredths(ratio.median)) (\(hundredths(ratio.least))-\(hundredths(ratio.greatest)))"
    }

    private func hundredths(_ figure: Double) -> String { "\((figure * 100).rounded() / 100)" }
  }
#endif
