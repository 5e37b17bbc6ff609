import CLinux
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

/// The I/O commands: NVM Command Set specification 1.0, section 3.2.
extension ControllerPort {
  /// OPC, FUSE and PSDT of command dword 0.
  private static var kindMask: UInt32 { 0xC3FF }

  /// Checks a command and begins it in the request slot `index`.
  ///
  /// - Returns: its status where it is finished already; nil where it goes on, in the slot.
  @inline(__always)
  static func begin(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ memory: inout MemoryMap,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>, _ owners: borrowing FixedTable<Namespace?>,
    _ counters: PortCounters.Writer, writeThrough: Bool, maximumTransfer: UInt64, _ resources: inout IOResources
  ) -> Status? {
    // Reads and writes by PRPs are most of what there is: known at one look, and done in line.
    switch command.cdw0 & kindMask {
    case UInt32(NVMOpcode.read.rawValue):
      return transfer(
        command, index, from: origin, isWrite: false, usesPRPs: true, &memory, namespaces, counters,
        writeThrough: writeThrough, maximumTransfer: maximumTransfer, &resources)
    case UInt32(NVMOpcode.write.rawValue):
      return transfer(
        command, index, from: origin, isWrite: true, usesPRPs: true, &memory, namespaces, counters,
        writeThrough: writeThrough, maximumTransfer: maximumTransfer, &resources)
    default:
      return beginOther(
        command, index, from: origin, &memory, namespaces, owners, counters, writeThrough: writeThrough,
        maximumTransfer: maximumTransfer, &resources)
    }
  }

  /// All other commands, and those that are none.
  @inline(never)
  private static func beginOther(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ memory: inout MemoryMap,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>, _ owners: borrowing FixedTable<Namespace?>,
    _ counters: PortCounters.Writer, writeThrough: Bool, maximumTransfer: UInt64, _ resources: inout IOResources
  ) -> Status? {
    guard let opcode = NVMOpcode(rawValue: command.opcode) else { return .invalidOpcode }
    // No fused operation is supported (FUSES 0), and PSDT 11b is reserved.
    guard command.fused == 0, command.dataTransferType != 3 else { return .invalidField }
    switch opcode {
    case .read, .write:
      return transfer(
        command, index, from: origin, isWrite: opcode == .write, usesPRPs: false, &memory, namespaces, counters,
        writeThrough: writeThrough, maximumTransfer: maximumTransfer, &resources)
    case .compare, .verify, .flush, .writeZeroes, .datasetManagement: break
    default: return .invalidOpcode
    }
    if opcode == .flush, command.namespaceIdentifier == UInt32.max {
      return flushAll(command, index, from: origin, namespaces, owners, counters, &resources)
    }
    let place = Int(command.namespaceIdentifier) &- 1
    guard namespaces.has(place) else { return .invalidNamespace }
    guard namespaces[place].isActive else { return .invalidField }
    switch opcode {
    case .compare:
      return compare(
        command, index, from: origin, namespaces[place], &memory, counters, maximumTransfer: maximumTransfer, &resources
      )
    case .verify:
      return verify(
        command, index, from: origin, namespaces[place], counters, maximumTransfer: maximumTransfer, &resources)
    case .flush:
      return flush(command, index, from: origin, place, namespaces[place], owners, counters, &resources)
    case .writeZeroes:
      return writeZeroes(
        command, index, from: origin, place, namespaces[place], owners, counters,
        dataSync: writeThrough || command.forceUnitAccess,
        &resources)
    default:
      return deallocate(
        command, index, from: origin, place, namespaces[place], owners, &memory, counters, &resources)
    }
  }

  /// Checks the LBA range of a command; nil where it is inside the namespace and within MDTS.
  @inline(__always)
  private static func checkRange(
    _ command: SubmissionQueueEntry, _ namespace: NamespaceGeometry, maximumTransfer: UInt64
  ) -> Status? {
    let count = UInt64(command.numberOfLogicalBlocks)
    guard count &<< namespace.blockShift <= maximumTransfer else { return .invalidField }
    guard count <= namespace.blockCount, command.slba <= namespace.blockCount &- count else { return .lbaOutOfRange }
    return nil
  }

  /// Translates the data pointer of a command into the segment array of its slot.
  @inline(__always)
  private static func translate(
    _ command: SubmissionQueueEntry, usesPRPs: Bool = false, length: UInt64, access: MemoryRegion.Access,
    _ memory: inout MemoryMap, _ segments: inout SegmentList, bitBucket: UnsafeMutableRawPointer
  ) -> Status {
    if usesPRPs || command.dataTransferType == 0 {
      return PRPWalk.translate(
        prp1: command.prp1, prp2: command.prp2, length: length, access: access, memory: &memory, into: &segments)
    }
    return unsafe SGLWalk.translate(
      command.sgl, length: length, access: access, memory: &memory, bitBucket: bitBucket, into: &segments)
  }

