import Glibc
import LinuxIO
import Logging
import Testing

@testable import Daemon

@Suite struct LogOutputTests {
  /// A pipe in place of standard error.
  private final class Pipe {
    var ends: [Int32] = [0, 0]
    init() {
      pipe(&ends)
      _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    }
    deinit { for end in ends { close(end) } }

    var text: String {
      var bytes = [UInt8](repeating: 0, count: 65536)
      let count = read(ends[0], &bytes, bytes.count)
      return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// What `JOURNAL_STREAM` is where systemd made it.
    var stream: String {
      var status = stat()
      fstat(ends[1], &status)
      return "\(status.st_dev):\(status.st_ino)"
    }
  }

  private let record = LogRecord(level: .warning, label: "disk0", message: "it \"is\" so", ["nsid": "1"], nil)

  @Test func plainLinesHaveTimeLevelAndFields() {
    let pipe = Pipe()
    LogOutput(.plain, descriptor: pipe.ends[1], journalStream: nil).write(record)
    let text = pipe.text
    #expect(text.dropFirst(8) == " warning: disk0: it \"is\" so nsid=1\n")
    #expect(
      text.utf8.prefix(8).map { $0 == UInt8(ascii: ":") } == [false, false, true, false, false, true, false, false])
  }

  /// A reader that does not read makes nobody wait: what it missed is counted.
  @Test(arguments: [LogFormat.plain, .json]) func whoDoesNotReadMissesLines(_ format: LogFormat) throws {
    let pipe = Pipe()
    let output = LogOutput(format, descriptor: pipe.ends[1], journalStream: nil)
    let block = [UInt8](repeating: 0x20, count: 4096)
    let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ
    let size = Int(fcntl(pipe.ends[1], setPipeSize, 65536))
    for _ in 0..<size / block.count { #expect(write(pipe.ends[1], block, block.count) == block.count) }
    // (One that waited would wait for ever.)
    for _ in 0..<3 { output.write(record) }
    #expect(pipe.text.allSatisfy { $0 == " " })
    output.write(record)
    let lines = pipe.text.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.contains("3 lines before this one are lost") == true)
    #expect(lines.last?.contains("so") == true)
  }

  /// What a guest or client may have put into a text moves no cursor, begins no line and turns no text around: those
  /// below 20h, those from 7Fh to 9Fh, which terminals obey as well, and Unicode's line ends and directions.
  @Test func controlCharactersReachNoTerminal() {
    let hostile = "a\n\r\u{1b}[2J\u{7f}\u{85}\u{9b}31m\u{2028}\u{2029}\u{202e}\u{2066}é\u{1f600}z"
    let record = LogRecord(level: .notice, label: "disk0", message: hostile, ["value": "\(hostile)"], nil)
    for format: LogFormat in [.plain, .json] {
      let pipe = Pipe()
      LogOutput(format, descriptor: pipe.ends[1], journalStream: nil).write(record)
      let text = pipe.text
      #expect(text.ranges(of: "a???[2J???31m????é\u{1f600}z").count == 2, "\(format): \(text)")
      #expect(text.unicodeScalars.count { $0.value < 32 || (127...159).contains($0.value) } == 1, "the line's end")
    }
  }

  @Test func plainLinesForTheJournalHaveAPriority() {
    let pipe = Pipe()
    LogOutput(.plain, descriptor: pipe.ends[1], journalStream: pipe.stream).write(record)
    #expect(pipe.text == "<4>disk0: it \"is\" so nsid=1\n")
  }

  @Test func linesOfJSON() {
    let pipe = Pipe()
    LogOutput(.json, descriptor: pipe.ends[1], journalStream: nil).write(record)
    #expect(
      pipe.text.drop { $0 != "," }
        == ",\"level\":\"warning\",\"source\":\"disk0\",\"message\":\"it \\\"is\\\" so\",\"nsid\":\"1\"}\n")
    #expect(
      LogLine.json(record, time: 1_795_251_907_000_123_456).hasPrefix("{\"time\":\"2026-11-21T09:05:07.000123Z\","))
    let clash = LogRecord(level: .info, label: "nvmed", message: "m", [:], ["message": "other", "a\\b": "c"])
    #expect(LogLine.json(clash, time: 0).hasSuffix(",\"message\":\"m\",\"a_b\":\"c\",\"field_message\":\"other\"}\n"))
  }

  @Test func theJournalIsChosenWhereStandardErrorIsItsStream() throws {
    let journal = try TestJournal()
    let pipe = Pipe()
    LogOutput(.auto, descriptor: pipe.ends[1], journalStream: pipe.stream, path: journal.path).write(record)
    #expect(try journal.next().hasPrefix("MESSAGE=disk0: it \"is\" so nsid=1\nPRIORITY=4\n"))
    #expect(pipe.text == "")
    // The variable is inherited by who redirects standard error, and means nothing then.
    for stream in ["1:2", "", "x:y", "1", nil] as [String?] {
      LogOutput(.auto, descriptor: pipe.ends[1], journalStream: stream, path: journal.path).write(record)
      #expect(pipe.text.hasSuffix(" warning: disk0: it \"is\" so nsid=1\n"), "\(stream ?? "nil")")
    }
  }

  @Test func withoutAJournalLinesGoToStandardError() {
    let pipe = Pipe()
    LogOutput(.journald, descriptor: pipe.ends[1], journalStream: nil, path: "/nonexistent").write(record)
    #expect(pipe.text.hasSuffix(" warning: disk0: it \"is\" so nsid=1\n"))
  }

  @Test func theLevelOfAllLoggersChangesAtRunTime() {
    let pipe = Pipe()
    let threshold = LogThreshold(.info, LogOutput(.plain, descriptor: pipe.ends[1], journalStream: nil))
    let loggers = ["a", "b"].map { name in Logger(label: name) { DaemonLog(label: $0, threshold: threshold) } }
    loggers[0].debug("1")
    threshold.level = .debug
    for logger in loggers { logger.debug("2", metadata: ["k": "v"]) }
    threshold.level = .error
    for logger in loggers { logger.warning("3") }
    let lines = pipe.text.split(separator: "\n").map { $0.dropFirst(9) }
    #expect(lines == ["debug: a: 2 k=v", "debug: b: 2 k=v"])
  }
}
