import NVMeController
import NVMeSpec
import Storage
import Testing

/// Namespaces that come, go or change: `Controller+Namespaces.swift`.
@Suite struct ControllerNamespacesTests {
  @Test func identifiers() throws {
    let host = try Host([try .memory()]) { $0.namespaceLimit = 2 }
    #expect(host.controller.setNamespace(2, try .memory()))
    for nsid: UInt32 in [0, 3, UInt32.max] { #expect(!host.controller.setNamespace(nsid, try .memory())) }
  }

  @Test func comingAndGoing() throws {
    let host = try Host([try .memory()])
    try host.createQueuePair()
    let data = host.ram.allocate()
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 0, blocks: 8, data)).status == .invalidField)
    host.controller.setNamespace(2, try .memory(1 << 20, .bytes4096))
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 255, blocks: 1, data)).status == .success)
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 256, blocks: 1, data)).status == .lbaOutOfRange)
    // Larger, and with other blocks.
    host.controller.setNamespace(2, try .memory(2 << 20))
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 4095, blocks: 1, data)).status == .success)
    host.controller.setNamespace(2, nil)
    #expect(try host.io(.transfer(.read, nsid: 2, slba: 0, blocks: 8, data)).status == .invalidField)
    #expect(try host.io(.transfer(.read, slba: 0, blocks: 8, data)).status == .success)
  }

  /// They outlive resets of the controller.
  @Test func afterAReset() throws {
    let host = try Host([try .memory()])
    host.controller.setNamespace(2, try .memory())
    host.controller.setNamespace(1, nil)
    try host.disable()
    try host.enable()
    try host.createQueuePair()
    #expect(try host.io(.flush(nsid: 2)).status == .success)
    #expect(try host.io(.flush(nsid: 1)).status == .invalidField)
  }
}
