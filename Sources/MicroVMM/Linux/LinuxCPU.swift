import KVM
import LinuxIO

/// What CPUID tells a guest with one CPU: the host's CPU as far as KVM virtualizes it, alone on its package.
///
/// Source: Intel SDM 2A, CPUID; AMD APM 3, appendix E; Linux, Documentation/virt/kvm/api.rst, 4.117 and
/// KVM_CAP_TSC_DEADLINE_TIMER.
enum LinuxCPU {
  /// Leaf 1, ECX: TSC deadline timer; a hypervisor is there.
  private static let tscDeadline: UInt32 = 1 << 24
  private static let hypervisor: UInt32 = 1 << 31
  /// Leaf 1, EDX: there are several logical CPUs.
  private static let hyperThreading: UInt32 = 1 << 28
  /// Leaf 1, EBX bits 15:0: what has nothing to do with the number of CPUs. Above: one CPU, APIC 0.
  private static let leaf1Fixed: UInt32 = 0xFFFF
  private static let oneLogicalCPU: UInt32 = 1 << 16
  /// Leaf 4: the fields that tell how many CPUs share a cache, and how many cores there are.
  private static let cacheSharing: UInt32 = 0xFFFF_C000
  /// Leaf 80000008h, ECX: the number of cores less one, and the width of their numbers.
  private static let coreCounts: UInt32 = 0xF0FF

  /// The leaves of a guest, out of those that KVM supports.
  ///
  /// - Parameter hasDeadlineTimer: whether the local APIC can do TSC deadlines: KVM need not say so in leaf 1.
  static func leaves(_ supported: [CPUIDLeaf], hasDeadlineTimer: Bool) -> [CPUIDLeaf] {
    supported.map { leaf in
      var leaf = leaf
      switch leaf.function {
      case 0x1:
        leaf.ebx = leaf.ebx & leaf1Fixed | oneLogicalCPU
        leaf.ecx |= hypervisor
        if hasDeadlineTimer { leaf.ecx |= tscDeadline }
        leaf.edx &= ~hyperThreading
      case 0x4, 0x8000_001D: leaf.eax &= ~cacheSharing
      // Topology: no levels.
      case 0xB, 0x1F, 0x8000_0026:
        leaf.eax = 0
        leaf.ebx = 0
        leaf.ecx = leaf.index
        leaf.edx = 0
      case 0x8000_0008: leaf.ecx &= ~coreCounts
      case 0x8000_001E:
        leaf.eax = 0
        leaf.ebx = 0
        leaf.ecx = 0
      default: break
      }
      return leaf
    }
  }
}
