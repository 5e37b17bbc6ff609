import Control
import GuestMemory
import NVMeController
import Testing

@testable import Console
@testable import Daemon

@Suite struct TableTests {
  @Test func showsTheDaemon() {
    var controller = Samples.controller("disk0")
    controller.statistics.inFlight = 68
    #expect(
      DaemonTables.status(Samples.daemon(uptime: 187_000_000_000, [controller])) == [
        "nvmed 1.2.3, process 42, up 3 min 7 s, log level info",
        "",
        "CONTROLLER  STATE  CLIENT  NS  QUEUES  IN FLIGHT  DOORBELL  SOCKET",
        "disk0       ready    4711   1       1         68  slots     .../nvmed/disk0.sock",
        "",
        "I/O THREAD  CPU  CPU TIME",
        "nvmed-io0   any       0 s",
      ])
    #expect(DaemonTables.status(Samples.daemon(uptime: 0, []))[2] == "no controllers")
  }

  @Test func showsAController() {
    var controller = Samples.controller("disk0")
    controller.limits.operations = RateLimit(perSecond: 5000)
    controller.limits.writtenBytes = RateLimit(perSecond: 200 << 20)
    controller.isLimited = true
    #expect(
      ControllerTables.status(controller) == [
        "disk0: ready, client process 4711",
        "  serial      S-disk0",
        "  socket      /run/nvmed/disk0.sock",
        "  doorbells   slots (doorbells auto, post_write auto, shadow_doorbells off)",
        "  queues      1 I/O submission queues",
        "  memory      3 ranges, 4GiB",
        "  interrupts  2 of 65 vectors installed",
        "  limits      5000 IOPS, 200MiB/s write; commands wait for them now",
        "  commands    0, 0 failed, 0 in flight; mean -, p99 -",
        "  data        0B read, 0B written",
        "",
        "NSID   SIZE  BLOCK  ACCESS  IMAGE",
        "   1  10GiB    512  write   /srv/images/disk0.img",
      ])
  }

  @Test func showsQueues() {
    #expect(
      ControllerTables.queues(Samples.controller("a").queues) == [
        "QUEUE       ID  SIZE  HEAD  TAIL  IN FLIGHT  THREAD  COMPLETES TO  INTERRUPT",
        "submission   0    32     7     7          0  admin   queue 0",
        "completion   0    32     7     7             admin                 vector 0",
        "submission   1   256   200    12         68  io0     queue 1",
        "completion   1   256   131   132             io0                   vector 1",
      ])
  }

  @Test func showsGuestMemory() {
    var memory = [UInt8](repeating: 0, count: 4096)
    let status = unsafe memory.withUnsafeMutableBytes { bytes in
      let host = bytes.baseAddress
      let more = (0..<DMAMapStatus.rangeLimit).map { index in
        unsafe MemoryRegion(iova: 1 << 40 + UInt64(index) << 12, size: 4096, host: host, access: .write)
      }
      return unsafe DMAMapStatus(
        [
          MemoryRegion(iova: 0, size: 3 << 30, host: host, access: [.read, .write]),
          MemoryRegion(iova: 0xfffc_0000, size: 256 << 10, host: host, access: .read),
          MemoryRegion(iova: 1 << 32, size: 8192, host: nil, access: .read),
        ] + more)
    }
    let lines = ControllerTables.dma(status)
    #expect(
      lines.prefix(5) == [
        "         IOVA    SIZE  ACCESS",
        "          0x0    3GiB  read, write",
        "   0xfffc0000  256KiB  read",
        "  0x100000000    8KiB  no file",
        "0x10000000000    4KiB  write",
      ])
    #expect(lines.suffix(2) == ["and 3 more", "1027 ranges, 3.0GiB of guest memory"])
    #expect(lines.count == 1 + DMAMapStatus.rangeLimit + 2)
  }

  @Test func showsErrors() {
    let entry = ErrorLogEntryStatus(
      errorCount: 3, submissionQueue: 1, commandIdentifier: 77, status: 0x80, statusText: "LBA Out of Range (0/80)",
      lba: 1 << 40, nsid: 1)
    #expect(
      ControllerTables.errors([entry]) == [
        "NUMBER  SQ  COMMAND  NSID            LBA  STATUS",
        "     3   1       77     1  1099511627776  LBA Out of Range (0/80)",
      ])
  }

  @Test func showsReloads() {
    var report = ReloadReport()
    #expect(DaemonTables.reload(report) == ["nothing has changed"])
    report.addedControllers = ["disk1"]
    report.warnings = ["something"]
    #expect(DaemonTables.reload(report) == ["controller 'disk1' added", "something"])
  }

  @Test func staysInTheWidth() {
    let long = String(repeating: "x", count: 300)
    var controller = Samples.controller("disk0")
    controller.socketPath = "/" + long
    controller.namespaces[0].image = "/" + long
    for width in [80, 100] {
      let all =
        DaemonTables.status(Samples.daemon(uptime: 1, [controller]), width: width)
        + ControllerTables.status(controller, width: width)
        + DaemonTables.controllers([ControllerSummary(controller)], width: width)
      #expect(all.allSatisfy { $0.count <= width })
    }
  }

  @Test func showsMethods() {
    let methods = JSONValue.array([
      [
        "name": .string("a.b"), "meaning": .string("Does something."),
        "parameters": .array([
          ["name": .string("c"), "type": .string("a string"), "required": .bool(false), "meaning": .string("It.")]
        ]),
      ]
    ])
    #expect(
      MethodTables.methods(methods) == ["a.b", "    Does something.", "    c (a string, optional): It."])
  }
}
