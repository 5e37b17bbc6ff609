import Logging
import Testing

@testable import Daemon

@Suite struct JournalMessageTests {
  @Test func fieldsOfAnEntry() {
    let record = LogRecord(
      level: .notice, label: "disk0", message: "a command failed",
      ["nsid": "1"], ["status": "LBA Out of Range (0/80)", "Odd-Name": "a=b", "nsid": "2"])
    #expect(
      String(decoding: JournalMessage.bytes(record, lost: 3), as: UTF8.self) == """
        MESSAGE=disk0: a command failed nsid=2 odd_name="a=b" status="LBA Out of Range (0/80)"
        PRIORITY=5
        SYSLOG_IDENTIFIER=nvmed
        NVMED_CONTROLLER=disk0
        NVMED_LOST_ENTRIES=3
        NVMED_NSID=2
        NVMED_ODD_NAME=a=b
        NVMED_STATUS=LBA Out of Range (0/80)

        """)
  }

  @Test func theDaemonItselfIsNoController() {
    let record = LogRecord(level: .error, label: "nvmed", message: "x", [:], nil)
    let text = String(decoding: JournalMessage.bytes(record), as: UTF8.self)
    #expect(text == "MESSAGE=nvmed: x\nPRIORITY=3\nSYSLOG_IDENTIFIER=nvmed\n")
  }

  @Test func textsOfSeveralLinesHaveALength() {
    var bytes: [UInt8] = []
    JournalMessage.append("FIELD", "a\nbc", to: &bytes)
    #expect(bytes == Array("FIELD\n".utf8) + [4, 0, 0, 0, 0, 0, 0, 0] + Array("a\nbc\n".utf8))
  }

  /// A guest cannot add fields or entries by what it has the daemon say.
  @Test func lineFeedsDoNotBecomeFields() {
    let record = LogRecord(
      level: .info, label: "disk0", message: "x\nPRIORITY=0", [:], ["value": "y\nMESSAGE=z\u{1b}[31m"])
    let lines = String(decoding: JournalMessage.bytes(record), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines.last == "NVMED_VALUE=y?MESSAGE=z?[31m")
  }
}
