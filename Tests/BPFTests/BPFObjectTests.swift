import LinuxIO
import Testing

@testable import BPF

/// Maps and programs of the kernel that these tests run on.
@Suite(.enabled(if: bpfRefusal == nil, "\(bpfRefusal?.description ?? "")")) struct BPFObjectTests {
  private struct Key: Equatable, BitwiseCopyable {
    var process: UInt32
    var address: UInt32
  }

  // MARK: Maps

  @Test func aHashKeepsWhatIsPutIn() throws {
    let map = try BPFMap(hash: "nvmed_test", keySize: 8, valueSize: 4, entries: 2)
    var isEmpty = map.isEmpty()
    #expect(isEmpty)
    let key = Key(process: 1, address: 2)
    var value = try map.value(of: key, initially: UInt32(0))
    #expect(value == nil)
    try map.insert(key, UInt32(77))
    isEmpty = map.isEmpty()
    #expect(!isEmpty)
    value = try map.value(of: key, initially: UInt32(0))
    #expect(value == 77)
    #expect(throws: Errno.fileExists) { try map.insert(key, UInt32(78)) }
    try map.insert(Key(process: 2, address: 2), UInt32(1))
    #expect(throws: Errno(rawValue: 7)) { try map.insert(Key(process: 3, address: 2), UInt32(1)) }
    try map.remove(key)
    value = try map.value(of: key, initially: UInt32(0))
    #expect(value == nil)
    // What is not there need not be taken out.
    try map.remove(key)
    try map.remove(Key(process: 2, address: 2))
    isEmpty = map.isEmpty()
    #expect(isEmpty)
  }

  @Test func typesOfOtherSizesAreRefused() throws {
    let map = try BPFMap(hash: "nvmed_test", keySize: 8, valueSize: 4, entries: 1)
    #expect(throws: Errno.invalidArgument) { try map.insert(UInt32(1), UInt32(1)) }
    #expect(throws: Errno.invalidArgument) { try map.insert(UInt64(1), UInt64(1)) }
    #expect(throws: Errno.invalidArgument) { _ = try map.value(of: UInt64(1), initially: UInt8(0)) }
    #expect(throws: Errno.invalidArgument) { try map.remove(UInt8(1)) }
    let isEmpty = map.isEmpty()
    #expect(isEmpty)
  }

  @Test func aMapThatCannotBeIsAnError() {
    #expect(throws: BPFError.map(.invalidArgument)) {
      _ = try BPFMap(hash: "nvmed_test", keySize: 0, valueSize: 4, entries: 1)
    }
    #expect(throws: BPFError.map(.invalidArgument)) {
      _ = try BPFMap(hash: "nvmed_test", keySize: 8, valueSize: 4, entries: -1)
    }
    // A hash cannot be mapped.
    #expect(throws: BPFError.map(Errno(rawValue: 524))) {
      _ = try BPFMap(hash: "nvmed_test", keySize: 8, valueSize: 4, entries: 1).mapMemory()
    }
  }

  // MARK: Programs

  @Test func aProgramWritesIntoMappedMemory() throws {
    let map = try BPFMap(memory: "nvmed_test", size: 8192)
    let memory = try map.mapMemory()
    // memory[4096] = the lower half of the second argument; memory[4100] += 1.
    let program = try BPFProgram(
      rawTracepoint: "nvmed_test",
      [.load(.doubleWord, .r2, .r1, 8)]
        + BPFInstruction.mapValue(.r3, descriptor: map.descriptor.rawValue, offset: 4096)
        + [
          .store(.word, .r3, 0, .r2), .calculate(.move, .r2, 1), .atomicAdd(.word, .r3, 4, .r2),
          .calculate(.move, .r0, 5), .exit,
        ])
    let results = [
      try program.run(arguments: [1, 0x1_2345_6789]), try program.run(arguments: [1, 0xffff_fffe]),
    ]
    #expect(results == [5, 5])
    #expect(memory.base.load(fromByteOffset: 4096, as: UInt32.self) == 0xffff_fffe)
    #expect(memory.base.load(fromByteOffset: 4100, as: UInt32.self) == 2)
    #expect(memory.base.load(fromByteOffset: 4092, as: UInt32.self) == 0)
  }

  @Test func aConditionIsUnsigned() throws {
    for (value, expected) in [(0 as UInt64, 1 as UInt32), (7, 1), (8, 2), (.max, 2)] {
      let program = try BPFProgram(
        rawTracepoint: "nvmed_test",
        [
          .load(.doubleWord, .r2, .r1, 0), .calculate(.move, .r0, 2), .jump(.greater, .r2, 7, 1),
          .calculate(.move, .r0, 1), .exit,
        ])
      let result = try program.run(arguments: [value])
      #expect(result == expected)
    }
  }

  /// Reads through a register that holds no pointer: what the verifier says of it is in the error.
  @Test func aProgramThatIsNotSafeIsRefusedWithTheVerifiersWords() throws {
    do throws(BPFError) {
      _ = try BPFProgram(
        rawTracepoint: "nvmed_test",
        [.calculate(.move, .r2, 4096), .load(.word, .r0, .r2, 0), .exit])
      Issue.record("it was loaded")
    } catch {
      guard case .rejected(.accessDenied, let log) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(log.contains("R2 invalid mem access 'scalar'") || log.contains("R2 invalid mem access 'inv'"), "\(log)")
      #expect(error.description.hasSuffix(log))
      #expect(error.description.hasPrefix("the kernel's verifier refuses the BPF program (Permission denied):\n"))
    }
  }

  @Test func aProgramWithoutInstructionsHasNoLog() {
    #expect(throws: BPFError.self) { _ = try BPFProgram(rawTracepoint: "nvmed_test", []) }
  }

  @Test func anAttachmentNeedsATracepoint() throws {
    let program = try BPFProgram(rawTracepoint: "nvmed_test", [.calculate(.move, .r0, 0), .exit])
    #expect(throws: BPFError.attach(.noSuchFile)) { _ = try RawTracepointLink(program, to: "there_is_none") }
  }

  @Test func aTestRunNeedsTheArgumentsThatAreRead() throws {
    let program = try BPFProgram(
      rawTracepoint: "nvmed_test", [.load(.doubleWord, .r0, .r1, 24), .exit])
    #expect(throws: BPFError.testRun(.invalidArgument)) { _ = try program.run(arguments: [1, 2, 3]) }
    let result = try program.run(arguments: [1, 2, 3, 4])
    #expect(result == 4)
    BPFProgram.awaitRuns()
  }
}
