import Glibc
import LinuxIO
import Testing

@testable import Daemon

@Suite struct ServiceManagerTests {
  private static func receiver(_ name: String) throws -> FileDescriptor {
    let descriptor = FileDescriptor(owning: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = [0] + Array(name.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
    let (number, length) = (descriptor.rawValue, socklen_t(2 + text.count))
    let result = withUnsafePointer(to: &address) {
      bind(number, UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), length)
    }
    try #require(result == 0)
    return descriptor
  }

  private static func receive(_ number: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  @Test func tellsTheManager() throws {
    let name = "nvmed-notify-\(getpid())"
    let receiver = try Self.receiver(name)
    let environment = ["NOTIFY_SOCKET": "@\(name)", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]
    let manager = try ServiceManager(environment: { environment[$0] })
    #expect(manager.watchdogLimit == 30_000_000_000)
    manager.ready("2 controllers\nREADY=0")
    manager.watchdog()
    manager.extend(20_000_000_000)
    manager.stopping("bye")
    let before = Clock.monotonic / 1000
    manager.reloading()
    // A line of the status cannot be a message of its own.
    #expect(Self.receive(receiver.rawValue) == "READY=1\nSTATUS=2 controllers READY=0")
    #expect(Self.receive(receiver.rawValue) == "WATCHDOG=1")
    #expect(Self.receive(receiver.rawValue) == "EXTEND_TIMEOUT_USEC=20000000\nWATCHDOG=1")
    #expect(Self.receive(receiver.rawValue) == "STOPPING=1\nSTATUS=bye")
    let lines = Self.receive(receiver.rawValue).split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    let time = try #require(lines.last?.split(separator: "=").last.flatMap { UInt64($0) })
    #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true && (before...Clock.monotonic / 1000).contains(time))
  }

  @Test func withoutAManagerNothingIsSaid() throws {
    let manager = try ServiceManager(environment: { _ in nil })
    #expect(manager.watchdogLimit == nil)
    manager.ready("nobody hears it")
  }

  @Test(arguments: [
    (["WATCHDOG_USEC": "5000"], UInt64(5_000_000)), (["WATCHDOG_USEC": "5000", "WATCHDOG_PID": "1"], nil),
    (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
  ])
  func theWatchdogIsOfOneProcess(_ variables: [String: String], _ limit: UInt64?) throws {
    let name = "nvmed-watchdog-\(getpid())-\(variables.count)-\(limit ?? 0)-\(variables["WATCHDOG_USEC"] ?? "")"
    let receiver = try Self.receiver(name)
    let manager = try ServiceManager(environment: { $0 == "NOTIFY_SOCKET" ? "@\(name)" : variables[$0] })
    #expect(manager.watchdogLimit == limit)
    _ = consume receiver
  }

  @Test func saysThatTheManagerCannotBeReached() {
    #expect(throws: DaemonError.self) {
      _ = try ServiceManager(environment: { $0 == "NOTIFY_SOCKET" ? "/nonexistent/notify" : nil })
    }
  }
}
