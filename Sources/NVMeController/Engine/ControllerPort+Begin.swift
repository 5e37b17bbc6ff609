import CLinux
import GuestMemory
import LinuxIO
import NVMeSpec
import Storage

/// The I/O commands: NVM Command Set specification 1.0, section 3.2.
extension ControllerPort {
  /// Checks a command and begins it in the request slot `index`.
  ///
  /// - Returns: its status where it is finished already; nil where it goes on, in the slot.
  @inline(__always)
  static func begin(
    _ command: SubmissionQueueEntry, _ index: Int, _ memory: inout MemoryMap,
    _ namespaces: borrowing FixedTable<NamespaceGeometry>, _ owners: borrowing FixedTable<Namespace?>,
    _ sums: inout PortCounters.Sums, writeThrough: Bool, _ description: PortDescription,
    _ resources: inout IOResources
  ) -> Status? {
    guard let opcode = NVMOpcode(rawValue: command.opcode) else { return .invalidOpcode }
    // No fused operation is supported (FUSES 0), and PSDT 11b is reserved.
    guard command.fused == 0, command.dataTransferType != 3 else { return .invalidField }
    switch opcode {
    case .read, .write, .compare, .verify, .flush, .writeZeroes, .datasetManagement: break
    default: return .invalidOpcode
    }
    if opcode == .flush, command.namespaceIdentifier == UInt32.max {
      return flushAll(command, index, namespaces, owners, &sums, &resources)
    }
    let place = Int(command.namespaceIdentifier) &- 1
    guard place >= 0, place < namespaces.count else { return .invalidNamespace }
    guard namespaces[place].isActive else { return .invalidField }
    switch opcode {
    case .read:
      return transfer(
        command, index, place, .read, namespaces[place], &memory, &sums, dataSync: false, description, &resources)
    case .write:
      if namespaces[place].isReadOnly { return .namespaceWriteProtected }
      return transfer(
        command, index, place, .write, namespaces[place], &memory, &sums,
        dataSync: writeThrough || command.forceUnitAccess, description, &resources)
    case .compare:
      return compare(command, index, place, namespaces[place], &memory, &sums, description, &resources)
    case .verify:
      return verify(command, index, place, namespaces[place], &sums, description, &resources)
    case .flush:
      return flush(command, index, place, namespaces[place], owners, &sums, &resources)
    case .writeZeroes:
      return writeZeroes(
        command, index, place, namespaces[place], owners, &sums, dataSync: writeThrough || command.forceUnitAccess,
        &resources)
    default:
      return deallocate(command, index, place, namespaces[place], owners, &memory, &resources)
    }
  }

  /// Checks the LBA range of a command; nil where it is inside the namespace and within MDTS.
  @inline(__always)
  private static func checkRange(
    _ command: SubmissionQueueEntry, _ namespace: NamespaceGeometry, maximumTransfer: UInt64
  ) -> Status? {
    let count = UInt64(command.numberOfLogicalBlocks)
    guard count << namespace.blockShift <= maximumTransfer else { return .invalidField }
    guard count <= namespace.blockCount, command.slba <= namespace.blockCount &- count else { return .lbaOutOfRange }
    return nil
  }

  /// Translates the data pointer of a command into the segment array of its slot.
  @inline(__always)
  private static func translate(
    _ command: SubmissionQueueEntry, length: UInt64, access: MemoryRegion.Access, _ memory: inout MemoryMap,
    _ segments: inout SegmentList, bitBucket: UnsafeMutableRawPointer
  ) -> Status {
    if command.dataTransferType == 0 {
      return PRPWalk.translate(
        prp1: command.prp1, prp2: command.prp2, length: length, access: access, memory: &memory, into: &segments)
    }
    return unsafe SGLWalk.translate(
      command.sgl, length: length, access: access, memory: &memory, bitBucket: bitBucket, into: &segments)
  }

  /// Read and Write.
  @inline(__always)
  private static func transfer(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ operation: Request.Operation,
    _ namespace: NamespaceGeometry, _ memory: inout MemoryMap, _ sums: inout PortCounters.Sums, dataSync: Bool,
    _ description: PortDescription, _ resources: inout IOResources
  ) -> Status? {
    if let status = checkRange(command, namespace, maximumTransfer: description.maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) << namespace.blockShift
    let offset = command.slba << namespace.blockShift
    let isRead = operation == .read
    var segments = resources.requests.emptySegments(index)
    let status = unsafe translate(
      command, length: length, access: isRead ? .write : .read, &memory, &segments,
      bitBucket: resources.bitBucket.base)
    if status != .success { return status }
    switch namespace.backend {
    case .null:
      break
    case .memory(let base, let count):
      guard offset <= UInt64(count), length <= UInt64(count) &- offset else { return .internalError }
      unsafe copy(resources.requests.segmentBase(index), segments.count, base + Int(offset), toGuest: isRead)
    case .file(let fd):
      fill(index, command, place, operation, offset: offset, length: length, segments.count, &resources)
      resources.requests[index].dataSync = dataSync
      resources.requests.take()
      if segments.alignmentBits & namespace.alignmentMask == 0 {
        submit(index, fd, &resources)
      } else {
        bounceOrWait(index, fd, &resources)
      }
      return nil
    }
    count(operation, length, &sums)
    return .success
  }

