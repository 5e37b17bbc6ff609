import CLinux
import Testing

@testable import KVM

@Suite struct IOEventFDTests {
  @Test func theStructIsTheKernelsWithAnAddressMore() {
    typealias Own = clinux_kvm_ioeventfd
    #expect(MemoryLayout<Own>.size == 64)
    #expect(MemoryLayout<Own>.size == MemoryLayout<kvm_ioeventfd>.size)
    #expect(MemoryLayout<Own>.offset(of: \.datamatch) == 0)
    #expect(MemoryLayout<Own>.offset(of: \.addr) == 8)
    #expect(MemoryLayout<Own>.offset(of: \.len) == 16)
    #expect(MemoryLayout<Own>.offset(of: \.fd) == 20)
    #expect(MemoryLayout<Own>.offset(of: \.flags) == 24)
    #expect(MemoryLayout<Own>.offset(of: \.post_addr) == 32)
    #expect(CLINUX_KVM_IOEVENTFD == 0x4040_AE79)
  }

  @Test func encodesAPostedWrite() {
    let event = IOEventFD(address: 0xE000_1008, length: 4, event: 9, postAddress: 0x7F00_0000_1008)
    let encoded = event.encoded(deassign: false)
    #expect(encoded.addr == 0xE000_1008)
    #expect(encoded.len == 4)
    #expect(encoded.fd == 9)
    #expect(encoded.flags == 0x20)
    #expect(encoded.post_addr == 0x7F00_0000_1008)
    #expect(encoded.datamatch == 0)
    #expect(event.encoded(deassign: true).flags == 0x24)
  }

  @Test func encodesADatamatch() {
    let encoded = IOEventFD(address: 0, length: 2, event: 1, datamatch: 0x1234).encoded(deassign: false)
    #expect(encoded.flags == 0x01)
    #expect(encoded.datamatch == 0x1234)
    #expect(encoded.post_addr == 0)
  }

  @Test func encodesAPort() {
    let encoded = IOEventFD(bus: .pio, address: 0xE000, length: 4, event: 1, postAddress: 0x1000)
      .encoded(deassign: false)
    #expect(encoded.flags == 0x22)
    #expect(encoded.addr == 0xE000)
    #expect(IOEventFD(bus: .pio, address: 0xE000, length: 4, event: 1).encoded(deassign: true).flags == 0x06)
  }

  @Test func aRouteIsAMessageToTheFirstLocalAPIC() {
    let entry = MSIRoute(gsi: 25, vector: 0x31).encoded
    #expect(MemoryLayout<kvm_irq_routing_entry>.size == 48)
    #expect(entry.gsi == 25)
    #expect(entry.type == 2)
    #expect(entry.u.msi.address_lo == 0xFEE0_0000)
    #expect(entry.u.msi.address_hi == 0)
    #expect(entry.u.msi.data == 0x31)
  }
}