  /// Read and Write.
  ///
  /// - Parameter usesPRPs: whether it is known that the command does.
  @inline(__always)
  private static func transfer(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, isWrite: Bool, usesPRPs: Bool,
    _ memory: inout MemoryMap,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>, _ counters: PortCounters.Writer, writeThrough: Bool,
    maximumTransfer: UInt64, _ resources: inout IOResources
  ) -> Status? {
    let place = Int(command.namespaceIdentifier) &- 1
    guard namespaces.has(place) else { return .invalidNamespace }
    guard namespaces[place].isActive else { return .invalidField }
    if isWrite, namespaces[place].isReadOnly { return .namespaceWriteProtected }
    if let status = checkRange(command, namespaces[place], maximumTransfer: maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) &<< namespaces[place].blockShift
    let offset = command.slba &<< namespaces[place].blockShift
    let base = unsafe resources.requests.segmentBase(index)
    var segments = unsafe SegmentList(base, capacity: RequestTable.segmentCapacity)
    let status = unsafe translate(
      command, usesPRPs: usesPRPs, length: length, access: isWrite ? .read : .write, &memory, &segments,
      bitBucket: resources.bitBucket.base)
    if status != .success { return status }
    let operation: Request.Operation = isWrite ? .write : .read
    switch namespaces[place].backend {
    case .null:
      break
    case .memory(let memory, let count):
      guard offset <= UInt64(count), length <= UInt64(count) &- offset else { return .internalError }
      unsafe copy(base, segments.count, memory + Int(offset), toGuest: !isWrite)
      resources.noteMoved(Int(length))
    case .file(let fd):
      let isForced = isWrite && (writeThrough || command.forceUnitAccess)
      let dataSync = isForced && !namespaces[place].isBuffered
      let cookie = resources.requests.begin(
        index, operation, command, from: origin, offset: offset, length: length, segmentCount: segments.count,
        dataSync: dataSync)
      if isForced != dataSync { resources.requests[index].syncsAfter = true }
      let mask = isWrite ? namespaces[place].writeAlignmentMask : namespaces[place].alignmentMask
      if segments.alignmentBits & mask == 0 {
        unsafe prepare(
          index, fd, operation, base, segments.count, offset: offset,
          cookie: cookie, dataSync: dataSync, &resources)
      } else {
        bounceOrWait(index, fd, &resources)
      }
      return nil
    }
    counters.count(operation, length, .none)
    return .success
  }

  /// Adds what is left of a request's transfer to the aio batch.
  static func submit(_ index: Int, _ fd: Int32, _ resources: inout IOResources) {
    let cookie = resources.requests.cookie(index)
    let request = resources.requests[index]
    let base = unsafe resources.requests.segmentBase(index)
    let first: UnsafeMutablePointer<iovec>
    let count: Int
    if request.bounce >= 0 {
      // The range before the guest's ranges describes the bounce buffer.
      unsafe first = resources.requests.bounceSegment(index)
      count = 1
    } else {
      unsafe first = base + request.firstSegment
      count = request.segmentCount &- request.firstSegment
    }
    unsafe prepare(
      index, fd, request.operation, first, count, offset: request.offset &+ request.done, cookie: cookie,
      dataSync: request.dataSync, &resources)
  }

  /// Adds a transfer to the aio batch.
  @inline(__always)
  private static func prepare(
    _ index: Int, _ fd: Int32, _ operation: Request.Operation, _ segments: UnsafeMutablePointer<iovec>, _ count: Int,
    offset: UInt64, cookie: UInt64, dataSync: Bool, _ resources: inout IOResources
  ) {
    let offset = Int64(truncatingIfNeeded: offset)
    if operation == .write {
      unsafe resources.aio.prepareWrite(
        slot: index, fd: fd, iovecs: segments, count: count, offset: offset, cookie: cookie, dataSync: dataSync)
    } else {
      unsafe resources.aio.prepareRead(
        slot: index, fd: fd, iovecs: segments, count: count, offset: offset, cookie: cookie)
    }
  }

  /// Sends a request through a bounce buffer, or lets it wait for one.
  @inline(never)
  static func bounceOrWait(_ index: Int, _ fd: Int32, _ resources: inout IOResources) {
    guard let buffer = resources.takeBounce(for: index) else {
      resources.requests[index].state = .waiting
      resources.wait(index)
      return
    }
    resources.requests[index].state = .submitted
    resources.requests[index].bounce = buffer
    let length = Int(resources.requests[index].length)
    let address = unsafe resources.bounce.address(of: buffer)
    if resources.requests[index].operation == .write {
      unsafe copy(
        resources.requests.segmentBase(index), resources.requests[index].segmentCount, address, toGuest: false)
    }
    unsafe resources.requests.bounceSegment(index).initialize(to: iovec(iov_base: address, iov_len: length))
    submit(index, fd, &resources)
  }