  /// Counts a finished transfer.
  @inline(__always)
  static func count(_ operation: Request.Operation, _ length: UInt64, _ sums: inout PortCounters.Sums) {
    if operation == .write {
      sums.writeCommands &+= 1
      sums.writtenBytes &+= length
    } else {
      sums.readCommands &+= 1
      sums.readBytes &+= length
    }
  }

  /// Fills a request slot.
  @inline(__always)
  private static func fill(
    _ index: Int, _ command: SubmissionQueueEntry, _ place: Int, _ operation: Request.Operation, offset: UInt64,
    length: UInt64, _ segments: Int, _ resources: inout IOResources
  ) {
    let generation = resources.requests[index].generation
    var request = Request()
    request.generation = generation
    request.operation = operation
    request.commandIdentifier = command.commandIdentifier
    request.namespace = place
    request.segmentCount = segments
    request.offset = offset
    request.length = length
    request.slba = command.slba
    request.state = .submitted
    resources.requests[index] = request
  }

  /// Adds what is left of a request's transfer to the aio batch.
  @inline(__always)
  static func submit(_ index: Int, _ fd: Int32, _ resources: inout IOResources) {
    let cookie = resources.requests.cookie(index)
    let request = resources.requests[index]
    let base = unsafe resources.requests.segmentBase(index)
    let first: UnsafePointer<iovec>
    let count: Int
    if request.bounce >= 0 {
      // The range before the guest's ranges describes the bounce buffer.
      unsafe first = UnsafePointer(resources.requests.bounceSegment(index))
      count = 1
    } else {
      unsafe first = UnsafePointer(base + request.firstSegment)
      count = request.segmentCount &- request.firstSegment
    }
    let offset = Int64(truncatingIfNeeded: request.offset &+ request.done)
    if request.operation == .write {
      unsafe resources.aio.prepareWrite(
        slot: index, fd: fd, iovecs: first, count: count, offset: offset, cookie: cookie, dataSync: request.dataSync)
    } else {
      unsafe resources.aio.prepareRead(
        slot: index, fd: fd, iovecs: first, count: count, offset: offset, cookie: cookie)
    }
  }

  /// Sends a request through a bounce buffer, or lets it wait for one.
  @inline(never)
  static func bounceOrWait(_ index: Int, _ fd: Int32, _ resources: inout IOResources) {
    guard let buffer = resources.bounce.take() else {
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
        unsafe base.copyMemory(from: memory + done, byteCount: segment.iov_len)
      } else {
        unsafe (memory + done).copyMemory(from: base, byteCount: segment.iov_len)
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
      if unsafe memcmp(base, memory + done, segment.iov_len) != 0 { return false }
      done &+= unsafe segment.iov_len
    }
    return true
  }

  // MARK: Commands off the fast path

  /// Compare: reads into private memory, then compares; the guest's memory is read once.
  @inline(never)
  private static func compare(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ namespace: NamespaceGeometry,
    _ memory: inout MemoryMap, _ sums: inout PortCounters.Sums, _ description: PortDescription,
    _ resources: inout IOResources
  ) -> Status? {
    if let status = checkRange(command, namespace, maximumTransfer: description.maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) << namespace.blockShift
    let offset = command.slba << namespace.blockShift
    var segments = resources.requests.emptySegments(index)
    let status = unsafe translate(
      command, length: length, access: .read, &memory, &segments, bitBucket: resources.bitBucket.base)
    if status != .success { return status }
    switch namespace.backend {
    case .null: break
    case .memory(let base, let count):
      guard offset <= UInt64(count), length <= UInt64(count) &- offset else { return .internalError }
      guard unsafe isEqual(resources.requests.segmentBase(index), segments.count, base + Int(offset)) else {
        return .compareFailure
      }
    case .file(let fd):
      fill(index, command, place, .compare, offset: offset, length: length, segments.count, &resources)
      resources.requests.take()
      bounceOrWait(index, fd, &resources)
      return nil
    }
    count(.compare, length, &sums)
    return .success
  }

