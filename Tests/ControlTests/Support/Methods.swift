import LinuxIO

@testable import Control

/// Methods of every sort, and what they did.
final class TestMethods: Sendable {
  struct Sum: ControlParameters {
    var left: Int
    var right: Int?
    static let descriptions = [
      ParameterDescription("left", "an integer", required: true, "The one."),
      ParameterDescription("right", "an integer", "The other; 0 where it is left out."),
    ]
  }

  struct Echo: ControlParameters {
    var value: JSONValue
    static let descriptions = [ParameterDescription("value", "anything", required: true, "Comes back.")]
  }

  struct Size: ControlParameters {
    var bytes: Int
    static let descriptions = [ParameterDescription("bytes", "an integer", required: true, "How long the result is.")]
  }

  /// Calls of `count`.
  let calls = Locked(0)
  /// What `wait` waits for.
  let gate: EventFD
  /// Signalled when `wait` has begun.
  let waiting: EventFD

  init() throws(Errno) {
    gate = try EventFD()
    waiting = try EventFD()
  }

  var table: MethodTable {
    MethodTable([
      ControlMethod("sum", "Adds.") { (parameters: Sum, _) throws(RPCError) in
        let (sum, overflow) = parameters.left.addingReportingOverflow(parameters.right ?? 0)
        guard !overflow else { throw RPCError(.refused, "the sum is too large", reasons: ["left", "right"]) }
        return sum
      },
      ControlMethod("echo", "Gives back.") { (parameters: Echo, _) throws(RPCError) in parameters.value },
      ControlMethod("count", "Counts.") { [self] (_: NoParameters, _) throws(RPCError) in
        calls.withLock {
          $0 += 1
          return $0
        }
      },
      ControlMethod("nothing", "Has no number.") { (_: NoParameters, _) throws(RPCError) in Double.nan },
      ControlMethod("long", "Says much.") { (parameters: Size, _) throws(RPCError) in
        String(repeating: "x", count: parameters.bytes)
      },
      ControlMethod("wait", "Waits.", takesLong: true) { [self] (_: NoParameters, _) throws(RPCError) in
        waiting.signal()
        gate.wait()
        return "waited"
      },
      ControlMethod("take", "Takes descriptors.", takesDescriptors: true) {
        (_: NoParameters, descriptors: inout ReceivedDescriptors) throws(RPCError) in
        var inodes: [UInt64] = []
        for index in 0..<descriptors.count {
          guard let status = try? descriptors.take(index)?.status() else { throw RPCError(.refused, "no file") }
          inodes.append(UInt64(status.st_ino))
        }
        return inodes
      },
    ])
  }
}

/// What a table answers to a line; nil: nothing.
func answer(_ line: String, _ methods: TestMethods) -> String? { answer(Array(line.utf8), methods) }

/// What a table answers to bytes.
func answer(_ line: [UInt8], _ methods: TestMethods) -> String? {
  var descriptors = ReceivedDescriptors(capacity: 0)
  do throws(RPCError) {
    let message = try IncomingMessage(line, methods: methods.table)
    return Reply.line(to: message, descriptors: &descriptors).map { String(decoding: $0, as: UTF8.self) }
  } catch {
    return String(decoding: Reply.line(error), as: UTF8.self)
  }
}
