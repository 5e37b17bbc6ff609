import NVMeSpec
import Testing

@Suite struct DoorbellTests {
  @Test(
    arguments: [
      (0, 0, 0x1000, 0x1004), (1, 0, 0x1008, 0x100C), (0xFFFF, 0, 0x8_0FF8, 0x8_0FFC), (1, 1, 0x1010, 0x1018),
      (2, 15, 0x8_1000, 0xA_1000),
    ] as [(UInt16, UInt8, UInt64, UInt64)])
  func offsets(queue: UInt16, stride: UInt8, tail: UInt64, head: UInt64) {
    #expect(DoorbellRegister.submissionQueueTail(queue, stride: stride) == tail)
    #expect(DoorbellRegister.completionQueueHead(queue, stride: stride) == head)
    #expect(
      DoorbellRegister.register(at: tail, stride: stride)
        == DoorbellRegister.Register(queueIdentifier: queue, isCompletionQueueHead: false))
    #expect(
      DoorbellRegister.register(at: head, stride: stride)
        == DoorbellRegister.Register(queueIdentifier: queue, isCompletionQueueHead: true))
  }

  @Test(arguments: [0, 0xFFC, 0x1001, 0x1002, 0x8_1000, .max] as [UInt64]) func offsetsOfNoDoorbell(offset: UInt64) {
    #expect(DoorbellRegister.register(at: offset) == nil)
  }

  @Test func offsetsBetweenStriddenDoorbells() {
    #expect(DoorbellRegister.register(at: 0x1004, stride: 1) == nil)
    #expect(DoorbellRegister.register(at: 0x1008, stride: 1)?.isCompletionQueueHead == true)
  }

  @Test func byteCount() {
    #expect(DoorbellRegister.byteCount(queueCount: 512) == 4096)
    #expect(DoorbellRegister.byteCount(queueCount: 2, stride: 2) == 64)
  }
}
