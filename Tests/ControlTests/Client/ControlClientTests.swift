import Glibc
import LinuxIO
import Testing

@testable import Control

@Suite struct ControlClientTests {
  private struct Value: Encodable { let value: [String: Int] }

  @Test func givesResults() throws {
    let server = try TestServer()
    var client = try ControlClient(path: server.path)
    #expect(try client.call("count", returning: Int.self) == 1)
    #expect(try client.call("echo", Value(value: ["a": 1]), returning: JSONValue.self) == .object(["a": .integer(1)]))
    let null = try FileDescriptor(path: "/dev/null", flags: O_RDWR)
    let inode = UInt64(try null.status().st_ino)
    #expect(try client.call("take", descriptors: [null.rawValue], returning: [UInt64].self) == [inode])
    server.stop()
  }

  @Test func tellsWhyNot() throws {
    let server = try TestServer()
    var client = try ControlClient(path: server.path)
    do throws(ControlClientError) {
      _ = try client.call("none", returning: Int.self)
      Issue.record("a method that is not there was called")
    } catch {
      guard case .refused(let refusal) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(refusal.code == .methodNotFound)
    }
    // The reply is another one than was asked for.
    do throws(ControlClientError) {
      _ = try client.call("count", returning: String.self)
      Issue.record("a number is no text")
    } catch { #expect("\(error)".contains("another version")) }
    server.stop()
    do throws(ControlClientError) {
      _ = try client.call("count", returning: Int.self)
      Issue.record("nobody is there")
    } catch {
      guard case .broken = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func saysWhereItCannotConnect() throws {
    do throws(ControlClientError) {
      _ = try ControlClient(path: "/nowhere/socket")
      Issue.record("there is nothing to connect to")
    } catch {
      #expect(error == .cannotConnect(path: "/nowhere/socket", .noSuchFile))
      #expect("\(error)".hasPrefix("/nowhere/socket: there is no control socket"))
    }
  }
}