  /// Copies between the guest's ranges and contiguous memory, each byte once.
  static func copy(
    _ segments: UnsafeMutablePointer<iovec>, _ count: Int, _ memory: UnsafeMutableRawPointer, toGuest: Bool
  ) {
    var done = 0
    for index in 0..<count {
      let segment = unsafe segments[index]
      guard let base = unsafe segment.iov_base else { return }
      if toGuest {
        unsafe clinux_copy_shared(base, memory + done, segment.iov_len)
      } else {
        unsafe clinux_copy_shared(memory + done, base, segment.iov_len)
      }
      done &+= unsafe segment.iov_len
    }
  }

  /// Whether the guest's ranges hold the same bytes as `memory`.
  static func isEqual(
    _ segments: UnsafeMutablePointer<iovec>, _ count: Int, _ memory: UnsafeMutableRawPointer
  ) -> Bool {
    var done = 0
    for index in 0..<count {
      let segment = unsafe segments[index]
      guard let base = unsafe segment.iov_base else { return false }
      if unsafe !clinux_is_equal_shared(base, memory + done, segment.iov_len) { return false }
      done &+= unsafe segment.iov_len
    }
    return true
  }

  // MARK: Commands off the fast path

  /// Compare: reads into private memory, then compares; the guest's memory is read once.
  @inline(never)
  private static func compare(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ namespace: NamespaceGeometry,
    _ memory: inout MemoryMap, _ counters: PortCounters.Writer, maximumTransfer: UInt64,
    _ resources: inout IOResources
  ) -> Status? {
    if let status = checkRange(command, namespace, maximumTransfer: maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) &<< namespace.blockShift
    let offset = command.slba &<< namespace.blockShift
    var segments = resources.requests.emptySegments(index)
    let status = unsafe translate(
      command, length: length, access: .read, &memory, &segments, bitBucket: resources.bitBucket.base)
    if status != .success { return status }
    switch namespace.backend {
    case .null: break
    case .memory(let base, let count):
      guard offset <= UInt64(count), length <= UInt64(count) &- offset else { return .internalError }
      resources.noteMoved(Int(length))
      guard unsafe isEqual(resources.requests.segmentBase(index), segments.count, base + Int(offset)) else {
        return .compareFailure
      }
    case .file(let fd):
      _ = resources.requests.begin(
        index, .compare, command, from: origin, offset: offset, length: length, segmentCount: segments.count)
      bounceOrWait(index, fd, &resources)
      return nil
    }
    counters.count(.compare, length, .none)
    return .success
  }

  /// Verify: reads and forgets.
  @inline(never)
  private static func verify(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ namespace: NamespaceGeometry,
    _ counters: PortCounters.Writer, maximumTransfer: UInt64, _ resources: inout IOResources
  ) -> Status? {
    if let status = checkRange(command, namespace, maximumTransfer: maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) &<< namespace.blockShift
    guard case .file(let fd) = namespace.backend else {
      counters.count(.verify, length, .none)
      return .success
    }
    let offset = command.slba &<< namespace.blockShift
    _ = resources.requests.begin(index, .verify, command, from: origin, offset: offset, length: length)
    bounceOrWait(index, fd, &resources)
    return nil
  }

  /// Flush of one namespace.
  @inline(never)
  private static func flush(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ place: Int,
    _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ counters: PortCounters.Writer, _ resources: inout IOResources
  ) -> Status? {
    guard case .file(let fd) = namespace.backend else {
      counters.count(.flush, 0, .none)
      return .success
    }
    if let owner = owners[place], owner.writeCacheFailed { return .writeFault }
    _ = resources.requests.begin(index, .flush, command, from: origin, offset: 0, length: 0)
    resources.requests[index].namespace = place
    // The namespaces after this one are flushed in turn where the command means all of them.
    resources.requests[index].flushesAll = command.namespaceIdentifier == UInt32.max
    guard beginSync(index, fd, owners[place], byWorker: namespace.isBuffered, &resources) else {
      resources.requests.release(index)
      return .commandInterrupted
    }
    return nil
  }

  /// Has the kernel, or a worker, make the image of a request's namespace durable.
  ///
  /// - Returns: false where no worker takes it.
  static func beginSync(
    _ index: Int, _ fd: Int32, _ owner: Namespace?, byWorker: Bool, _ resources: inout IOResources
  ) -> Bool {
    let cookie = resources.requests.cookie(index)
    guard byWorker, let image = owner?.backend.image else {
      resources.requests[index].state = .submitted
      resources.aio.prepareDataSync(slot: index, fd: fd, cookie: cookie)
      return true
    }
    resources.requests[index].state = .working
    return resources.work(StorageJob(token: cookie, image: image, operation: .flush), for: index)
  }

