import Glibc
import LinuxIO
import VFIOUser

/// The vfio-user connection of a host. Any thread: messages wait for each other.
public final class HostConnection: Sendable {
  private let client: Locked<ClientConnection?>

  init(_ client: consuming ClientConnection) { self.client = Locked(client) }

  /// Runs calls of the protocol, whatever they are: to go beyond what a host does, or to send what no host may.
  ///
  /// - Throws: `message` for what `body` throws, `disconnected`.
  @discardableResult
  public func withClient<Result: ~Copyable>(
    _ body: (inout ClientConnection) throws(Errno) -> Result
  ) throws(HostError) -> Result {
    try client.withLock { (slot) throws(HostError) in
      guard var client = slot.take() else { throw .disconnected }
      do throws(Errno) {
        let result = try body(&client)
        slot = consume client
        return result
      } catch {
        slot = consume client
        throw .message(error)
      }
    }
  }

  /// Closes the socket at once, whatever is under way: as a VMM that is killed.
  public func close() {
    client.withLock { client in
      // A process that is just being started from here has a copy of the descriptor until it runs its program.
      if let descriptor = client?.descriptor { shutdown(descriptor, Int32(SHUT_RDWR)) }
      client = nil
    }
  }

  /// Announces a range of the memory's file (DMA_MAP).
  func map(
    _ range: DMARange, of memory: HostMemory, flags: DMAMap.Flags = [.read, .write]
  ) throws(HostError) {
    let map = DMAMap(flags: flags, fileOffset: range.fileOffset, address: range.iova, length: range.byteCount)
    try withClient { (client) throws(Errno) in try client.dmaMap(map, descriptor: memory.descriptor) }
  }
}
