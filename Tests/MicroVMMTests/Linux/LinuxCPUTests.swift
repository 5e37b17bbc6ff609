import KVM
import Testing

@testable import MicroVMM

@Suite struct LinuxCPUTests {
  @Test func oneCPUAloneOnItsPackage() {
    let host = [
      CPUIDLeaf(function: 0, eax: 0x10, ebx: 1, ecx: 2, edx: 3),
      CPUIDLeaf(function: 1, eax: 0xA20F12, ebx: 0x0510_0800, ecx: 0, edx: 0x1000_0001),
      CPUIDLeaf(function: 4, index: 1, flags: 1, eax: 0x1C00_4121, ebx: 5),
      CPUIDLeaf(function: 0xB, index: 1, flags: 1, eax: 4, ebx: 16, ecx: 0x201, edx: 5),
      CPUIDLeaf(function: 0x8000_0008, eax: 0x3030, ebx: 7, ecx: 0x500F, edx: 1),
      CPUIDLeaf(function: 0x8000_001E, eax: 5, ebx: 0x102, ecx: 0x300, edx: 0),
      CPUIDLeaf(function: 0x4000_0000, eax: 0x4000_0001, ebx: 0x4B4D_564B),
    ]
    let guest = LinuxCPU.leaves(host, hasDeadlineTimer: true)
    #expect(
      guest == [
        host[0],
        CPUIDLeaf(function: 1, eax: 0xA20F12, ebx: 0x0001_0800, ecx: 0x8100_0000, edx: 0x0000_0001),
        CPUIDLeaf(function: 4, index: 1, flags: 1, eax: 0x0000_0121, ebx: 5),
        CPUIDLeaf(function: 0xB, index: 1, flags: 1, ecx: 1),
        CPUIDLeaf(function: 0x8000_0008, eax: 0x3030, ebx: 7, ecx: 0, edx: 1),
        CPUIDLeaf(function: 0x8000_001E),
        host[6],
      ])
    #expect(LinuxCPU.leaves(host, hasDeadlineTimer: false)[1].ecx == 0x8000_0000)
  }
}
