import Glibc
import Testing

@testable import LinuxIO

@Suite struct ErrnoTests {
  @Test func namesAreThoseOfTheKernel() {
    let names: [(Errno, Int32)] = [
      (.notPermitted, 1), (.noSuchFile, 2), (.interrupted, 4), (.inputOutput, 5), (.badFileDescriptor, 9),
      (.wouldBlock, 11), (.outOfMemory, 12), (.accessDenied, 13), (.badAddress, 14), (.busy, 16), (.fileExists, 17),
      (.invalidArgument, 22), (.tooManyOpenFiles, 24), (.notATerminal, 25), (.noSpace, 28), (.readOnlyFileSystem, 30),
      (.brokenPipe, 32), (.protocolError, 71), (.overflow, 75), (.messageTooLong, 90), (.notSupported, 95),
      (.addressInUse, 98), (.connectionReset, 104), (.connectionRefused, 111), (.quotaExceeded, 122),
    ]
    for (name, number) in names { #expect(name.rawValue == number) }
    #expect(Set(names.map(\.0)).count == names.count)
  }

  @Test func describesItselfInWords() {
    #expect(Errno.invalidArgument.description == "Invalid argument")
    #expect("\(Errno.noSpace)" == "No space left on device")
    #expect(Errno(rawValue: 4711).description.contains("4711"))
  }

  @Test func currentIsTheErrorOfTheLastCall() {
    #expect(close(-1) == -1)
    #expect(Errno.current == .badFileDescriptor)
  }

  @Test func retryingGoesOnAfterASignalOnly() throws {
    var calls = 0
    let result: Int32 = try retrying {
      calls += 1
      errno = EINTR
      return calls < 4 ? -1 : 42
    }
    #expect(result == 42)
    #expect(calls == 4)

    calls = 0
    #expect(throws: Errno.wouldBlock) {
      _ = try retrying { () -> Int in
        calls += 1
        errno = calls == 1 ? EINTR : EAGAIN
        return -1
      }
    }
    #expect(calls == 2)
  }

  @Test func checkedCallsOnce() throws {
    var calls = 0
    #expect(throws: Errno.interrupted) {
      _ = try checked { () -> Int32 in
        calls += 1
        errno = EINTR
        return -1
      }
    }
    #expect(calls == 1)
    // Only -1 is an error: some calls have other negative results.
    #expect(try checked { Int(-2) } == -2)
    #expect(try retrying { Int(0) } == 0)
  }
}
