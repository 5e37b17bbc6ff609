import LinuxIO
import NVMeHost
import NVMeSpec

/// Clients of many controllers, all on one thread.
struct Fleet: ~Copyable {
  private var controllers: [HostController] = []
  /// The first queue of each controller.
  private var queues: FixedTable<HostQueue?>
  private var commands: [SubmissionQueueEntry] = []

  /// Nobody is attached yet.
  init(count: Int) { queues = FixedTable(count: count) { _ in nil } }

  /// Attaches a client to the controller at `index`, in order: its driver sets up interrupts and queues, and is ready to
  /// read.
  ///
  /// - Parameter timeout: how long replies and completions may take, in ms.
  mutating func attach(
    _ index: Int, _ socket: consuming FileDescriptor, queues count: Int, _ doorbells: DoorbellMechanism,
    timeout: Int32 = 5000
  ) throws(HostError) {
    let interrupts = doorbells != .mappedPage
    let memory = try HostMemory(byteCount: (1 + count) << 20)
    var options = HostOptions(doorbells: doorbells, vectors: interrupts ? count + 1 : 0)
    options.messageTimeout = timeout
    options.commandTimeout = UInt64(timeout) * 1_000_000
    let controller = try HostController(socket: socket, memory: memory, options: options)
    try controller.initialize(queues: count)
    for identifier in 1...UInt16(truncatingIfNeeded: count) {
      let queue = try controller.createQueue(identifier, depth: 64, vector: interrupts ? identifier : nil)
      if identifier == 1 { queues[index] = consume queue }
    }
    var command = SubmissionQueueEntry.io(.read, nsid: 1, slba: 0, blocks: 8)
    try PRPBuilder.pointer(to: [try memory.allocate(4096)]).apply(to: &command)
    controllers.append(controller)
    commands.append(command)
  }

  /// One command of the controller at `index`, from the doorbell to its completion.
  mutating func execute(_ index: Int) throws(HostError) {
    submit(index)
    try complete(index)
  }

  /// One command of every controller.
  mutating func round() throws(HostError) {
    for index in controllers.indices { submit(index) }
    for index in controllers.indices { try complete(index) }
  }

  private mutating func submit(_ index: Int) {
    _ = queues[index]?.submit(commands[index])
    queues[index]?.ring()
  }

  private mutating func complete(_ index: Int) throws(HostError) {
    guard let completion = try queues[index]?.awaitCompletion() else { throw .missing("a queue") }
    guard completion.status.isSuccess else { throw .failed(completion.status) }
  }

  /// Closes all connections.
  mutating func detach() {
    for controller in controllers { controller.disconnect() }
    controllers = []
  }
}
