import Glibc
import Testing

@testable import LinuxIO

@Suite struct MailboxTests {
  private func isAnnounced(_ mailbox: Mailbox<Int>) -> Bool {
    var entry = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) == 1
  }

  @Test func givesMessagesInOrderAndOnce() throws {
    let mailbox = try Mailbox<Int>()
    #expect(!isAnnounced(mailbox))
    #expect(mailbox.takeAll() == [])
    for number in 1...5 { mailbox.post(number) }
    #expect(isAnnounced(mailbox))
    #expect(mailbox.takeAll() == [1, 2, 3, 4, 5])
    #expect(!isAnnounced(mailbox))
    #expect(mailbox.takeAll() == [])
    mailbox.post(6)
    #expect(isAnnounced(mailbox))
    #expect(mailbox.takeAll() == [6])
  }

  @Test func aLimitRefusesWhatIsTooMuchAndOnlyThat() throws {
    let mailbox = try Mailbox<Int>()
    #expect(!mailbox.post(0, limit: 0))
    #expect(!isAnnounced(mailbox), "what was not added is not announced")
    #expect(mailbox.post(1, limit: 2))
    #expect(mailbox.post(2, limit: 2))
    #expect(!mailbox.post(3, limit: 2))
    // Messages without a limit are not refused by those with one.
    mailbox.post(4)
    #expect(!mailbox.post(5, limit: 3))
    #expect(mailbox.takeAll() == [1, 2, 4])
    #expect(mailbox.post(6, limit: 1))
    #expect(mailbox.takeAll() == [6])
  }

  /// What was added before the end is taken at the end, and nothing can be added after it.
  @Test func nothingIsAddedToAClosedOne() throws {
    let mailbox = try Mailbox<Int>()
    #expect(mailbox.post(1) && mailbox.post(2, limit: 2) && !mailbox.post(3, limit: 2))
    #expect(mailbox.close() == [1, 2])
    #expect(!mailbox.post(4) && !mailbox.post(5, limit: 10))
    #expect(mailbox.takeAll() == [] && mailbox.close() == [])
  }

  @Test func noMessageOfManyThreadsIsLostOrOvertaken() throws {
    let mailbox = try Mailbox<(thread: Int, number: Int)>()
    let threadCount = 4
    let messageCount = 500
    var threads: [Thread] = []
    for thread in 0..<threadCount {
      threads.append(
        try Thread(name: "posts") { for number in 0..<messageCount { mailbox.post((thread, number)) } })
    }
    var next = [Int](repeating: 0, count: threadCount)
    while next.reduce(0, +) < threadCount * messageCount {
      var entry = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 60_000) == 1 else {
        Issue.record("messages were added and not announced: \(next) arrived")
        break
      }
      for message in mailbox.takeAll() {
        #expect(message.number == next[message.thread])
        next[message.thread] += 1
      }
    }
    for thread in threads { thread.join() }
    #expect(mailbox.takeAll().isEmpty)
  }
}
