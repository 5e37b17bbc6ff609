import Glibc
import LinuxIO
import NVMeSpec
import Testing
import VFIOUser

@testable import NVMeHost

/// A server that answers every message and writes down what it was asked. It knows registers and configuration space,
/// but processes no queues.
final class ScriptedServer: Sendable {
  /// What it is like.
  struct Behaviour: Sendable {
    /// The doorbells with a slot, by their offset in BAR0; the place of a slot in its file is the index times 8.
    var slots: [UInt64] = [0x1000, 0x1004, 0x1008]
    /// Bytes of the file of the slots.
    var slotFileSize = 4096
    /// Whether the doorbell page of BAR0 can be mapped.
    var offersPage = false
    var vectors: UInt32 = 33
    /// CAP: 256 entries, a time-out of 0.
    var capabilities: UInt64 = 0x0000_0020_0001_00FF
    var becomesReady = true
    var failsToEnable = false
    var refusesMaps = false
    var messageFDs: UInt64 = 16
  }

  private struct State: ~Copyable {
    var log: [String] = []
    var registers: [UInt64: UInt32] = [:]
    var configuration = [UInt8](repeating: 0, count: 256)
    var vectors: [Int: EventFDHolder] = [:]
  }

  private final class EventFDHolder: Sendable {
    let event: EventFD
    init(_ event: consuming EventFD) { self.event = event }
  }

  let behaviour: Behaviour
  let memory: SharedMemory
  let event: EventFD
  private let state: Locked<State>
  private let client: Locked<FileDescriptor?>
  private let thread = Locked<Thread?>(nil)

  init(_ behaviour: Behaviour = Behaviour()) throws {
    self.behaviour = behaviour
    memory = try SharedMemory(name: "slots", count: behaviour.slotFileSize)
    event = try EventFD()
    var state = State()
    state.registers = [
      0: UInt32(truncatingIfNeeded: behaviour.capabilities), 4: UInt32(behaviour.capabilities >> 32), 8: 0x10400,
    ]
    // A PCI Express capability at 40h, then MSI-X at 70h.
    state.configuration[0x34] = 0x40
    state.configuration[0x40] = 0x10
    state.configuration[0x41] = 0x70
    state.configuration[0x70] = 0x11
    self.state = Locked(state)
    let pair = try UnixSocketPair()
    client = Locked(try pair.first.duplicate())
    var capabilities = Capabilities.server
    capabilities.maxMessageFDs = behaviour.messageFDs
    let handover = Handover(ServerConnection(try pair.second.duplicate(), capabilities: capabilities))
    thread.withLock { $0 = try? Thread(name: "scripted server") { handover.serve(self) } }
  }

  /// Hands the connection to the thread that serves it.
  private final class Handover: Sendable {
    private let connection: Locked<ServerConnection?>

    init(_ connection: consuming ServerConnection) { self.connection = Locked(connection) }

    func serve(_ server: ScriptedServer) {
      guard var connection = connection.withLock({ $0.take() }) else { return }
      while true {
        switch connection.receive() {
        case .wouldBlock:
          var entry = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
          _ = unsafe poll(&entry, 1, -1)
        case .negotiated: break
        case .message: server.answer(&connection)
        case .closed, .failed: return
        }
      }
    }
  }

  /// A host connected to it.
  func host(_ memory: HostMemory? = nil, _ options: HostOptions = HostOptions()) throws -> HostController {
    guard let socket = client.withLock({ $0.take() }) else { throw HostError.disconnected }
    return try HostController(socket: socket, memory: memory ?? HostMemory(byteCount: 1 << 20), options: options)
  }

  /// What it was asked, from the first on or since the last call. A message that was sent without wanting a reply may not
  /// be there yet.
  func takeLog() -> [String] {
    state.withLock { state in
      defer { state.log = [] }
      return state.log
    }
  }

  /// Waits until the connection has ended.
  func finish() { thread.withLock { $0.take() }?.join() }

  /// Fires a vector; false where it has no eventfd.
  func fire(_ vector: Int) -> Bool {
    state.withLock { state in
      state.vectors[vector]?.event.signal()
      return state.vectors[vector] != nil
    }
  }

  /// Two bytes of configuration space.
  func configuration16(at offset: Int) -> UInt16 {
    state.withLock { UInt16($0.configuration[offset]) | UInt16($0.configuration[offset + 1]) << 8 }
  }

  private func note(_ line: String) { state.withLock { $0.log.append(line) } }

