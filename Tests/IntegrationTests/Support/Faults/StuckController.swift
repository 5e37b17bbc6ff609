import Control
import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// A daemon with a control socket and two controllers, of which one's disk, a `FaultDisk`, may stop answering: `stuck`,
/// and `well`.
final class StuckController {
  let disk: FaultDisk
  let controlled: ControlledDaemon
  let host: HostController
  let well: HostController
  /// Of the memory of `host`: a range for itself.
  let data: HostBuffer
  let range: DMARange
  let wellData: HostBuffer
  /// Whose path goes with it.
  private let listener: UnixListener

  /// Starts all of it.
  ///
  /// - Parameter keys: more of the table `[daemon]`.
  init(_ options: FaultDisk.Options = FaultDisk.Options(), daemon keys: String = "") throws {
    disk = try FaultDisk(byteCount: 4 << 20, options: options)
    controlled = try ControlledDaemon(["well"], daemon: keys)
    listener = try UnixListener(path: controlled.folder.file("stuck.sock"))
    let file = try disk.open()
    var client = try controlled.client()
    let controller: JSONValue = [
      "name": .string("stuck"), "post_write": .string("kernel"),
      "namespace": .array([["image_descriptor": .integer(1)]]),
    ]
    _ = try client.call(
      "controller.attach", ["controller": controller] as JSONValue,
      descriptors: [listener.descriptor.rawValue, file.rawValue], returning: NoResult.self)
    _ = consume file
    (host, data) = try StuckController.connect(controlled)
    range = host.memory.ranges[1]
    well = try controlled.host("well.sock")
    wellData = try well.memory.allocate(64 << 10)
  }

  /// A process that waits for the disk would not end.
  deinit { disk.disconnect() }

  /// A host of the disk's controller.
  static func connect(_ controlled: ControlledDaemon) throws -> (HostController, HostBuffer) {
    let memory = try HostMemory(parts: [(0x10_0000, 2 << 20), (0x1000_0000, 4 << 20)])
    let host = try HostController(
      path: controlled.folder.file("stuck.sock"), memory: memory, options: HostOptions(doorbells: .slots, vectors: 3))
    try host.initialize(queues: 2)
    return (host, try memory.allocate(4 << 20))
  }

  /// Lets the disk keep all requests of some kinds.
  func stick(_ operations: Fault.Operation...) {
    for operation in operations { disk.inject(Fault(operation, count: .max, .hold)) }
  }

  /// Begins a command on a queue, which ends when the disk answers: its identifier.
  func begin(_ entry: SubmissionQueueEntry, _ queue: inout HostQueue) throws -> UInt16 {
    var entry = entry
    entry.prp1 = data.iova
    guard let identifier = queue.submit(entry) else { throw TestFailure("the queue is full") }
    queue.ring()
    return identifier
  }

  /// The other controller does I/O, admin commands, registers and messages.
  func checkOther(version: UInt64, _ queue: inout HostQueue) throws {
    try queue.writePattern(wellData, slba: 64, version: version, blockByteCount: 512)
    let flush = try queue.flush().status
    #expect(flush == .success)
    let zeros = try queue.writeZeroes(slba: 1024, blocks: 64, deallocate: true).status
    #expect(zeros == .success)
    try queue.readPattern(wellData, slba: 64, version: version, blockByteCount: 512)
    #expect(try well.identifyController() == well.identity)
    let other = try well.createQueue(2, depth: 8, vector: 2)
    try well.deleteQueue(other)
    #expect(try well.status().ready)
  }

  /// What `nvmed ctl` says.
  func checkControl() throws {
    #expect(try controlled.ctl("status").end == .exit(0))
    for command in ["queues", "dma", "errors"] {
      let (end, text) = try controlled.ctl(command, "stuck")
      #expect(end == .exit(0), "\(command): \(text)")
    }
  }

  /// Waits until so many commands of one of the disk's queues were fetched and have not completed, as the daemon says.
  func awaitInFlight(_ count: Int64, queue identifier: Int64) throws {
    let deadline = deadline()
    while true {
      guard case .array(let queues) = try controlled.result("queues", "stuck") else {
        throw TestFailure("nvmed ctl queues gives no list")
      }
      let queue = queues.first { $0["kind"] == .string("submission") && $0["id"] == .integer(identifier) }
      if queue?["in_flight"] == .integer(count) { return }
      guard !isOver(deadline) else { throw TestFailure("\(count) commands should be in flight: \(queues)") }
    }
  }

  /// The state of the disk's controller.
  func state() throws -> String? {
    guard case .array(let controllers)? = try controlled.result("status")["controllers"] else { return nil }
    for controller in controllers where controller["name"] == .string("stuck") {
      if case .string(let state)? = controller["state"] { return state }
    }
    return nil
  }
}