  /// Flush of all namespaces (VWC.FNVMBS 11b): begins with the first that has something to flush.
  @inline(never)
  private static func flushAll(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>,
    _ owners: borrowing FixedTable<Namespace?>, _ counters: PortCounters.Writer, _ resources: inout IOResources
  ) -> Status? {
    for place in 0..<namespaces.count where namespaces[place].isActive {
      guard case .file = namespaces[place].backend else { continue }
      return flush(command, index, from: origin, place, namespaces[place], owners, counters, &resources)
    }
    counters.count(.flush, 0, .none)
    return .success
  }

  /// Write Zeroes; DEAC deallocates. Not bound by MDTS, as nothing is transferred.
  @inline(never)
  private static func writeZeroes(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ place: Int,
    _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ counters: PortCounters.Writer, dataSync: Bool,
    _ resources: inout IOResources
  ) -> Status? {
    if namespace.isReadOnly { return .namespaceWriteProtected }
    if let status = checkRange(command, namespace, maximumTransfer: UInt64.max) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) &<< namespace.blockShift
    let offset = command.slba &<< namespace.blockShift
    guard let owner = owners[place] else { return .internalError }
    let deallocates = command.cdw12 & (1 << 25) != 0 && owner.discards
    let operation = StorageJob.Operation.writeZeroes(
      ByteRange(offset: offset, count: length), deallocate: deallocates, dataSync: dataSync)
    let status = work(operation, command, .zero, offset: offset, index, from: origin, owner, namespace, &resources)
    if status == .success { counters.count(.zero, 0, .none) }
    return status
  }

  /// Dataset Management: deallocation of up to 256 ranges; other attributes are hints without effect.
  @inline(never)
  private static func deallocate(
    _ command: SubmissionQueueEntry, _ index: Int, from origin: Request.Origin, _ place: Int,
    _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ memory: inout MemoryMap, _ counters: PortCounters.Writer,
    _ resources: inout IOResources
  ) -> Status? {
    if namespace.isReadOnly { return .namespaceWriteProtected }
    let count = Int(command.cdw10 & 0xff) + 1
    var segments = resources.requests.emptySegments(index)
    let status = unsafe translate(
      command, length: UInt64(count * 16), access: .read, &memory, &segments, bitBucket: resources.bitBucket.base)
    if status != .success { return status }
    // One private copy; the guest may change its own meanwhile.
    let words = unsafe withUnsafeTemporaryAllocation(byteCount: count * 16, alignment: 16) { buffer -> [UInt64] in
      guard let base = buffer.baseAddress else { return [] }
      unsafe copy(resources.requests.segmentBase(index), segments.count, base, toGuest: false)
      return unsafe Array(buffer.bindMemory(to: UInt64.self))
    }
    var ranges: [ByteRange] = []
    for range in stride(from: 0, to: words.count - 1, by: 2) {
      let blocks = words[range] >> 32
      let slba = words[range + 1]
      guard blocks <= namespace.blockCount, slba <= namespace.blockCount - blocks else { return .lbaOutOfRange }
      if blocks > 0 {
        ranges.append(ByteRange(offset: slba << namespace.blockShift, count: blocks << namespace.blockShift))
      }
    }
    // AD: the only attribute that asks for anything.
    guard command.cdw11 & 4 != 0, let owner = owners[place], owner.discards, !ranges.isEmpty else {
      counters.count(.deallocate, 0, .none)
      return .success
    }
    let result = work(
      .deallocate(ranges), command, .deallocate, offset: 0, index, from: origin, owner, namespace, &resources)
    if result == .success { counters.count(.deallocate, 0, .none) }
    return result
  }

  /// Does what needs no disk at once, and gives the rest to a worker thread.
  private static func work(
    _ job: StorageJob.Operation, _ command: SubmissionQueueEntry, _ operation: Request.Operation, offset: UInt64,
    _ index: Int, from origin: Request.Origin, _ owner: Namespace, _ namespace: NamespaceGeometry,
    _ resources: inout IOResources
  ) -> Status? {
    guard let image = owner.backend.image else {
      resources.noteMoved(job.byteCount)
      return BlockBackend.perform(job, on: namespace.backend).map { Status($0, during: .deallocate) } ?? .success
    }
    let cookie = resources.requests.begin(index, operation, command, from: origin, offset: offset, length: 0)
    resources.requests[index].state = .working
    let job = StorageJob(token: cookie, image: image, operation: job)
    guard resources.work(job, for: index) else {
      resources.requests.release(index)
      return .commandInterrupted
    }
    return nil
  }
}
