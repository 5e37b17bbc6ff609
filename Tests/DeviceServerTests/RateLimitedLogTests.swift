import LinuxIO
import Logging
import Testing

@testable import DeviceServer

@Suite struct RateLimitedLogTests {
  private final class Lines: Sendable {
    let lines = Locked<[String]>([])
  }

  private struct Handler: LogHandler {
    let target: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { target.lines.withLock { $0.append("\(event.level) \(event.message)") } }
  }

  @Test func aFloodIsCutShort() {
    let target = Lines()
    var log = RateLimitedLog(Logger(label: "test") { _ in Handler(target: target) })
    var evaluated = 0
    func message(_ index: Int) -> Logger.Message {
      evaluated += 1
      return "line \(index)"
    }
    for index in 0..<100_000 { log.log(.warning, message(index)) }
    let lines = target.lines.withLock { $0 }
    #expect(Array(lines.prefix(20)) == (0..<20).map { "warning line \($0)" })
    // A line more for each second that passes, with a word on what was left out.
    #expect(lines.count < 20 + 2 * 60)
    #expect(evaluated < 20 + 60, "what is not logged is not put together")
    #expect(lines.dropFirst(20).allSatisfy { $0.contains("left out") || $0.contains("line") })
  }

  /// What is not written at all leaves room for what is.
  @Test func whatIsBelowTheThresholdTakesNothing() {
    let target = Lines()
    var handler = Handler(target: target)
    handler.logLevel = .info
    var log = RateLimitedLog(Logger(label: "test") { _ in handler })
    for index in 0..<1000 { log.log(.debug, "line \(index)") }
    log.log(.info, "news")
    #expect(target.lines.withLock { $0 } == ["info news"])
  }

  /// No kind of line keeps another out of the log.
  @Test func everyKindHasItsRoom() {
    let target = Lines()
    var log = RateLimitedLog(Logger(label: "test") { _ in Handler(target: target) })
    for (index, level) in ([.info, .notice, .warning] as [Logger.Level]).enumerated() {
      for _ in 0..<1000 { log.log(level, "flood") }
      #expect(target.lines.withLock { $0.count { $0 == "\(level) flood" } } >= 20, "\(index)")
    }
  }

  /// A client that comes and goes all the time has a few lines, as everything that clients can cause.
  @Test func connectionsAreCutShort() throws {
    let target = Lines()
    let device = try ServedDevice(logger: Logger(label: "test") { _ in Handler(target: target) })
    // (told, and not only closed: a child that another test has just started has the socket until it runs its program)
    for _ in 0..<200 { try device.connect().disconnect() }
    let lines = target.lines.withLock { $0 }
    #expect(lines.first == "info client connected")
    // A line more for each second that passes, with a word on what was left out.
    #expect(lines.count < 40 + 2 * 60, "\(lines.count)")
  }

  @Test func whatIsNoFloodIsLogged() {
    let target = Lines()
    var log = RateLimitedLog(Logger(label: "test") { _ in Handler(target: target) })
    for index in 0..<5 { log.log(index % 2 == 0 ? .notice : .error, "line \(index)") }
    #expect(
      target.lines.withLock { $0 } == [
        "notice line 0", "error line 1", "notice line 2", "error line 3", "notice line 4",
      ])
  }
}
