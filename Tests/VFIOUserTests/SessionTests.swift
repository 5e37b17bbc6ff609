import LinuxIO
import Testing

@testable import VFIOUser

/// Version and capabilities, with what real clients send.
@Suite struct SessionTests {
  private func negotiate(
    _ payload: [UInt8], descriptors: Int = 0
  ) throws(Errno) -> (session: Session, reply: VersionMessage) {
    try Session.negotiate(payload.span, descriptorCount: descriptors, server: .server)
  }

  private func payload(minor: UInt16, _ json: String?) -> [UInt8] {
    var bytes: [UInt8] = []
    VersionMessage(minor: minor, json: json.map { Array($0.utf8) }).encode(to: &bytes)
    return bytes
  }

  @Test func ourOwnTextIsShortAndReadable() throws {
    let text = String(decoding: Capabilities.server.json, as: UTF8.self)
    #expect(
      text
        == "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"max_dma_maps\":16384,\"pgsizes\":4096,"
        + "\"write_multiple\":true}}")
    #expect(try Capabilities(json: Capabilities.server.json) == .server)
    #expect(try Capabilities(json: Capabilities().json) == Capabilities())
    // QEMU reads the reply into the buffer of its request, which is 214 bytes long.
    #expect(MessageHeader.size + payload(minor: 0, text).count == 143)
  }

  @Test func qemu() throws {
    let request = payload(minor: 0, qemuJSON)
    #expect(MessageHeader.size + request.count == 214)
    let (session, reply) = try negotiate(request)
    #expect(session.minor == 0)
    #expect(session.client.maxMessageFDs == 16)
    #expect(session.client.maxDataTransferSize == 1_048_576)
    #expect(session.client.maxDMAMaps == 65535)
    #expect(session.client.pageSizes == 4096)
    #expect(session.writeMultiple)
    #expect(!session.client.twinSocket)
    #expect(session.maxReplyDescriptors == 16)
    #expect(reply == VersionMessage(major: 0, minor: 0, json: Capabilities.server.json))
  }

  @Test func cloudHypervisor() throws {
    let json = "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}}}"
    let (session, reply) = try negotiate(payload(minor: 1, json))
    #expect(session.minor == 1)
    #expect(session.maxReplyDescriptors == 1)
    #expect(!session.writeMultiple)
    #expect(reply == VersionMessage(major: 0, minor: 1, json: Capabilities.server.json))
  }

  @Test func spdkHost() throws {
    let request = hex("00 00 01 00")
    let (session, reply) = try negotiate(request)
    #expect(session.client == Capabilities())
    #expect(session.minor == 1)
    #expect(session.maxReplyDescriptors == 1)
    #expect(reply.json == Capabilities.server.json)
  }

  @Test func alioth() throws {
    let (session, reply) = try negotiate(
      payload(minor: 2, "{\"capabilities\":{\"max_fds\":32,\"max_data_xfer_size\":1048576}}"))
    #expect(session.minor == 1)
    #expect(reply.minor == 1)
    #expect(session.client.maxMessageFDs == 1)
  }

  @Test func defaultsAndUnknownKeys() throws {
    #expect(try Capabilities(json: Array("{}".utf8)) == Capabilities())
    #expect(try Capabilities(json: Array("{\"capabilities\":{}}".utf8)) == Capabilities())
    let text = "{\"x\":[-1.5e3],\"capabilities\":{\"migration\":null,\"future\":{\"deep\":[{}]},\"max_msg_fds\":1024}}"
    #expect(try Capabilities(json: Array(text.utf8)).maxMessageFDs == 1024)
    let twin = "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0},\"max_msg_fds\":300}}"
    let capabilities = try Capabilities(json: Array(twin.utf8))
    #expect(capabilities.twinSocket)
    // The kernel takes no more with one message.
    #expect(Session(minor: 0, client: capabilities, server: .server).maxReplyDescriptors == 253)
  }

  @Test(arguments: [
    "[]", "1", "null", "\"capabilities\"", "{\"capabilities\":null}", "{\"capabilities\":[]}", "{\"capabilities\":1}",
    "{\"capabilities\":{\"max_msg_fds\":-1}}", "{\"capabilities\":{\"max_msg_fds\":1.0}}",
    "{\"capabilities\":{\"max_msg_fds\":1e1}}", "{\"capabilities\":{\"max_msg_fds\":\"16\"}}",
    "{\"capabilities\":{\"max_msg_fds\":true}}", "{\"capabilities\":{\"max_msg_fds\":null}}",
    "{\"capabilities\":{\"max_msg_fds\":1025}}", "{\"capabilities\":{\"max_msg_fds\":18446744073709551616}}",
    "{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":1}}", "{\"capabilities\":{},\"capabilities\":{}}",
    "{\"capabilities\":{\"max_data_xfer_size\":-1048576}}", "{\"capabilities\":{\"max_dma_maps\":0.5}}",
    "{\"capabilities\":{\"pgsizes\":[4096]}}", "{\"capabilities\":{\"write_multiple\":1}}",
    "{\"capabilities\":{\"twin_socket\":true}}", "{\"capabilities\":{\"twin_socket\":{\"supported\":1}}}", "",
  ]) func refusesCapabilitiesOfTheWrongType(json: String) {
    #expect(throws: Errno.invalidArgument) { _ = try negotiate(payload(minor: 0, json)) }
  }

  @Test func refusesMalformedMessages() {
    let text = Array("{}".utf8)
    for bad in [
      [], [0], [0, 0, 0],  // Shorter than the numbers.
      [0, 0, 0, 0] + text,  // No NUL.
      [0, 0, 0, 0] + text + [0, 0],  // One more.
      [0, 0, 0, 0, 0x7b, 0, 0x7d, 0],  // One inside.
      [1, 0, 0, 0] + text + [0], [0xff, 0xff, 0, 0],  // Another major version.
      [0, 0, 0, 0] + text + [UInt8](repeating: 0x20, count: 4090) + [0],  // Longer than 4 KiB.
    ] as [[UInt8]] {
      #expect(throws: Errno.invalidArgument, "\(bad.prefix(16))") { _ = try negotiate(bad) }
    }
    let largest = [0, 0, 0, 0] + text + [UInt8](repeating: 0x20, count: 4089) + [0]
    #expect(largest.count == Limits.versionPayload)
    #expect(throws: Never.self) { _ = try negotiate(largest) }
    #expect(throws: Errno.invalidArgument) { _ = try negotiate(hex("00 00 00 00"), descriptors: 1) }
  }
}
