import ArgumentParser
import Glibc
import NVMeHost

/// `nvmed-bench drive`: a host that does what a script tells it, for tests of disks that fail.
struct DriveBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drive",
    abstract: "Executes the commands that it reads, one a line, and prints what became of each.",
    discussion: """
      read LBA BLOCKS              0/00, and the versions that the blocks are of: 7, 6-7, zeros or foreign
      write LBA BLOCKS VERSION     blocks that say where they belong and which version they are
      fua LBA BLOCKS VERSION       the same with Force Unit Access
      zero LBA BLOCKS              Write Zeroes
      discard LBA BLOCKS           Dataset Management, deallocate
      flush
      start COMMAND                begins one of these and does not wait
      wait SECONDS                 what became of all that were started, or "in flight" after so many seconds
      errors                       entries of the error log, media errors and critical warning
      log COUNT                    the newest entries of the error log: statuses and first blocks
      reset                        disables and enables the controller

      The answer is the status as type and code, in hexadecimal, with "dnr" for Do Not Retry: "2/80" is a write fault. \
      It ends with its input; status 1 where a line cannot be understood or the controller is lost.
      """)

  @Option(help: "Path of the vfio-user socket.")
  var socket: String

  @Option(help: "Namespace identifier.")
  var nsid: UInt32 = 1

  @Option(help: "How long a command is awaited, in seconds.")
  var timeout = 60.0

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else { throw ValidationError("--timeout: write more than 0, at most 86400") }
  }

  func run() throws {
    do {
      var session = try DriveSession(socket: socket, nsid: nsid, timeout: UInt64(timeout * 1e9))
      while let line = readLine() {
        guard let request = DriveRequest(line) else { throw HostError.invalidArgument("not understood: \(line)") }
        print(try session.answer(request))
        // A script waits for each answer.
        fflush(nil)
      }
      session.end()
    } catch let error as HostError {
      throw BenchFailure(error, socket: socket)
    }
  }
}
