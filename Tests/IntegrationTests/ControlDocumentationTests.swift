import Control
import FoundationEssentials
import Glibc
import LinuxIO
import NVMeHost
import NVMeSpec
import Testing

/// docs/control.md: each request in it, in its order, gets a reply of the form that it shows.
///
/// With `NVMED_UPDATE_DOCS` in the environment the replies in the file become those of this run.
@Suite struct ControlDocumentationTests {
  /// A request of the document with its reply.
  private struct Example {
    let request: JSONValue
    var reply: JSONValue

    var method: String { if case .string(let name)? = request["method"] { name } else { "" } }
  }

  private static let path =
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/docs/control.md"

  @Test func showsTheRepliesThatThereAre() throws {
    let text = try Self.read(Self.path)
    var examples = Self.examples(text)
    let controlled = try ControlledDaemon(["disk0"])
    _ = try controlled.folder.image("disk1.img", byteCount: 4 << 20)
    let host = try Self.guest(controlled)
    let client = try RawControlClient(controlled.socket)
    // The daemon's end comes last, wherever it is described.
    let order = examples.indices.sorted { left, right in
      let ends = [left, right].map { examples[$0].method == "daemon.stop" }
      return ends[0] == ends[1] ? left < right : ends[1]
    }
    for index in order {
      let example = examples[index]
      let line = Self.line(example.request).replacingPaths(to: controlled.folder.path)
      let pair = try UnixSocketPair()
      let image = try controlled.folder.image("image\(index).img", byteCount: 1 << 20)
      let isAttached = example.method == "controller.attach"
      let reply = try client.call(line, descriptors: isAttached ? [pair.second.rawValue, image.number] : [])
      let plain = try #require(JSONValue(text: reply.replacing(controlled.folder.path, with: "/srv")))
      #expect(
        Self.form(plain) == Self.form(example.reply), "\(example.method): is \(reply), described as \(example.reply)")
      examples[index].reply = plain
    }
    #expect(try controlled.daemon.awaitEnd() == .exit(0))
    host.disconnect()
    if environment("NVMED_UPDATE_DOCS") != nil { try Self.write(Self.path, Self.updated(text, examples)) }
  }

  /// Every method has a section with an example, and no section is of a method that is not there.
  @Test func describesEveryMethod() throws {
    let text = try Self.read(Self.path)
    let controlled = try ControlledDaemon()
    var client = try controlled.client()
    guard case .array(let methods) = try client.call("rpc.methods", returning: JSONValue.self) else {
      throw TestFailure("no methods")
    }
    let names = Set(methods.compactMap { if case .string(let name)? = $0["name"] { name } else { nil } })
    let sections = text.split(separator: "\n").filter { $0.hasPrefix("### ") }.map { String($0.dropFirst(4)) }
    #expect(Set(sections) == names)
    #expect(sections.count == names.count)
    #expect(Set(Self.examples(text).map(\.method)) == names)
    try controlled.daemon.terminate()
  }

  /// A guest with a queue pair that has read, written, and failed once.
  private static func guest(_ controlled: ControlledDaemon) throws -> HostController {
    let host = try controlled.host("disk0.sock")
    var queue = try host.createQueue(1, depth: 16, vector: 1)
    let data = try host.memory.allocate(4096)
    try queue.writePattern(data, slba: 0, version: 1, blockByteCount: 512)
    try queue.readPattern(data, slba: 0, version: 1, blockByteCount: 512)
    let failed = try queue.execute(.io(.read, nsid: 1, slba: 1 << 20, blocks: 1)).status
    #expect(failed == .lbaOutOfRange)
    return host
  }

  // MARK: The form of a value

  /// Names and types; of a list those of its elements, of which there may be any number.
  private indirect enum Form: Hashable {
    case scalar(String)
    case list(Set<Form>)
    case object([String: Form])
  }

  private static func form(_ value: JSONValue) -> Form {
    switch value {
    case .null: .scalar("null")
    case .bool: .scalar("boolean")
    case .integer, .unsigned, .number: .scalar("number")
    case .string: .scalar("string")
    case .array(let elements): .list(Set(elements.map(form)))
    case .object(let members): .object(members.mapValues(form))
    }
  }

  // MARK: The document

  private static func examples(_ text: String) -> [Example] {
    var examples: [Example] = []
    for block in text.components(separatedBy: "```\n--> ").dropFirst() {
      let parts = block.components(separatedBy: "\n```")[0].components(separatedBy: "\n<-- ")
      guard parts.count == 2, let request = JSONValue(text: parts[0]), let reply = JSONValue(text: parts[1]) else {
        Issue.record("not an example: \(block.prefix(200))")
        continue
      }
      examples.append(Example(request: request, reply: reply))
    }
    return examples
  }

  private static func updated(_ text: String, _ examples: [Example]) -> String {
    var blocks = text.components(separatedBy: "```\n--> ")
    for (index, example) in examples.enumerated() {
      let request = blocks[index + 1].components(separatedBy: "\n<-- ")[0]
      let rest = blocks[index + 1].components(separatedBy: "\n```").dropFirst().joined(separator: "\n```")
      blocks[index + 1] = "\(request)\n<-- \(pretty(example.reply))\n```\(rest)"
    }
    return blocks.joined(separator: "```\n--> ")
  }

  private static func pretty(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }

  private static func line(_ value: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }

  private static func read(_ path: String) throws -> String {
    let file = try FileDescriptor(path: path, flags: O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = Glibc.read(file.rawValue, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  private static func write(_ path: String, _ text: String) throws {
    let file = try FileDescriptor(path: path, flags: O_WRONLY | O_TRUNC)
    let bytes = Array(text.utf8)
    guard Glibc.write(file.rawValue, bytes, bytes.count) == bytes.count else { throw Errno.current }
  }
}

extension String {
  /// Paths of a test as those of the document.
  fileprivate func replacingFolder(_ folder: String) -> String {
    replacing(folder + "/control", with: "/run/nvmed/control.sock").replacing(
      folder + "/disk0.sock", with: "/run/nvmed/disk0.sock"
    )
    .replacing(folder + "/disk1.sock", with: "/run/nvmed/disk1.sock").replacing(folder, with: "/srv")
  }

  /// Paths of the document as those of a test.
  fileprivate func replacingPaths(to folder: String) -> String {
    replacing("/run/nvmed/", with: folder + "/").replacing("/srv/", with: folder + "/")
  }
}

/// Lines to a control socket and back.
private final class RawControlClient {
  private let socket: FileDescriptor

  init(_ path: String) throws { socket = try UnixSocket.connect(path: path) }

  func call(_ line: String, descriptors: [Int32]) throws -> String {
    let bytes = Array((line + "\n").utf8)
    #expect(try UnixSocket.send(socket.rawValue, bytes.span, descriptors: descriptors, wait: true) == bytes.count)
    var none = ReceivedDescriptors(capacity: 0)
    var reply: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while reply.last != UInt8(ascii: "\n") {
      let receipt = try UnixSocket.receive(
        socket.rawValue, into: &buffer, at: 0..<buffer.count, descriptors: &none, wait: true)
      guard receipt.count > 0 else { throw TestFailure("the connection ended") }
      reply += buffer[..<receipt.count]
    }
    return String(decoding: reply.dropLast(), as: UTF8.self)
  }
}
