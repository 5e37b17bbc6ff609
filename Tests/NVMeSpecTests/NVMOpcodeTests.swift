import NVMeSpec
import Testing

@Suite struct NVMOpcodeTests {
  @Test func values() {
    #expect(
      NVMOpcode.allCases.map(\.rawValue) == [
        0x00, 0x01, 0x02, 0x04, 0x05, 0x08, 0x09, 0x0C, 0x0D, 0x0E, 0x11, 0x12, 0x15, 0x19, 0x1D, 0x79, 0x7A, 0x7D,
      ])
    #expect(NVMOpcode.write.rawValue == 0x01)
    #expect(NVMOpcode.read.rawValue == 0x02)
    #expect(NVMOpcode.writeZeroes.rawValue == 0x08)
  }

  @Test(
    arguments: [
      (NVMOpcode.flush, .none), (.write, .hostToController), (.read, .controllerToHost), (.compare, .hostToController),
      (.writeZeroes, .none), (.datasetManagement, .hostToController), (.verify, .none),
    ] as [(NVMOpcode, DataTransferDirection)])
  func direction(opcode: NVMOpcode, direction: DataTransferDirection) {
    #expect(DataTransferDirection(opcode: opcode.rawValue) == direction)
  }

  @Test func bothWays() { #expect(DataTransferDirection(opcode: 0xFF) == .bidirectional) }
}