  private func answer(_ connection: inout ServerConnection) {
    do throws(Errno) {
      let request = try connection.request()
      var descriptors = connection.takeDescriptors()
      let posted = connection.header.wantsNoReply ? " posted" : ""
      switch request {
      case .dmaMap(let map):
        let first = firstByte(of: descriptors.take(0), at: map.fileOffset)
        note(
          "map \(hex(map.address))+\(hex(map.length)) file \(hex(map.fileOffset)) flags \(map.flags.rawValue) \(first)")
        connection.reply(behaviour.refusesMaps ? .error(.noSpace) : .done)
      case .dmaUnmap(let unmap):
        note("unmap \(hex(unmap.address))+\(hex(unmap.length)) flags \(unmap.flags.rawValue)")
        connection.reply(.dmaUnmap(unmap))
      case .deviceGetInfo:
        note("info")
        connection.reply(.deviceInfo(DeviceInfo()))
      case .deviceGetRegionInfo(let query):
        note("region \(query.index)")
        let page = behaviour.offersPage && query.index == .bar0
        connection.reply(
          .regionInfo(
            RegionInfo(
              index: query.index, flags: page ? [.read, .write, .mmap] : [.read, .write], length: 0x4000,
              areas: page ? [SparseMmapArea(offset: 0x1000, length: 0x1000)] : []), room: query.room),
          descriptors: [pageFile])
      case .deviceGetRegionIOFDs(let query):
        note("io fds \(query.index)")
        let entries = behaviour.slots.enumerated().map { index, offset in
          IOFDEntry(
            kind: .shadow, offset: offset, length: 4, descriptorIndex: 1, shadowDescriptorIndex: 0,
            shadowOffset: UInt64(index) * 8)
        }
        connection.reply(
          .regionIOFDs(RegionIOFDs(index: query.index, entries: entries), room: query.room),
          descriptors: [memory.descriptor.rawValue, event.rawValue])
      case .deviceGetIRQInfo(let index):
        connection.reply(.irqInfo(IRQInfo(index: index, flags: .eventFD, count: behaviour.vectors)))
      case .deviceSetIRQs(let set):
        note("irqs \(set.index) \(set.range) \(set.data)")
        if set.isDisable { state.withLock { $0.vectors = [:] } }
        for index in 0..<descriptors.count {
          guard let descriptor = descriptors.take(index) else { continue }
          let holder = EventFDHolder(try EventFD(adopting: descriptor))
          state.withLock { $0.vectors[Int(set.start) + index] = holder }
        }
        connection.reply(.done)
      case .regionRead(let access):
        connection.reply(.regionRead(access, read(access)))
      case .regionWrite(let write):
        note("write \(write.access.region) \(hex(write.access.offset)) \(hex(write.data.value))\(posted)")
        self.write(write)
        connection.reply(.regionWrite(write.access))
      case .deviceReset:
        note("reset")
        connection.reply(.done)
      default: throw .notSupported
      }
    } catch {
      connection.reply(.error(error))
    }
  }

  /// The file that stands for the doorbell page: the region's offset in it is 0, so the page lies at 1000h.
  private var pageFile: Int32 { memory.descriptor.rawValue }

  private func firstByte(of file: consuming FileDescriptor?, at offset: UInt64) -> String {
    guard let file = consume file else { return "no fd" }
    guard let mapping = try? MemoryMapping(fd: file.rawValue, offset: Int64(offset), count: 4096, .read) else {
      return "unmappable"
    }
    return unsafe "byte \(mapping.base.load(as: UInt8.self))"
  }

  private func read(_ access: RegionAccess) -> RegionData {
    state.withLock { state in
      if access.region == .config {
        let start = Int(access.offset)
        return RegionData([UInt8](state.configuration[start..<start + Int(access.count)]))
      }
      let low = UInt64(state.registers[access.offset] ?? 0)
      let high = UInt64(state.registers[access.offset + 4] ?? 0)
      return RegionData(low | high << 32, count: Int(access.count))
    }
  }

  private func write(_ write: RegionWrite) {
    state.withLock { state in
      if write.access.region == .config {
        for (index, byte) in write.data.bytes.enumerated() {
          state.configuration[Int(write.access.offset) + index] = byte
        }
        return
      }
      state.registers[write.access.offset] = UInt32(truncatingIfNeeded: write.data.value)
      if write.access.count == 8 { state.registers[write.access.offset + 4] = UInt32(write.data.value >> 32) }
      guard write.access.offset == ControllerRegister.configuration else { return }
      let configuration = ControllerConfiguration(rawValue: UInt32(truncatingIfNeeded: write.data.value))
      var status = ControllerStatus()
      status.ready = configuration.enable && behaviour.becomesReady
      status.controllerFatalStatus = configuration.enable && behaviour.failsToEnable
      if configuration.shutdownNotification != .none { status.shutdownStatus = .complete }
      state.registers[ControllerRegister.status] = status.rawValue
    }
  }
}

func hex(_ value: UInt64) -> String { String(value, radix: 16) }
