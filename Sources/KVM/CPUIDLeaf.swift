import CLinux
import Glibc
import LinuxIO

/// What CPUID answers for one leaf and subleaf (`struct kvm_cpuid_entry2`).
public struct CPUIDLeaf: Equatable, Sendable {
  /// EAX at CPUID.
  public var function: UInt32
  /// ECX at CPUID, where the leaf has subleaves.
  public var index: UInt32
  /// `KVM_CPUID_FLAG_*`: bit 0, the leaf has subleaves.
  public var flags: UInt32
  /// The answer.
  public var eax: UInt32
  /// The answer.
  public var ebx: UInt32
  /// The answer.
  public var ecx: UInt32
  /// The answer.
  public var edx: UInt32

  /// A leaf.
  public init(
    function: UInt32, index: UInt32 = 0, flags: UInt32 = 0, eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0,
    edx: UInt32 = 0
  ) {
    self.function = function
    self.index = index
    self.flags = flags
    self.eax = eax
    self.ebx = ebx
    self.ecx = ecx
    self.edx = edx
  }
}

extension KVMSystem {
  /// Most leaves that are asked for: KVM has no more (`KVM_MAX_CPUID_ENTRIES`).
  private static let mostLeaves = 256

  /// What a vCPU can be given: the host's CPU as far as KVM virtualizes it.
  ///
  /// - Throws: the `errno` of `KVM_GET_SUPPORTED_CPUID`.
  public borrowing func supportedCPUID() throws(Errno) -> [CPUIDLeaf] {
    let number = descriptor.rawValue
    return try unsafe CPUIDLeaf.withTable(count: KVMSystem.mostLeaves) { (table) throws(Errno) in
      unsafe table.storeBytes(of: UInt32(KVMSystem.mostLeaves), as: UInt32.self)
      guard let base = table.baseAddress else { throw .invalidArgument }
      try kvmCall { unsafe ioctl(number, CLINUX_KVM_GET_SUPPORTED_CPUID, base) }
      let count = min(Int(unsafe table.load(as: UInt32.self)), KVMSystem.mostLeaves)
      return (0..<count).map { index in
        let entry = unsafe table.load(
          fromByteOffset: CPUIDLeaf.headerSize + index * CPUIDLeaf.entrySize, as: kvm_cpuid_entry2.self)
        return CPUIDLeaf(
          function: entry.function, index: entry.index, flags: entry.flags, eax: entry.eax, ebx: entry.ebx,
          ecx: entry.ecx, edx: entry.edx)
      }
    }
  }
}

extension VirtualCPU {
  /// Sets what CPUID answers, and with it which features the vCPU has; before it runs.
  ///
  /// - Throws: the `errno` of `KVM_SET_CPUID2`: `E2BIG` for more than 256 leaves.
  public borrowing func setCPUID(_ leaves: [CPUIDLeaf]) throws(Errno) {
    let number = descriptor.rawValue
    try unsafe CPUIDLeaf.withTable(count: leaves.count) { (table) throws(Errno) in
      unsafe table.storeBytes(of: UInt32(truncatingIfNeeded: leaves.count), as: UInt32.self)
      for (index, leaf) in leaves.enumerated() {
        var entry = kvm_cpuid_entry2()
        entry.function = leaf.function
        entry.index = leaf.index
        entry.flags = leaf.flags
        entry.eax = leaf.eax
        entry.ebx = leaf.ebx
        entry.ecx = leaf.ecx
        entry.edx = leaf.edx
        unsafe table.storeBytes(
          of: entry, toByteOffset: CPUIDLeaf.headerSize + index * CPUIDLeaf.entrySize, as: kvm_cpuid_entry2.self)
      }
      guard let base = table.baseAddress else { throw .invalidArgument }
      try kvmCall { unsafe ioctl(number, CLINUX_KVM_SET_CPUID2, base) }
    }
  }
}

extension CPUIDLeaf {
  /// Bytes of `struct kvm_cpuid2` before its entries.
  fileprivate static let headerSize = 8
  fileprivate static let entrySize = MemoryLayout<kvm_cpuid_entry2>.stride

  /// A zeroed `struct kvm_cpuid2` with room for `count` entries.
  fileprivate static func withTable<Result>(
    count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    try unsafe withUnsafeTemporaryAllocation(
      byteCount: headerSize + count * entrySize, alignment: MemoryLayout<kvm_cpuid_entry2>.alignment
    ) { (table) throws(Errno) in
      unsafe table.initializeMemory(as: UInt8.self, repeating: 0)
      return try unsafe body(table)
    }
  }
}
