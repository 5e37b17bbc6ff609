import Glibc
import LinuxIO
import Testing

@testable import MicroVMM

@Suite struct ConsoleOutputTests {
  private static func read(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  @Test func writesALineAtATime() throws {
    let pair = try UnixSocketPair()
    var output = ConsoleOutput(pair.first.rawValue)
    for byte in "one".utf8 { output.write(byte) }
    #expect(Self.read(pair.second.rawValue) == "")
    output.write(UInt8(ascii: "\n"))
    #expect(Self.read(pair.second.rawValue) == "one\n")
    output.write(UInt8(ascii: "2"))
    output.finish()
    output.finish()
    #expect(Self.read(pair.second.rawValue) == "2\n")
  }

  @Test func aLineWithoutAnEndDoesNotGrowForEver() throws {
    let pair = try UnixSocketPair()
    var output = ConsoleOutput(pair.first.rawValue)
    for _ in 0..<513 { output.write(UInt8(ascii: "x")) }
    #expect(Self.read(pair.second.rawValue).count == 512)
  }

  @Test func nobodyListens() {
    var output = ConsoleOutput(-1)
    for byte in "one\n".utf8 { output.write(byte) }
    output.finish()
  }
}
