import CLinux
import Glibc
import Testing

@testable import LinuxIO

@Suite struct EventFDTests {
  /// Why a duplicate of a descriptor cannot be adopted; nil where it can.
  private func refusal(_ number: Int32) throws -> Errno? {
    let handed = FileDescriptor(owning: try checked { fcntl(number, F_DUPFD_CLOEXEC, 0) })
    do throws(Errno) {
      _ = try EventFD(adopting: handed)
      return nil
    } catch {
      return error
    }
  }

  @Test func beginsUnsignalledAndNeverBlocks() throws {
    let event = try EventFD()
    #expect(fcntl(event.rawValue, F_GETFL) & O_NONBLOCK != 0)
    #expect(fcntl(event.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    #expect(EventFD.isEventFD(event.rawValue))
    #expect(event.drain() == 0)
    #expect(event.wait(timeout: 0) == false)
  }

  @Test func countsSignalsAndForgetsThemWhenDrained() throws {
    let event = try EventFD()
    for _ in 0..<3 { event.signal() }
    EventFD.signal(rawValue: event.rawValue)
    #expect(event.wait(timeout: 0) == true)
    #expect(event.wait(timeout: 0) == true, "waiting takes nothing away")
    #expect(event.drain() == 4)
    #expect(event.wait(timeout: 0) == false)
    event.signal()
    #expect(EventFD.drain(rawValue: event.rawValue) == 1)
    #expect(event.drain() == 0)
  }

  @Test func aFullCounterIsSignalledAndStopsNobody() throws {
    let event = try EventFD()
    var most = UInt64.max - 1
    #expect(write(event.rawValue, &most, 8) == 8)
    event.signal()
    #expect(event.drain() == UInt64.max - 1)
    event.signal()
    #expect(event.drain() == 1)
  }

  @Test func waitsForAnotherThread() throws {
    let event = try EventFD()
    let number = event.rawValue
    let thread = try Thread(name: "signals") { EventFD.signal(rawValue: number) }
    #expect(event.wait(timeout: 60_000) == true)
    thread.join()
    #expect(event.drain() == 1)
  }

  @Test func duplicatesShareTheCounterAndOutliveEachOther() throws {
    let first = try EventFD()
    var inode: ino_t = 0
    do {
      let second = try first.duplicate()
      #expect(second.rawValue != first.rawValue)
      #expect(fcntl(second.rawValue, F_GETFD) & FD_CLOEXEC != 0)
      second.signal()
      inode = try second.descriptor.status().st_ino
    }
    #expect(try first.descriptor.status().st_ino == inode)
    #expect(first.drain() == 1)
  }

  @Test func adoptsAnEventFDAndMakesItNonBlocking() throws {
    let number = eventfd(0, 0)
    #expect(fcntl(number, F_GETFL) & O_NONBLOCK == 0)
    let event = try EventFD(adopting: FileDescriptor(owning: number))
    #expect(event.rawValue == number)
    #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0)
    #expect(event.drain() == 0, "this would block for ever otherwise")
    event.signal()
    #expect(event.drain() == 1)
  }

  /// What a peer could hand over in place of an eventfd.
  enum Impostor: CaseIterable {
    case readEndOfPipe, writeEndOfPipe, socket, memory, file, directory, device, epoll
  }

  @Test(arguments: Impostor.allCases) func refusesEverythingElseAndClosesIt(impostor: Impostor) throws {
    var pipes: [Int32] = [-1, -1]
    #expect(pipe(&pipes) == 0)
    let readEnd = FileDescriptor(owning: pipes[0])
    let writeEnd = FileDescriptor(owning: pipes[1])
    let sockets = try UnixSocketPair()
    let memory = try SharedMemory(name: "impostor", count: 4096)
    let other =
      switch impostor {
      case .file: try FileDescriptor(path: "/proc/self/exe", flags: O_RDONLY)
      case .directory: try FileDescriptor(path: "/tmp", flags: O_RDONLY | O_DIRECTORY)
      case .device: try FileDescriptor(path: "/dev/null", flags: O_RDWR)
      default: FileDescriptor(owning: epoll_create1(0))
      }
    let number =
      switch impostor {
      case .readEndOfPipe: readEnd.rawValue
      case .writeEndOfPipe: writeEnd.rawValue
      case .socket: sockets.first.rawValue
      case .memory: memory.descriptor.rawValue
      default: other.rawValue
      }
    let flags = fcntl(number, F_GETFL)
    let open = impostor == .memory ? openDescriptors(ofTheFileBehind: number) : 0
    #expect(!EventFD.isEventFD(number))
    #expect(try refusal(number) == .invalidArgument)
    #expect(fcntl(number, F_GETFL) == flags, "the sender's file description is left as it was")
    // Nothing was written to it either.
    if impostor == .writeEndOfPipe {
      var waiting: Int32 = -1
      #expect(ioctl(readEnd.rawValue, UInt(FIONREAD), &waiting) == 0)
      #expect(waiting == 0)
    }
    if impostor == .memory { #expect(openDescriptors(ofTheFileBehind: number) == open) }
  }

  @Test func nothingIsNoEventFD() {
    #expect(!EventFD.isEventFD(-1))
    #expect(!EventFD.isEventFD(Int32.max))
    #expect(EventFD.drain(rawValue: -1) == 0)
    EventFD.signal(rawValue: -1)
  }
}
