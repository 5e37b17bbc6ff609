import ArgumentParser
import Glibc
import NVMeHost

/// `nvmed-bench storm`: proves that no command is lost and none is executed twice, whatever happens to doorbells and
/// queues meanwhile.
struct StormBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "storm",
    abstract: "Rings the doorbells of many queues from many threads, and proves that each command is executed once.",
    discussion: """
      Threads write and read at random, each on queues of its own. A doorbell is rung through its slot, by message, or by \
      posted message, in turns. Queues are deleted and created anew, of other sizes and on other completion queues. BAR0 \
      is moved, after which doorbells come by message until the VMM would have registered them anew. With --daemon the \
      process is stopped and continued, and gets signals that it should not mind. Now and then all threads but one stand \
      still, and that one sends command by command, so that no doorbell makes good for one that got lost before it.

      Each command has to complete once. What it executes is seen in the data: every block says where it belongs and \
      when it was written, every read finds what was written last, and a buffer that belongs to no command in flight \
      holds a poison that must neither change nor get into the namespace, where all blocks are read at the end. And the \
      controller must have counted as many reads and writes as were sent (SMART / Health Information).

      It destroys what the namespace holds.
      """)

  @Option(help: "Path of the vfio-user socket.")
  var socket: String

  @Option(help: "Commands, 1 at least.")
  var commands = 1_000_000

  @Option(help: "Queue pairs, 2 to 64.")
  var queues = 64

  @Option(help: "Threads, 1 to 32; each has as many queues, two at least.")
  var threads = 4

  @Option(help: "How doorbells are rung beside messages: slots, or page for a controller that is polled.")
  var doorbells: DoorbellChoice = .slots

  @Flag(help: "Keep doorbells in memory, and ring only where the controller asks for it (Doorbell Buffer Config).")
  var shadowDoorbells = false

  @Option(help: "Namespace identifier; it has blocks of 512 bytes.")
  var nsid: UInt32 = 1

  @Option(help: "Process that serves the socket, to send signals to.")
  var daemon: Int32?

  @Option(help: "Seed of all choices.")
  var seed: UInt64 = 1

  func validate() throws {
    guard commands > 0 else { throw ValidationError("--commands: write 1 or more") }
    guard (2...64).contains(queues) else { throw ValidationError("--queues: write 2 to 64") }
    guard (1...32).contains(threads), queues % threads == 0, queues / threads >= 2 else {
      throw ValidationError("--threads: write 1 to 32, so that each has the same number of queues, two at least")
    }
    if let daemon, daemon < 2 || kill(daemon, 0) != 0 {
      throw ValidationError("--daemon: there is no process \(daemon) that may be sent signals")
    }
  }

  func run() throws {
    do {
      print(try Storm(self).run())
    } catch let error as HostError {
      throw BenchFailure(error, socket: socket)
    }
  }
}