  /// Verify: reads and forgets.
  @inline(never)
  private static func verify(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ namespace: NamespaceGeometry,
    _ sums: inout PortCounters.Sums, _ description: PortDescription, _ resources: inout IOResources
  ) -> Status? {
    if let status = checkRange(command, namespace, maximumTransfer: description.maximumTransfer) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) << namespace.blockShift
    guard case .file(let fd) = namespace.backend else {
      count(.verify, length, &sums)
      return .success
    }
    let offset = command.slba << namespace.blockShift
    fill(index, command, place, .verify, offset: offset, length: length, 0, &resources)
    resources.requests.take()
    bounceOrWait(index, fd, &resources)
    return nil
  }

  /// Flush of one namespace.
  @inline(never)
  private static func flush(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ sums: inout PortCounters.Sums, _ resources: inout IOResources
  ) -> Status? {
    guard case .file(let fd) = namespace.backend else {
      sums.flushCommands &+= 1
      return .success
    }
    if let owner = owners[place], owner.writeCacheFailed { return .writeFault }
    fill(index, command, place, .flush, offset: 0, length: 0, 0, &resources)
    // The namespaces after this one are flushed in turn where the command means all of them.
    resources.requests[index].flushesAll = command.namespaceIdentifier == UInt32.max
    resources.requests.take()
    resources.aio.prepareDataSync(slot: index, fd: fd, cookie: resources.requests.cookie(index))
    return nil
  }

  /// Flush of all namespaces (VWC.FNVMBS 11b): begins with the first that has something to flush.
  @inline(never)
  private static func flushAll(
    _ command: SubmissionQueueEntry, _ index: Int, _ namespaces: borrowing FixedTable<NamespaceGeometry>,
    _ owners: borrowing FixedTable<Namespace?>, _ sums: inout PortCounters.Sums, _ resources: inout IOResources
  ) -> Status? {
    for place in 0..<namespaces.count where namespaces[place].isActive {
      guard case .file = namespaces[place].backend else { continue }
      return flush(command, index, place, namespaces[place], owners, &sums, &resources)
    }
    sums.flushCommands &+= 1
    return .success
  }

  /// Write Zeroes; DEAC deallocates. Not bound by MDTS, as nothing is transferred.
  @inline(never)
  private static func writeZeroes(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ sums: inout PortCounters.Sums, dataSync: Bool,
    _ resources: inout IOResources
  ) -> Status? {
    if namespace.isReadOnly { return .namespaceWriteProtected }
    if let status = checkRange(command, namespace, maximumTransfer: UInt64.max) { return status }
    let length = UInt64(command.numberOfLogicalBlocks) << namespace.blockShift
    let offset = command.slba << namespace.blockShift
    guard let owner = owners[place] else { return .internalError }
    let deallocates = command.cdw12 & (1 << 25) != 0 && owner.discards
    let operation = StorageJob.Operation.writeZeroes(
      ByteRange(offset: offset, count: length), deallocate: deallocates, dataSync: dataSync)
    fill(index, command, place, .zero, offset: offset, length: length, 0, &resources)
    let status = work(operation, index, owner, namespace, &resources)
    if status == .success { sums.writeCommands &+= 1 }
    return status
  }

  /// Dataset Management: deallocation of up to 256 ranges; other attributes are hints without effect.
  @inline(never)
  private static func deallocate(
    _ command: SubmissionQueueEntry, _ index: Int, _ place: Int, _ namespace: NamespaceGeometry,
    _ owners: borrowing FixedTable<Namespace?>, _ memory: inout MemoryMap, _ resources: inout IOResources
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
    guard command.cdw11 & 4 != 0, let owner = owners[place], owner.discards, !ranges.isEmpty else { return .success }
    fill(index, command, place, .deallocate, offset: 0, length: 0, 0, &resources)
    return work(.deallocate(ranges), index, owner, namespace, &resources)
  }

  /// Does what needs no disk at once, and gives the rest to a worker thread.
  private static func work(
    _ operation: StorageJob.Operation, _ index: Int, _ owner: Namespace, _ namespace: NamespaceGeometry,
    _ resources: inout IOResources
  ) -> Status? {
    guard let image = owner.backend.image else {
      resources.requests[index].state = .free
      return BlockBackend.perform(operation, on: namespace.backend).map { Status($0, during: .deallocate) } ?? .success
    }
    resources.requests[index].state = .working
    resources.requests.take()
    let job = StorageJob(token: resources.requests.cookie(index), image: image, operation: operation)
    guard resources.workers.submit(job, to: resources.completions) else {
      resources.requests.release(index)
      return .commandInterrupted
    }
    return nil
  }
}
